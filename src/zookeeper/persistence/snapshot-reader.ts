import { adler32 } from '../../base/adler32.ts';
import { CorruptionError } from '../../runtime/disk.ts';
import { MalformedError } from '../../wire/errors.ts';
import { Reader } from '../../wire/reader.ts';
import type { Zxid } from '../jute/ids.ts';
import type { DataTree, DataTreeOptions } from '../tree/data-tree.ts';
import { DIGEST_VERSION } from '../tree/digest.ts';
import { type LoadedSnapshot, readBody, SizedField, type SnapshotInput } from './snapshot-body.ts';
import { END_PATH, SEAL_BYTES, SNAPSHOT_MAGIC, ZXID_SECTION_BYTES } from './snapshot-format.ts';

/** Where the bytes come from: up to `length` of them at a position, fewer at the end. */
export interface SnapshotSource {
  /** For errors. */
  readonly path: string;
  readonly size: number;
  read(position: number, length: number): Uint8Array;
}

const CHUNK_BYTES = 1 << 20;
/** Of the header, with version and database id. */
const HEADER_BYTES = 16;
/** Zxid, version and digest. */
const DIGEST_SECTION_BYTES = 20;

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
  const input = new SnapshotFileInput(source);
  try {
    readHeader(input);
    const { tree, sessions } = yield* readBody(input, zxid, options);
    input.checkSeal();
    return { tree, sessions, ...readSections(input, tree, zxid) };
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
  const input = new SnapshotFileInput(source);
  try {
    readHeader(input);
    return yield* readBody(input, zxid, options);
  } catch (error) {
    throw asCorruption(error, input);
  }
}

function readHeader(input: SnapshotFileInput): void {
  input.has(HEADER_BYTES);
  if (input.reader.int32() !== SNAPSHOT_MAGIC) throw new MalformedError('no snapshot header (ZKSN)');
  input.reader.skip(HEADER_BYTES - 4);
}

function asCorruption(error: unknown, input: SnapshotFileInput): unknown {
  return error instanceof MalformedError ? new CorruptionError(input.path, input.position, error.message) : error;
}

/** What follows the first seal: nothing (before 3.6), the digest, the last zxid, or both. */
function readSections(
  input: SnapshotFileInput,
  tree: DataTree,
  zxid: Zxid,
): Pick<LoadedSnapshot, 'lastProcessedZxid' | 'writtenUntil'> {
  let rest = input.rest;
  let writtenUntil = zxid;
  if (rest > ZXID_SECTION_BYTES) {
    input.has(DIGEST_SECTION_BYTES);
    const digestZxid = input.reader.bigint64() as Zxid;
    if (digestZxid > zxid) writtenUntil = digestZxid;
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
  if (rest === 0) return { lastProcessedZxid: undefined, writtenUntil };
  input.has(8);
  const lastProcessedZxid = input.reader.bigint64() as Zxid;
  input.checkSeal();
  return { lastProcessedZxid, writtenUntil: lastProcessedZxid > zxid ? lastProcessedZxid : zxid };
}

/** A window that moves over the source, and the checksum of what lies behind it. */
class SnapshotFileInput implements SnapshotInput {
  readonly #field = new SizedField(this);
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

  has(size: number): boolean {
    if (this.reader.remaining >= size || this.rest === this.reader.remaining) return true;
    const { position } = this;
    this.#sum(position);
    const window = this.#source.read(position, Math.max(size, CHUNK_BYTES));
    this.#window = window;
    this.#windowStart = position;
    this.reader = new Reader(window);
    return true;
  }

  ustring(): string {
    this.#field.isThere();
    return this.#field.ustring();
  }

  checkSeal(): void {
    const { position } = this;
    this.#sum(position);
    const expected = this.#checksum;
    this.has(SEAL_BYTES);
    const found = this.reader.bigint64();
    if (found !== BigInt(expected))
      throw new MalformedError(`CRC corruption: ${found} is written, ${expected} is right`);
    if (this.ustring() !== END_PATH) throw new MalformedError('a seal does not end in "/"');
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
