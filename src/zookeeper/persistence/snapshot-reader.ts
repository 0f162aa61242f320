import { adler32 } from '../../base/adler32.ts';
import { CorruptionError } from '../../runtime/disk.ts';
import { MalformedError } from '../../wire/errors.ts';
import { Reader } from '../../wire/reader.ts';
import { ACL } from '../jute/data.ts';
import type { SessionId, Zxid } from '../jute/ids.ts';
import { DataTree, type DataTreeOptions } from '../tree/data-tree.ts';
import { DIGEST_VERSION } from '../tree/digest.ts';
import { Slice } from './slice.ts';
import { END_PATH, SNAPSHOT_MAGIC, ZXID_SECTION_BYTES } from './snapshot-format.ts';

/** Where the bytes come from: up to `length` of them at a position, fewer at the end. */
export interface SnapshotSource {
  /** For errors. */
  readonly path: string;
  readonly size: number;
  read(position: number, length: number): Uint8Array;
}

export interface LoadedSnapshot {
  readonly tree: DataTree;
  /** Timeouts in milliseconds. */
  readonly sessions: Map<SessionId, number>;
  /** Of the section that 3.9+ writes; the file's name says what replay starts from. */
  readonly lastProcessedZxid: Zxid | undefined;
}

const CHUNK_BYTES = 1 << 20;
/** More than a node without its path and data, or an ACL list entry without its texts. */
const SMALL_BYTES = 256;
/** Paths and data are bounded by jute.maxbuffer twice. */
const FIELD_BYTES_MAX = 2 * 0xfffff;
/** Nodes between two turns of a load that is done in slices. */
const NODES_PER_SLICE = 1000;

/**
 * Loads a snapshot file, in slices: iterate it to its end.
 * @param zxid of the file's name
 * @throws CorruptionError
 */
export function* loadSnapshot(
  source: SnapshotSource,
  zxid: Zxid,
  options: DataTreeOptions,
): Generator<undefined, LoadedSnapshot> {
  const input = new SnapshotInput(source);
  try {
    readHeader(input);
    const { tree, sessions } = yield* readBody(input, zxid, options);
    input.checkSeal();
    const lastProcessedZxid = readSections(input, tree, zxid);
    return { tree, sessions, lastProcessedZxid };
  } catch (error) {
    throw asCorruption(error, input);
  }
}

/**
 * Loads what a snapshot file holds and looks at no seal: for tools that show a file as it is.
 * @throws CorruptionError where the nodes cannot be read
 */
export function* loadUnsealedSnapshot(
  source: SnapshotSource,
  zxid: Zxid,
  options: DataTreeOptions,
): Generator<undefined, LoadedSnapshot> {
  const input = new SnapshotInput(source);
  try {
    readHeader(input);
    return yield* readBody(input, zxid, options);
  } catch (error) {
    throw asCorruption(error, input);
  }
}

/**
 * Loads what a leader sends for a SNAP sync: no header, no seals.
 * @returns the tree and sessions, and how many bytes they took
 */
export function* loadSnapshotStream(
  source: SnapshotSource,
  zxid: Zxid,
  options: DataTreeOptions,
): Generator<undefined, LoadedSnapshot & { readonly size: number }> {
  const input = new SnapshotInput(source);
  const loaded = yield* readBody(input, zxid, options);
  return { ...loaded, size: input.position };
}

function readHeader(input: SnapshotInput): void {
  input.ensure(16);
  if (input.reader.int32() !== SNAPSHOT_MAGIC) throw new MalformedError('no snapshot header (ZKSN)');
  input.reader.skip(12);
}

function* readBody(input: SnapshotInput, zxid: Zxid, options: DataTreeOptions): Generator<undefined, LoadedSnapshot> {
  const sessions = readSessions(input);
  const tree = DataTree.bare(options);
  readAcls(input, tree);
  yield* readNodes(input, tree);
  tree.lastProcessedZxid = zxid;
  return { tree, sessions, lastProcessedZxid: undefined };
}

function asCorruption(error: unknown, input: SnapshotInput): unknown {
  return error instanceof MalformedError ? new CorruptionError(input.path, input.position, error.message) : error;
}

function readSessions(input: SnapshotInput): Map<SessionId, number> {
  const sessions = new Map<SessionId, number>();
  for (let count = input.count(); count > 0; count -= 1) {
    input.ensure(12);
    sessions.set(input.reader.bigint64() as SessionId, input.reader.int32());
  }
  return sessions;
}

function readAcls(input: SnapshotInput, tree: DataTree): void {
  for (let count = input.count(); count > 0; count -= 1) {
    input.ensure(12);
    const id = input.reader.bigint64();
    const acl: ACL[] = [];
    for (let entries = input.count(); entries > 0; entries -= 1) {
      input.ensureRecord(SMALL_BYTES);
      acl.push(ACL.read(input.reader));
    }
    tree.restoreAcl(id, acl);
  }
}

function* readNodes(input: SnapshotInput, tree: DataTree): Generator<undefined> {
  const slice = new Slice(NODES_PER_SLICE);
  for (;;) {
    const path = input.ustring();
    if (path === END_PATH) break;
    const data = input.buffer();
    input.ensure(SMALL_BYTES);
    tree.restoreNode(path, data, input.reader);
    if (slice.isFull(input.position)) yield;
  }
  tree.finishRestore();
}

/** What follows the first seal: nothing (before 3.6), the digest, the last zxid, or both. */
function readSections(input: SnapshotInput, tree: DataTree, zxid: Zxid): Zxid | undefined {
  let rest = input.rest;
  if (rest > ZXID_SECTION_BYTES) {
    input.ensure(SMALL_BYTES);
    const digestZxid = input.reader.bigint64() as Zxid;
    const version = input.reader.int32();
    // Versions below 2 are hexadecimal text, of another algorithm.
    const digest = version < 2 ? undefined : input.reader.bigint64();
    if (digest === undefined) input.ustring();
    input.checkSeal();
    if (digest !== undefined && version === DIGEST_VERSION && tree.digestEnabled) {
      tree.digestLog.loaded({ zxid: digestZxid, digest }, zxid, tree.digestSum);
    }
    rest = input.rest;
  }
  if (rest === 0) return undefined;
  input.ensure(8);
  const lastProcessedZxid = input.reader.bigint64() as Zxid;
  input.checkSeal();
  return lastProcessedZxid;
}

/** A window that moves over the source, and the checksum of what lies behind it. */
class SnapshotInput {
  readonly #source: SnapshotSource;
  #window: Uint8Array = new Uint8Array(0);
  #windowStart = 0;
  #summedEnd = 0;
  #checksum = 1;
  reader = new Reader(this.#window);

  constructor(source: SnapshotSource) {
    this.#source = source;
  }

  get path(): string {
    return this.#source.path;
  }

  get position(): number {
    return this.#windowStart + this.reader.position;
  }

  get rest(): number {
    return this.#source.size - this.position;
  }

  /** Makes so many bytes readable, or all there are. */
  ensure(size: number): void {
    if (this.reader.remaining >= size || this.rest === this.reader.remaining) return;
    const { position } = this;
    this.#sum(position);
    const window = this.#source.read(position, Math.max(size, CHUNK_BYTES));
    this.#window = window;
    this.#windowStart = position;
    this.reader = new Reader(window);
  }

  /** For a record of two short texts. */
  ensureRecord(size: number): void {
    this.ensure(size + 2 * 65_536);
  }

  count(): number {
    this.ensure(4);
    const count = this.reader.int32();
    if (count < 0 || count > this.rest) throw new MalformedError(`${count} elements in ${this.rest} bytes`);
    return count;
  }

  ustring(): string {
    const size = this.#fieldSize();
    if (size < 0) throw new MalformedError('a null string');
    return this.reader.utf8(size);
  }

  buffer(): Uint8Array | null {
    const size = this.#fieldSize();
    if (size < 0) return null;
    const bytes = this.reader.bytes(size);
    return bytes;
  }

  checkSeal(): void {
    const { position } = this;
    this.#sum(position);
    const expected = this.#checksum;
    this.ensure(SMALL_BYTES);
    const found = this.reader.bigint64();
    if (found !== BigInt(expected))
      throw new MalformedError(`CRC corruption: ${found} is written, ${expected} is right`);
    if (this.ustring() !== END_PATH) throw new MalformedError('a seal does not end in "/"');
  }

  #fieldSize(): number {
    this.ensure(4);
    const size = this.reader.int32();
    if (size < -1 || size > FIELD_BYTES_MAX) throw new MalformedError(`Unreasonable length = ${size}`);
    this.ensure(size);
    return size;
  }

  /** Takes the bytes up to a position inside the window into the checksum. */
  #sum(end: number): void {
    if (end === this.#summedEnd) return;
    this.#checksum = adler32(
      this.#window.subarray(this.#summedEnd - this.#windowStart, end - this.#windowStart),
      this.#checksum,
    );
    this.#summedEnd = end;
  }
}
