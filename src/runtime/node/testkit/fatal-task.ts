import { Buffer } from 'node:buffer';
import type { Task } from '../../compute.ts';

/** Ends the thread that it runs in: by its own will, or with all memory that it may have. */
export const task: Task<{ readonly kind: 'exit' | 'heap' }, null> = {
  name: 'runtime/node/testkit/fatal-task',
  run({ kind }) {
    if (kind === 'exit') process.exit(3);
    const kept: object[] = [];
    for (;;) kept.push({ at: kept.length, text: Buffer.from([kept.length]).toString('hex') });
  },
};
