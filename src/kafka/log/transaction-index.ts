import { type Completion, CorruptionError, type Disk, type File } from '../../runtime/disk.ts';
import { getInt64, openAndSync, setInt64 } from './index-file.ts';

/*
 * An entry, 34 bytes: 0 version i16 = 0 | 2 producer id i64 | 10 first offset i64 | 18 last offset i64 | 26 last stable offset i64
 *
 * One aborted transaction; last offset is that of its abort marker, in whose order entries stand. The last stable offset is the
 * one that held once this transaction was resolved.
 */
const ENTRY_SIZE = 34;
const VERSION = 0;

export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly lastStableOffset: number;
}

/** Of one segment. The file exists only once a transaction was aborted in it. */
export class TransactionIndex {
  readonly #disk: Disk;
  readonly #path: () => string;
  readonly #baseOffset: number;
  #entries: AbortedTransaction[] | undefined;
  #file: File | undefined;

  constructor(disk: Disk, path: () => string, baseOffset: number) {
    this.#disk = disk;
    this.#path = path;
    this.#baseOffset = baseOffset;
  }

  /** @throws CorruptionError */
  get entries(): readonly AbortedTransaction[] {
    this.#entries ??= this.#load();
    return this.#entries;
  }

  /** The log must already hold the marker. @throws DiskError */
  append(aborted: AbortedTransaction): void {
    const known = this.entries.length;
    const entry = new DataView(new ArrayBuffer(ENTRY_SIZE));
    entry.setInt16(0, VERSION);
    setInt64(entry, 2, aborted.producerId);
    setInt64(entry, 10, aborted.firstOffset);
    setInt64(entry, 18, aborted.lastOffset);
    setInt64(entry, 26, aborted.lastStableOffset);
    this.#open().writeAt(known * ENTRY_SIZE, new Uint8Array(entry.buffer));
    this.#entries!.push(aborted);
  }

  /**
   * Adds what a reader of [fetchOffset, upperBound) must know. True once nothing in later segments can matter: an entry whose
   * last stable offset lies at or above the bound ends the search.
   */
  collect(fetchOffset: number, upperBound: number, into: AbortedTransaction[]): boolean {
    for (const entry of this.entries) {
      if (entry.lastOffset >= fetchOffset && entry.firstOffset < upperBound) into.push(entry);
      if (entry.lastStableOffset >= upperBound) return true;
    }
    return false;
  }

  /** Drops transactions whose marker lies at or above an offset. @throws DiskError */
  truncateTo(offset: number): void {
    if (!this.exists) return;
    const kept = this.entries.filter((entry) => entry.lastOffset < offset);
    this.#entries = kept;
    this.#open().truncate(kept.length * ENTRY_SIZE);
  }

  /** Empties the file if there is one, whatever is in it. @throws DiskError */
  reset(): void {
    this.#entries = [];
    if (this.exists) this.#open().truncate(0);
  }

  get exists(): boolean {
    return this.#file !== undefined || this.#disk.stat(this.#path()) !== undefined;
  }

  sync(done: Completion): void {
    if (this.exists) openAndSync(() => this.#open(), done);
    else done();
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  #open(): File {
    this.#file ??= this.#disk.open(this.#path(), { create: true });
    return this.#file;
  }

  #load(): AbortedTransaction[] {
    const path = this.#path();
    if (this.#disk.stat(path) === undefined) return [];
    const bytes = this.#disk.readFile(path);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length % ENTRY_SIZE !== 0) throw new CorruptionError(path, bytes.length, 'a torn entry');
    const entries: AbortedTransaction[] = [];
    for (let at = 0; at < bytes.length; at += ENTRY_SIZE) {
      const version = view.getInt16(at);
      const lastOffset = getInt64(view, at + 18);
      if (version > VERSION) throw new CorruptionError(path, at, `Unexpected aborted transaction version ${version}`);
      if (lastOffset < this.#baseOffset) {
        throw new CorruptionError(
          path,
          at,
          `Last offset of aborted transaction ${lastOffset} is below the base offset`,
        );
      }
      entries.push({
        producerId: getInt64(view, at + 2),
        firstOffset: getInt64(view, at + 10),
        lastOffset,
        lastStableOffset: getInt64(view, at + 26),
      });
    }
    return entries;
  }
}
