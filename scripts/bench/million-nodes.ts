/**
 * A million znodes of 100 bytes in a thousand folders: memory, the three ways to recover, and a snapshot while clients write.
 * Each start follows a kill -9 and finds what the step before it has left.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PeerError, until } from '../../test/interop/peers/process.ts';
import { tempDir } from '../../test/interop/peers/temp-dir.ts';
import { generate, type Load } from './load.ts';
import { amount, type Line } from './table.ts';
import { type StartAlone, startApache, startOurs, type ZookeeperAlone } from './zookeeper-alone.ts';
import {
  connectFrame,
  createFrame,
  createNode,
  getFrame,
  REPLY_ERROR_AT,
  setFrame,
  statOf,
} from './zookeeper-frames.ts';

const NODES = 1_000_000;
const FOLDERS = 1_000;
const CONNECTIONS = 8;
const DATA = Buffer.alloc(100, 'x');
const MIB = 1_048_576;
/** A snapshot begins after 50,000 to 100,000 transactions. */
const SETS = 120_000;
const NO_SNAPSHOTS = { snapCount: 1_000_000_000, snapSizeLimitInKb: -1 };
/** The least at which Apache's server still loads and serves the million without spending its time in the collector. */
const APACHE_SMALL_HEAP_MIB = 640;
const PAUSE_MS_MAX = 20;
const SNAPSHOT_END = Buffer.from([0, 0, 0, 1, 0x2f]);

interface Memory {
  readonly resident: number;
  readonly used: number;
}

interface Start {
  readonly ms: number;
  readonly cpuMs: number;
}

interface Measured {
  readonly afterLoad: Memory;
  readonly afterRestart: Memory;
  readonly loadCpuUs: number;
  readonly fromLog: Start;
  readonly fromSnapshot: Start;
  readonly fromBoth: Start;
  readonly heldMs: number;
  readonly heldCpuMs: number;
  readonly setP99Ms: number;
}

const folder = (index: number): string => `/million/folder-${index}`;

export async function millionNodes(profileDir?: string): Promise<Line[]> {
  const [oursDir, apacheDir] = [tempDir(), tempDir()];
  const profile = profileDir === undefined ? undefined : join(profileDir, 'million');
  const ours = await measure(startOurs, oursDir, profile);
  const apache = await measure(startApache, apacheDir);
  const small = await startApache({ dir: apacheDir, heapMiB: APACHE_SMALL_HEAP_MIB });
  const smallMemory = await memoryOf(small);
  await small.kill();
  const heap = (memory: Memory): string => `${mib(memory.resident)} (${mib(memory.used)} used)`;
  const memory = (row: string, mine: Memory, theirs: Memory): Line =>
    lineOf(row, heap(mine), heap(theirs), theirs.resident / mine.resident, '1x');
  const start = (row: string, mine: Start, theirs: Start): Line => ({
    ...lineOf(row, amount(mine.ms, 'ms'), amount(theirs.ms, 'ms'), theirs.ms / mine.ms, '1x'),
    cpu: `${mine.cpuMs} / ${theirs.cpuMs} ms`,
  });
  return [
    {
      ...memory('a million znodes: memory after load, -Xmx1000m', ours.afterLoad, apache.afterLoad),
      cpu: `${ours.loadCpuUs.toFixed(1)} / ${apache.loadCpuUs.toFixed(1)}`,
    },
    memory('a million znodes: memory after restart, -Xmx1000m', ours.afterRestart, apache.afterRestart),
    memory(`a million znodes: memory after restart, -Xmx${APACHE_SMALL_HEAP_MIB}m`, ours.afterRestart, smallMemory),
    start('a million znodes: start from the log', ours.fromLog, apache.fromLog),
    start('a million znodes: start from a snapshot', ours.fromSnapshot, apache.fromSnapshot),
    start(`a million znodes: start from both`, ours.fromBoth, apache.fromBoth),
    {
      ...lineOf(
        'a million znodes: snapshot during set 8x100, p99',
        amount(ours.setP99Ms, 'ms'),
        amount(apache.setP99Ms, 'ms'),
        apache.setP99Ms / ours.setP99Ms,
        `held < ${PAUSE_MS_MAX} ms`,
      ),
      met: ours.heldCpuMs < PAUSE_MS_MAX,
      loopMs: `${ours.heldMs.toFixed(0)} (${ours.heldCpuMs.toFixed(0)})`,
    },
  ];
}

async function measure(start: StartAlone, dir: string, profile?: string): Promise<Measured> {
  const started = (config = {}): Promise<ZookeeperAlone> =>
    start({ dir, config, ...(profile === undefined ? {} : { profile }) });
  let server = await started(NO_SNAPSHOTS);
  const cpuBefore = server.cpuMs();
  await load(server);
  const loadCpuUs = ((server.cpuMs() - cpuBefore) * 1000) / NODES;
  const afterLoad = await memoryOf(server);
  const restarted = async (): Promise<Start> => {
    await server.kill();
    server = await started();
    await checkThere(server);
    return { ms: server.readyMs, cpuMs: server.readyCpuMs };
  };
  const fromLog = await restarted();
  await snapshotIn(server, 2);
  const fromSnapshot = await restarted();
  const afterRestart = await memoryOf(server);

  await server.loopDelay();
  const snapshotCount = snapshotsOf(server).length;
  const sets = await generate(setLoad(), [server.port], { seconds: 0, warmupSeconds: 0 });
  await snapshotIn(server, snapshotCount + 1);
  const loop = await server.loopDelay();
  const fromBoth = await restarted();
  await server.kill();
  return {
    ...{ afterLoad, afterRestart, loadCpuUs, fromLog, fromSnapshot, fromBoth },
    heldMs: loop?.longestMs ?? 0,
    heldCpuMs: loop?.longestCpuMs ?? 0,
    setP99Ms: sets.p99Ms,
  };
}

async function load({ name, port }: ZookeeperAlone): Promise<void> {
  await createNode(port, '/million', Buffer.alloc(0));
  for (let index = 0; index < FOLDERS; index += 1) await createNode(port, folder(index), Buffer.alloc(0));
  const frames = Array.from({ length: FOLDERS }, (_, index) => createFrame(`${folder(index)}/node-`, DATA));
  const { errors } = await generate(loadOf(frames, NODES), [port], { seconds: 0, warmupSeconds: 0 });
  if (errors > 0) throw new PeerError(`${name}: ${errors} errors of ${NODES} creates`);
}

function setLoad(): Load {
  const frames = Array.from({ length: FOLDERS }, (_, index) => setFrame(`${folder(index)}/node-0000000000`, DATA));
  return loadOf(frames, SETS);
}

function loadOf(frames: readonly Buffer[], requestsMax: number): Load {
  const hello = connectFrame.toString('hex');
  const hex = frames.map((frame) => frame.toString('hex'));
  return {
    connections: CONNECTIONS,
    inFlight: 100,
    frames: hex,
    hello,
    requestsMax,
    errorAt: REPLY_ERROR_AT,
    errorSize: 4,
  };
}

/** Some of the last nodes of the first and last folders. */
async function checkThere({ name, port }: ZookeeperAlone): Promise<void> {
  for (const index of [0, FOLDERS - 1]) {
    const { children } = await statOf(port, folder(index));
    // Each connection walks through the folders, and some had begun a round more than others.
    if (Math.abs(children - NODES / FOLDERS) > CONNECTIONS)
      throw new PeerError(`${name}: ${children} children after a restart`);
  }
}

async function memoryOf(server: ZookeeperAlone): Promise<Memory> {
  // As it is after some reads: a runtime that has just loaded may not have come to tidy up.
  const frames = Array.from({ length: FOLDERS }, (_, index) => getFrame(`${folder(index)}/node-0000000000`));
  await generate(loadOf(frames, 20_000), [server.port], { seconds: 0, warmupSeconds: 0 });
  const resident = server.residentBytes();
  return { resident, used: await server.usedBytes() };
}

/** Waits until so many have been written, to their ends: Apache's appear before they are complete. The first is of the empty tree. */
async function snapshotIn(server: ZookeeperAlone, count: number): Promise<void> {
  const isThere = (): true | undefined => (snapshotsOf(server).length >= count ? true : undefined);
  await until(`snapshot ${count} in ${server.dataDir}`, isThere, { everyMs: 500 });
}

function snapshotsOf({ dataDir }: ZookeeperAlone): string[] {
  const directory = join(dataDir, 'version-2');
  return readdirSync(directory).filter(
    (name) =>
      /^snapshot\.[0-9a-f]+$/.test(name) && readFileSync(join(directory, name)).subarray(-5).equals(SNAPSHOT_END),
  );
}

const mib = (bytes: number): string => `${Math.round(bytes / MIB)} MiB`;

function lineOf(row: string, ours: string, apache: string, ratio: number, goal: string): Line {
  const empty = { p50p99: '', apacheP50p99: '', cpu: '', loopMs: '', ceiling: '', verified: '' };
  return { ...empty, row, ours, apache, ratio, goal, met: ratio >= 1 };
}
