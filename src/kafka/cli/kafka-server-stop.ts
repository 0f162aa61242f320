/** kafka-server-stop.sh: ends every broker of ours on this machine, and no JVM. */
import { runningBrokers } from './server-process.ts';

const signal = `SIG${(process.env.SIGNAL ?? 'TERM').replace(/^SIG/, '')}` as NodeJS.Signals;
const brokers = runningBrokers();
if (brokers.length === 0) {
  process.stdout.write('No kafka server to stop\n');
  process.exitCode = 1;
}
for (const pid of brokers) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    process.stderr.write(`process ${pid}: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
