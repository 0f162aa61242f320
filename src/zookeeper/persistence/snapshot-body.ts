import { MalformedError } from '../../wire/errors.ts';
import type { Reader } from '../../wire/reader.ts';
import type { ACL } from '../jute/data.ts';
import type { SessionId, Zxid } from '../jute/ids.ts';
import { DataTree, type DataTreeOptions } from '../tree/data-tree.ts';
import { Slice } from './slice.ts';
import { END_PATH, PERSISTED_STAT_BYTES } from './snapshot-format.ts';

export interface LoadedSnapshot {
  readonly tree: DataTree;
  /** Timeouts in milliseconds. */
  readonly sessions: Map<SessionId, number>;
  /** Of the section that 3.9+ writes; the file's name says what replay starts from. */
  readonly lastProcessedZxid: Zxid | undefined;
  /** The newest transaction that it may show, as far as the file tells. */
  readonly writtenUntil: Zxid;
}

/** A snapshot on its way in: a file, where all bytes are at hand, or a stream, which has to wait for them. */
export interface SnapshotInput {
  /** Over the bytes at hand; another one after `has`. */
  readonly reader: Reader;
  readonly position: number;
  /** Bytes that can still follow, at most. */
  readonly rest: number;
  /** False: more bytes have to come first. True also at the end of all, where reading then fails. */
  has(size: number): boolean;
}

/** Paths and data are bounded by jute.maxbuffer twice. */
const FIELD_BYTES_MAX = 2 * 0xfffff;
/** Nodes between two turns of a load that is done in slices. */
const NODES_PER_SLICE = 1000;

/**
 * Sessions, ACL lists and nodes: what files and streams have in common. Yields when a slice is done, and when bytes are short: then
 * there must be more before it is resumed.
 * @throws MalformedError
 */
export function* readBody(
  input: SnapshotInput,
  zxid: Zxid,
  options: DataTreeOptions,
): Generator<undefined, LoadedSnapshot> {
  const sessions = yield* readSessions(input);
  const tree = DataTree.bare(options);
  yield* readAcls(input, tree);
  yield* readNodes(input, tree);
  tree.lastProcessedZxid = zxid;
  return { tree, sessions, lastProcessedZxid: undefined, writtenUntil: zxid };
}

function* readSessions(input: SnapshotInput): Generator<undefined, Map<SessionId, number>> {
  const sessions = new Map<SessionId, number>();
  const slice = new Slice(NODES_PER_SLICE);
  for (let count = yield* readCount(input); count > 0; count -= 1) {
    while (!input.has(12)) yield;
    sessions.set(input.reader.bigint64() as SessionId, input.reader.int32());
    if (slice.isFull(input.position)) yield;
  }
  return sessions;
}

function* readAcls(input: SnapshotInput, tree: DataTree): Generator<undefined> {
  const slice = new Slice(NODES_PER_SLICE);
  const field = new SizedField(input);
  for (let count = yield* readCount(input); count > 0; count -= 1) {
    while (!input.has(8)) yield;
    const id = input.reader.bigint64();
    const acl: ACL[] = [];
    for (let entries = yield* readCount(input); entries > 0; entries -= 1) {
      while (!input.has(4)) yield;
      const perms = input.reader.int32();
      while (!field.isThere()) yield;
      const scheme = field.ustring();
      while (!field.isThere()) yield;
      acl.push({ perms, id: { scheme, id: field.ustring() } });
    }
    tree.restoreAcl(id, acl);
    if (slice.isFull(input.position)) yield;
  }
}

function* readNodes(input: SnapshotInput, tree: DataTree): Generator<undefined> {
  const slice = new Slice(NODES_PER_SLICE);
  const field = new SizedField(input);
  for (;;) {
    while (!field.isThere()) yield;
    const path = field.ustring();
    if (path === END_PATH) break;
    while (!field.isThere()) yield;
    const data = field.buffer();
    while (!input.has(PERSISTED_STAT_BYTES)) yield;
    tree.restoreNode(path, data, input.reader);
    if (slice.isFull(input.position)) yield;
  }
  tree.finishRestore();
}

function* readCount(input: SnapshotInput): Generator<undefined, number> {
  while (!input.has(4)) yield;
  const count = input.reader.int32();
  if (count < 0 || count > input.rest) throw new MalformedError(`${count} elements in ${input.rest} bytes`);
  return count;
}

/** Strings and buffers, one after the other: their size, then as many bytes. */
export class SizedField {
  readonly #input: SnapshotInput;
  /** Of the field that is waited for. */
  #size: number | undefined;

  constructor(input: SnapshotInput) {
    this.#input = input;
  }

  /** Whether the whole of the next one can be read. @throws MalformedError */
  isThere(): boolean {
    if (this.#size === undefined) {
      if (!this.#input.has(4)) return false;
      const size = this.#input.reader.int32();
      if (size < -1 || size > FIELD_BYTES_MAX) throw new MalformedError(`Unreasonable length = ${size}`);
      this.#size = size;
    }
    return this.#input.has(this.#size);
  }

  /** Once it is there. */
  ustring(): string {
    const size = this.#take();
    if (size < 0) throw new MalformedError('a null string');
    return this.#input.reader.utf8(size);
  }

  /** Once it is there; a view. */
  buffer(): Uint8Array | null {
    const size = this.#take();
    return size < 0 ? null : this.#input.reader.bytes(size);
  }

  #take(): number {
    const size = this.#size as number;
    this.#size = undefined;
    return size;
  }
}
