/** Kafka's zookeeper-server-start.sh: `[-daemon] zookeeper.properties`. */
import { join } from 'node:path';
import { packageRoot } from '../../runtime/node/package-files.ts';
import { runServer } from './run-server.ts';
import { APACHE_MARK, OUR_MARK, startDaemon } from './server-process.ts';

async function main(args: readonly string[]): Promise<number> {
  const isDaemon = args[0] === '-daemon';
  const configFile = isDaemon ? args[1] : args[0];
  if (configFile === undefined) {
    process.stdout.write('USAGE: zookeeper-server-start.sh [-daemon] zookeeper.properties\n');
    return 1;
  }
  if (!isDaemon) return runServer(configFile);
  const logDir = process.env.LOG_DIR ?? join(packageRoot, 'logs');
  const outputFile = join(logDir, 'zookeeper.out');
  const { refusal } = await startDaemon({ configFile, logDir, logFile: 'zookeeper.log', outputFile });
  if (refusal === undefined) return 0;
  process.stderr.write(`${refusal}\n`);
  return 1;
}

/** The launcher marks the process with two words before the user's. */
const marks: readonly string[] = [APACHE_MARK, OUR_MARK];
process.exitCode = await main(process.argv.slice(2).filter((word) => !marks.includes(word)));
