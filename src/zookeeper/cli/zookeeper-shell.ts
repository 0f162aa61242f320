/** Kafka's zookeeper-shell.sh: zkCli with the server as first argument, and without JLine, which Kafka does not ship. */
import { exitWith, zkCli } from './run-cli.ts';

const TLS_FILE = '-zk-tls-config-file';
const USAGE = `USAGE: zookeeper-shell.sh zookeeper_host:port[/path] [${TLS_FILE} file] [args...]\n`;

async function main(args: readonly string[]): Promise<number> {
  if (args.length === 0) {
    process.stdout.write(USAGE);
    return 1;
  }
  const words = ['-server', ...args];
  const at = words.indexOf(TLS_FILE);
  if (at === words.length - 1) {
    process.stderr.write(`Error: no filename provided with option ${TLS_FILE}\n`);
    return 1;
  }
  return zkCli(at < 0 ? words : words.toSpliced(at, 2), {
    jline: false,
    jvmFlags: process.env.KAFKA_OPTS ?? '',
    kafkaTlsFile: at < 0 ? undefined : words[at + 1],
    usageHead: `ZooKeeper -server host:port [${TLS_FILE} <file>] cmd args`,
  });
}

exitWith(await main(process.argv.slice(2)));
