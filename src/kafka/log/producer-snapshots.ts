import { type Completion, CorruptionError, type Disk } from '../../runtime/disk.ts';
import type { Log } from '../../runtime/log.ts';
import { SNAPSHOT_SUFFIX, segmentFileName } from './file-names.ts';
import type { ProducerEntry } from './producer-entry.ts';
import { decodeProducerSnapshot } from './producer-snapshot.ts';

/** The `.snapshot` files of a partition; each is named by the offset below which it knows everything. */
export class ProducerSnapshots {
  readonly #disk: Disk;
  readonly #log: Log;
  readonly #directory: () => string;
  /** Ascending. */
  #offsets: number[];

  constructor(disk: Disk, log: Log, directory: () => string, offsets: readonly number[]) {
    this.#disk = disk;
    this.#log = log;
    this.#directory = directory;
    this.#offsets = [...offsets].sort((a, b) => a - b);
  }

  get offsets(): readonly number[] {
    return this.#offsets;
  }

  /** Not synced: a torn snapshot is recognised by its checksum and made again from the log. @throws DiskError */
  write(offset: number, bytes: Uint8Array): void {
    this.#disk.writeFile(this.#path(offset), bytes);
    this.#note(offset);
  }

  /** Synced, for a clean stop. */
  replace(offset: number, bytes: Uint8Array, done: Completion): void {
    this.#note(offset);
    this.#disk.replaceFile(this.#path(offset), bytes, done);
  }

  /** The newest whole snapshot in [from, upTo]; those that are not whole are removed. @throws DiskError */
  newest(from: number, upTo: number): { readonly offset: number; readonly entries: ProducerEntry[] } | undefined {
    for (const offset of [...this.#offsets].reverse()) {
      if (offset < from || offset > upTo) continue;
      const path = this.#path(offset);
      try {
        return { offset, entries: decodeProducerSnapshot(path, this.#disk.readFile(path)) };
      } catch (error) {
        if (!(error instanceof CorruptionError)) throw error;
        this.#log.warn('Removing a producer snapshot that is corrupt', { path, error });
        this.remove(offset);
      }
    }
    return undefined;
  }

  /** @throws DiskError */
  remove(offset: number): void {
    const index = this.#offsets.indexOf(offset);
    if (index < 0) return;
    this.#offsets.splice(index, 1);
    this.#disk.remove(this.#path(offset));
  }

  /** @throws DiskError */
  removeWhere(isGone: (offset: number) => boolean): void {
    for (const offset of this.#offsets.filter(isGone)) this.remove(offset);
  }

  #note(offset: number): void {
    if (this.#offsets.includes(offset)) return;
    this.#offsets.push(offset);
    this.#offsets.sort((a, b) => a - b);
  }

  #path(offset: number): string {
    return `${this.#directory()}/${segmentFileName(offset, SNAPSHOT_SUFFIX)}`;
  }
}
