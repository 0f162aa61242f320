/** Kafka's zookeeper-server-stop.sh: ends every server of ours on this machine, and no JVM. */
import { runningServers } from './server-process.ts';

const signalName = `SIG${(process.env.SIGNAL ?? 'TERM').replace(/^SIG/, '')}` as NodeJS.Signals;
const servers = runningServers();
if (servers.length === 0) {
  process.stdout.write('No zookeeper server to stop\n');
  process.exitCode = 1;
}
for (const { pid } of servers) {
  try {
    process.kill(pid, signalName);
  } catch (error) {
    process.stderr.write(`process ${pid}: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
