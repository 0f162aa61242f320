/**
 * Loaded into our server's process before it starts (`node --import`): on SIGUSR2 writes to the file BENCH_PROBE names how
 * long the event loop kept something waiting since the last signal, and with BENCH_PROFILE a CPU profile of that time.
 *
 * A busy machine delays a loop that holds nothing, so the CPU time of the thread between two ticks is measured too: what is
 * above the ticks' distance was held by the loop itself.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { LoopDelay } from '../../src/runtime/node/loop-delay.ts';

const { BENCH_PROBE: probeFile = '', BENCH_PROFILE: profilePrefix } = process.env;
const TICK_MS = 10;
const delay = new LoopDelay();
let cpuMs = threadCpuMs();
let longestCpuMs = 0;
setInterval(() => {
  const before = cpuMs;
  cpuMs = threadCpuMs();
  longestCpuMs = Math.max(longestCpuMs, cpuMs - before - TICK_MS);
}, TICK_MS).unref();

let count = 0;
let session: Session | undefined;

process.on('SIGUSR2', () => {
  const heldMs = { longestMs: delay.longestMs, longestCpuMs };
  // Only where the engine was started for it.
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  const written = JSON.stringify({ count, ...heldMs, usedBytes: heapUsed + external });
  count += 1;
  if (profilePrefix !== undefined) profile(`${profilePrefix}-${count}.cpuprofile`);
  writeFileSync(`${probeFile}.new`, written);
  renameSync(`${probeFile}.new`, probeFile);
  delay.reset();
  // What this signal itself took belongs to nobody.
  cpuMs = threadCpuMs();
  longestCpuMs = 0;
});

function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

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
