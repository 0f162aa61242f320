import { type TestContext, test } from 'node:test';

/** Whether every row of every table is run (`npm run test:interop:full`), or those that tell most. */
const isFull = process.env.INTEROP_BREADTH === 'full';

/** Registers a test of the full run alone. docs/TESTING.md says which these are. */
export function fullTest(name: string, body: (t: TestContext) => Promise<void>): void {
  if (isFull) test(name, body);
}

/** All rows, or those that `tells` picks. docs/TESTING.md says what is left to the full run. */
export function chosen<T>(rows: readonly T[], tells: (row: T) => boolean): readonly T[] {
  return isFull ? rows : rows.filter(tells);
}
