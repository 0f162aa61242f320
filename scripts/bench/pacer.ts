/**
 * A thread that says when the next batch of an offered load is due: timers of a loop are late by up to 2 ms, which would be
 * charged to the server. Sends a message every `everyMs` from `startMs` on (both of the wall clock, fractions allowed).
 */
import { parentPort, workerData } from 'node:worker_threads';

const { startMs, everyMs } = workerData as { readonly startMs: number; readonly everyMs: number };
const nobody = new Int32Array(new SharedArrayBuffer(4));
const nowMs = (): number => performance.timeOrigin + performance.now();

for (let dueMs = startMs; ; dueMs += everyMs) {
  const leftMs = dueMs - nowMs();
  if (leftMs > 0) Atomics.wait(nobody, 0, 0, leftMs);
  parentPort?.postMessage(0);
}
