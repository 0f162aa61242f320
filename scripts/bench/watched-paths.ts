/** One client watches 100,000 paths, another changes them all: memory that the watches take, and time until the last event is there. */
import { connect, type Socket } from 'node:net';
import { PeerError } from '../../test/interop/peers/process.ts';
import { tempDir } from '../../test/interop/peers/temp-dir.ts';
import { amount, type Line } from './table.ts';
import { type StartAlone, startApache, startOurs, type ZookeeperAlone } from './zookeeper-alone.ts';
import {
  connectFrame,
  createAllFrame,
  createNode,
  existsFrame,
  recursiveWatchFrame,
  setAllFrame,
} from './zookeeper-frames.ts';

const PATHS = 100_000;
/** Changes in one transaction, so that the disk does not set the pace. */
const TOGETHER = 1_000;
const NOTIFICATION_XID = -1;
const DATA = Buffer.alloc(10, 'x');
const paths = Array.from({ length: PATHS }, (_, index) => `/watched/node-${String(index).padStart(10, '0')}`);

interface Measured {
  readonly grewBytes: number;
  readonly usedBytes: number;
  readonly fireMs: number;
  readonly fireCpuMs: number;
}

export async function watchedPaths(): Promise<Line[]> {
  const lines: Line[] = [];
  for (const [what, watch, change] of [
    ['one-shot', (path: string) => existsFrame(path, true), setAllFrame],
    ['recursive', recursiveWatchFrame, setAllFrame],
  ] as const) {
    const ours = await measure(startOurs, watch, change);
    const apache = await measure(startApache, watch, change);
    const row = (name: string, figure: keyof Measured, unit: string, per: number): Line => ({
      row: `watches for 100,000 paths, ${what}: ${name}`,
      ours: amount(ours[figure] / per, unit),
      apache: amount(apache[figure] / per, unit),
      ratio: apache[figure] / ours[figure],
      goal: '1x',
      met: apache[figure] >= ours[figure],
      ...{ p50p99: '', apacheP50p99: '', loopMs: '', ceiling: '', verified: '' },
      cpu: figure === 'fireMs' ? `${ours.fireCpuMs} / ${apache.fireCpuMs} ms` : '',
    });
    lines.push(row('memory in use', 'usedBytes', 'MiB', 1_048_576), row('until the last event', 'fireMs', 'ms', 1));
  }
  return lines;
}

async function measure(
  start: StartAlone,
  watch: (path: string) => Buffer,
  change: (paths: readonly string[], data: Uint8Array) => Buffer,
): Promise<Measured> {
  const server = await start({ dir: tempDir() });
  const watcher = await Listener.open(server);
  const writer = await Listener.open(server);
  try {
    await createNode(server.port, '/watched', DATA);
    const inTurns = (frameOf: (some: readonly string[]) => Buffer): Buffer[] =>
      Array.from({ length: PATHS / TOGETHER }, (_, turn) =>
        frameOf(paths.slice(turn * TOGETHER, (turn + 1) * TOGETHER)),
      );
    await writer.ask(inTurns((some) => createAllFrame(some, DATA)));
    // Once without watches: both have done all this before.
    await writer.ask(inTurns((some) => change(some, DATA)));
    const [usedBefore, residentBefore] = [await server.usedBytes(), server.residentBytes()];
    await watcher.ask(paths.map(watch));
    const usedBytes = (await server.usedBytes()) - usedBefore;
    const grewBytes = server.residentBytes() - residentBefore;
    const [begun, cpuBefore] = [performance.now(), server.cpuMs()];
    const fired = watcher.events(PATHS);
    await writer.ask(inTurns((some) => change(some, DATA)));
    await fired;
    return { grewBytes, usedBytes, fireMs: performance.now() - begun, fireCpuMs: server.cpuMs() - cpuBefore };
  } finally {
    watcher.close();
    writer.close();
    await server.kill();
  }
}

/** A session that counts what it hears. */
class Listener {
  readonly #socket: Socket;
  #rest: Buffer = Buffer.alloc(0);
  #replies = 0;
  #events = 0;
  #wanted: { readonly what: 'replies' | 'events'; readonly count: number; readonly done: () => void }[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', () => socket.destroy());
  }

  static async open({ port }: ZookeeperAlone): Promise<Listener> {
    const listener = new Listener(connect({ port, host: '127.0.0.1', noDelay: true }));
    await listener.ask([connectFrame]);
    return listener;
  }

  /** Sends them all and waits for as many replies. */
  ask(frames: readonly Buffer[]): Promise<void> {
    const done = this.#reach('replies', this.#replies + frames.length);
    this.#socket.write(Buffer.concat(frames));
    return done;
  }

  events(count: number): Promise<void> {
    return this.#reach('events', this.#events + count);
  }

  close(): void {
    this.#socket.destroy();
  }

  #reach(what: 'replies' | 'events', count: number): Promise<void> {
    return new Promise((done) => {
      this.#wanted.push({ what, count, done });
    });
  }

  #take(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (; at + 4 <= bytes.length && at + 4 + bytes.readInt32BE(at) <= bytes.length; at += 4 + bytes.readInt32BE(at)) {
      const isReply = this.#replies === 0 || bytes.readInt32BE(at + 4) !== NOTIFICATION_XID;
      if (!isReply) this.#events += 1;
      else if (this.#replies > 0 && bytes.readInt32BE(at + 16) !== 0) {
        throw new PeerError(`error ${bytes.readInt32BE(at + 16)}`);
      } else this.#replies += 1;
    }
    this.#rest = Buffer.from(bytes.subarray(at));
    const reached = { replies: this.#replies, events: this.#events };
    const [met, open] = [this.#wanted.filter((each) => reached[each.what] >= each.count), this.#wanted];
    this.#wanted = open.filter((each) => !met.includes(each));
    for (const { done } of met) done();
  }
}
