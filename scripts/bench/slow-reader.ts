/** A client that asks for a megabyte many times over and reads nothing, while another produces. */
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { PeerError } from '../../test/interop/peers/process.ts';
import { fetchFrame } from './kafka-frames.ts';
import { type Duration, generate, type Load } from './load.ts';
import type { LoopHeld, Servers } from './servers.ts';

const REQUESTS = 400;
const ANSWER_BYTES = 1_048_576;

/** Bounds that a server without limits would break at once: the answers wanted are 400 MiB on each of four connections. */
const GROWTH_BYTES_MAX = 160 * 1_048_576;
const LOOP_CPU_MS_MAX = 20;

export interface SlowReaderResult {
  readonly perSecond: number;
  readonly grewBytes: number;
  readonly loop: LoopHeld | undefined;
}

/** Produces with four such readers hanging on the broker. */
export async function produceBesideSlowReaders(
  servers: Servers,
  load: Load,
  duration: Duration,
): Promise<SlowReaderResult> {
  const frame = fetchFrame('fetch', 0, ANSWER_BYTES);
  const before = servers.residentBytes();
  const frames = Buffer.concat(Array.from({ length: REQUESTS }, () => frame));
  const sockets = Array.from({ length: 4 }, () => {
    const socket = connect({ port: servers.kafkaPort, host: '127.0.0.1' }, () => socket.write(frames));
    socket.on('error', () => socket.destroy());
    socket.pause();
    return socket;
  });
  try {
    await pause(300);
    await servers.loopDelay();
    const { perSecond, errors } = await generate(load, [servers.kafkaPort], duration);
    if (errors > 0) throw new PeerError(`${servers.name}: ${errors} errors beside slow readers`);
    return { perSecond, grewBytes: servers.residentBytes() - before, loop: await servers.loopDelay() };
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

/** What is wrong with ours, in words. */
export function judgeSlowReader({ grewBytes, loop }: SlowReaderResult): string | undefined {
  if (grewBytes > GROWTH_BYTES_MAX) return `memory grew by ${Math.round(grewBytes / 1e6)} MB`;
  const heldMs = loop?.longestCpuMs ?? 0;
  if (heldMs > LOOP_CPU_MS_MAX) return `the loop was held for ${heldMs.toFixed(0)} ms of CPU time`;
  return undefined;
}
