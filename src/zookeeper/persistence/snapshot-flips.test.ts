/** Every bit of small compressed snapshots is flipped: it is found, or the snapshot is the same to the byte. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { snappyChunks, snappyHeader } from '../../base/snappy.ts';
import { CorruptionError } from '../../runtime/disk.ts';
import { Simulation } from '../../runtime/sim/simulation.ts';
import type { SessionId, Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import { DataTree } from '../tree/data-tree.ts';
import { describeTree } from '../tree/random-txns.fixture.ts';
import { type Compression, type NamedFile, snapshotName } from './file-names.ts';
import { finished } from './recovery.ts';
import { loadSnapshotFile, looksValid } from './snapshot-file.ts';
import { openSnapshot } from './snapshot-source.ts';
import { SnapshotWriter } from './snapshot-writer.ts';

const options = { extendedTypes: true };
const { disk } = new Simulation({ seed: 1 }).machine('zk').runtime;
const runtime = { disk } as Parameters<typeof loadSnapshotFile>[0];
const LAST = 7n as Zxid;

/** In slices of few nodes, as a large snapshot of a living server is. */
function slices(): Uint8Array[] {
  const tree = DataTree.create(options);
  for (let zxid = 1n as Zxid; zxid <= LAST; zxid = (zxid + 1n) as Zxid) {
    const header = { clientId: 5n, cxid: 1, zxid, time: 1_700_000_000_000, type: OpCode.create };
    const data = Buffer.from(`the data of ${zxid}`);
    const txn = { type: OpCode.create, path: `/node-${zxid}`, data, acl: null, ephemeral: false, parentCVersion: 1 };
    tree.apply(header, txn);
  }
  const writer = new SnapshotWriter({ tree, sessions: new Map([[5n as SessionId, 30_000]]) });
  const written: Uint8Array[] = [];
  while (!writer.isDone) written.push(writer.step(5));
  assert.ok(written.length > 1);
  return written;
}

interface Read {
  readonly bytes: Buffer;
  /** What a server would start with. */
  readonly state: unknown;
}

/** Undefined for what is found. */
function read(file: NamedFile): Read | undefined {
  if (!looksValid(runtime, file)) return undefined;
  try {
    const { tree, ...rest } = finished(loadSnapshotFile(runtime, file, options));
    const { source, close } = openSnapshot(disk, file.path);
    const bytes = Buffer.from(source.read(0, source.size));
    close();
    return { bytes, state: { ...rest, tree: describeTree(tree), digest: tree.treeDigest } };
  } catch (error) {
    if (error instanceof CorruptionError) return undefined;
    throw error;
  }
}

/** The places, as `byte.bit`, whose flips nobody finds; asserts that what is read stays the same. */
function notFound(compression: Compression, bytes: Uint8Array): Set<string> {
  const name = snapshotName(LAST, compression);
  const file = { name, path: `/${name}`, zxid: LAST };
  disk.writeFile(file.path, bytes);
  const whole = read(file);
  assert.ok(whole !== undefined);
  const places = new Set<string>();
  for (let at = 0; at < bytes.length * 8; at += 1) {
    const flipped = Buffer.from(bytes);
    flipped.writeUInt8(flipped.readUInt8(at >> 3) ^ (1 << (at & 7)), at >> 3);
    disk.writeFile(file.path, flipped);
    const found = read(file);
    if (found === undefined) continue;
    const place = `${at >> 3}.${at & 7}`;
    assert.deepEqual(found, whole, place);
    places.add(place);
  }
  return places;
}

function* bitsOf(start: number, end: number): Generator<string> {
  for (let at = start * 8; at < end * 8; at += 1) yield `${at >> 3}.${at & 7}`;
}

const GZIP_HEADER_BYTES = 10;

test('in gzip only the hints of the heads, and other ways to say the same, may be flipped', () => {
  const members = slices().map((slice) => gzipSync(slice));
  const left = notFound('gz', Buffer.concat(members));
  let start = 0;
  for (const { length } of members) {
    // FTEXT, time, level and system: neither Node's reader nor Java's looks at them.
    const hints = new Set([`${start + 3}.0`, ...bitsOf(start + 4, start + GZIP_HEADER_BYTES)]);
    for (const place of bitsOf(start, start + GZIP_HEADER_BYTES))
      assert.equal(left.has(place), hints.has(place), place);
    // The sum and the length at its end.
    for (const place of bitsOf(start + length - 8, start + length)) assert.ok(!left.has(place), place);
    start += length;
  }
});

test('in snappy only the versions in the head, and other ways to say the same, may be flipped', () => {
  const chunks = slices().map((slice) => snappyChunks(slice));
  const left = notFound('snappy', Buffer.concat([snappyHeader, ...chunks]));
  // Both versions: snappy-java does not look at them either, whatever they are.
  const hints = new Set(bitsOf(8, 16));
  for (const place of bitsOf(0, snappyHeader.length)) assert.equal(left.has(place), hints.has(place), place);
  let start = snappyHeader.length;
  for (const { length } of chunks) {
    for (const place of bitsOf(start, start + 5)) assert.ok(!left.has(place), place);
    start += length;
  }
});
