/** kafka-server-start.sh: `[-daemon] server.properties [--override property=value]*`. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeRuntime } from '../../runtime/node/node-runtime.ts';
import { runBroker, withoutMarks } from './kafka-server.ts';
import { startDaemon } from './server-process.ts';

const USAGE = 'USAGE: kafka-server-start.sh [-daemon] server.properties [--override property=value]*\n';

/** The checkout's or the package's root. */
const root = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');

async function main(args: readonly string[]): Promise<number> {
  const isDaemon = args[0] === '-daemon';
  const words = isDaemon ? args.slice(1) : args;
  if (words.length === 0 || words[0]!.startsWith('-')) {
    process.stdout.write(USAGE);
    return 1;
  }
  if (!isDaemon) return runBroker(words);
  const refusal = await startDaemon(words, process.env.LOG_DIR ?? join(root, 'logs'), nodeRuntime().clock);
  if (refusal === undefined) return 0;
  process.stderr.write(`${refusal}\n`);
  return 1;
}

process.exit(await main(withoutMarks(process.argv.slice(2))));
