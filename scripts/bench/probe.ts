/**
 * Loaded into our server's process before it starts (`node --import`): on SIGUSR2 writes the longest delay of the event loop
 * since the last signal to the file BENCH_PROBE names, and with BENCH_PROFILE a CPU profile of the time between two signals.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { LoopDelay } from '../../src/runtime/node/loop-delay.ts';

const { BENCH_PROBE: probeFile = '', BENCH_PROFILE: profilePrefix } = process.env;
const delay = new LoopDelay();
let count = 0;
let session: Session | undefined;

process.on('SIGUSR2', () => {
  const written = JSON.stringify({ count, longestMs: delay.longestMs });
  count += 1;
  if (profilePrefix !== undefined) profile(`${profilePrefix}-${count}.cpuprofile`);
  writeFileSync(`${probeFile}.new`, written);
  renameSync(`${probeFile}.new`, probeFile);
  delay.reset();
});

/** Ends the profile that runs, begins the next. */
function profile(file: string): void {
  if (session === undefined) {
    session = new Session();
    session.connect();
    session.post('Profiler.enable');
  } else {
    session.post('Profiler.stop', (error, answer) => {
      if (error === null) writeFileSync(file, JSON.stringify(answer.profile));
    });
  }
  session.post('Profiler.start');
}
