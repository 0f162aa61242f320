/**
 * Flags of the engine for a server; `npm start` and the launchers have the same.
 *
 * A semi-space of 4 MiB, so that a collection of the young generation stops every client for under a millisecond: by default 5
 * to 10 were measured under synced sets, on two busy cores.
 *
 * The heap and the buffers beside it may grow to four times what was alive before everything is collected. That is the engine's
 * own upper bound; by itself it comes down to 1.3 times under load, and a heap of 21 MiB beside 400 MB of records a second was
 * then collected 40 times a second, for half of both cores.
 *
 * One thread helps the collector: the loop waits for all that help with a collection of the young generation, and of four on two busy
 * cores one was often not running. The 99th percentile of synced sets fell from 5.5 to 4.0 ms.
 */
export const ENGINE_FLAGS: readonly string[] = [
  '--max-semi-space-size=4',
  '--heap-growing-percent=300',
  '--v8-pool-size=1',
];
