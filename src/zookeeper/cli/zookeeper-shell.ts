/** Kafka's zookeeper-shell.sh: zkCli with the server as first argument, and without JLine, which Kafka does not ship. */
import { exitWith, zkCli } from './run-cli.ts';

const [server, ...rest] = process.argv.slice(2);
if (server === undefined) {
  process.stdout.write('USAGE: zookeeper-shell.sh zookeeper_host:port[/path] [-zk-tls-config-file file] [args...]\n');
  process.exitCode = 1;
} else if (rest[0] === '-zk-tls-config-file') {
  process.stderr.write('TLS to ZooKeeper is not supported yet; leave -zk-tls-config-file out\n');
  process.exitCode = 1;
} else {
  exitWith(await zkCli(['-server', server, ...rest], { jline: false, jvmFlags: process.env.KAFKA_OPTS ?? '' }));
}
