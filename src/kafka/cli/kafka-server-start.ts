/** kafka-server-start.sh: `[-daemon] server.properties [--override property=value]*`. */
import { join } from 'node:path';
import { nodeRuntime } from '../../runtime/node/node-runtime.ts';
import { packageRoot } from '../../runtime/node/package-files.ts';
import { runBroker, withoutMarks } from './run-broker.ts';
import { startDaemon } from './server-process.ts';

const USAGE = 'USAGE: kafka-server-start.sh [-daemon] server.properties [--override property=value]*\n';

async function main(args: readonly string[]): Promise<number> {
  const isDaemon = args[0] === '-daemon';
  const words = isDaemon ? args.slice(1) : args;
  if (words.length === 0 || words[0]!.startsWith('-')) {
    process.stdout.write(USAGE);
    return 1;
  }
  if (!isDaemon) return runBroker(words);
  const refusal = await startDaemon(words, process.env.LOG_DIR ?? join(packageRoot, 'logs'), nodeRuntime().clock);
  if (refusal === undefined) return 0;
  process.stderr.write(`${refusal}\n`);
  return 1;
}

process.exit(await main(withoutMarks(process.argv.slice(2))));
