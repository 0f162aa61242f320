import { gzipSync } from 'node:zlib';
import { snappyChunks, snappyHeader, snappyMagic } from '../../base/snappy.ts';
import { type Completion, DiskError, type File } from '../../runtime/disk.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Zxid } from '../jute/ids.ts';
import type { DataTreeOptions } from '../tree/data-tree.ts';
import { type Compression, compressionOf, type NamedFile, snapshotName } from './file-names.ts';
import type { LoadedSnapshot } from './snapshot-body.ts';
import { loadSnapshot } from './snapshot-reader.ts';
import { openSnapshot } from './snapshot-source.ts';
import { SnapshotWriter, type SnapshotWriterOptions } from './snapshot-writer.ts';

/** Some tenths of a millisecond of work, between which requests are served; so few bytes are written without a trip to a thread. */
export const NODES_PER_STEP = 256;
export const STEP_BYTES = 48 * 1024;
/**
 * Put on stable storage at once: where the whole file waits for its end, the log's syncs stand behind tens of megabytes, and with
 * them every client that writes.
 */
const SYNCED_TOGETHER_BYTES = 1_048_576;
/** The end of every plain snapshot: the string "/". */
const SNAPSHOT_END = Buffer.from([0, 0, 0, 1, 0x2f]);
const PLAIN_BYTES_MIN = 10;

export interface SnapshotFileOptions extends SnapshotWriterOptions {
  /** `<dataDir>/version-2` */
  readonly directory: string;
  /** `zookeeper.snapshot.compression.method`, default none. */
  readonly compression?: Compression;
  /** What the file is called in the end. Default: as snapshots are. */
  readonly nameOf?: (snapshotName: string) => string;
}

/**
 * Writes a snapshot of a living tree, a slice at a time: to a temporary file, which is named when it is complete and synced, so
 * that a crash never leaves half a snapshot, and the logs before it may be purged at once.
 */
export class SnapshotFileWriter {
  readonly zxid: Zxid;
  /** As a snapshot. */
  readonly name: string;
  readonly path: string;
  readonly #runtime: Runtime;
  readonly #options: SnapshotFileOptions;
  readonly #writer: SnapshotWriter;
  readonly #done: (error: DiskError | undefined) => void;
  #file: File | undefined;
  #isFirst = true;
  #unsyncedBytes = 0;
  #isCancelled = false;
  #ended: (() => void) | undefined;

  /** Stands for the tree as it is now. `done` is called once, later. */
  constructor(runtime: Runtime, options: SnapshotFileOptions, done: (error: DiskError | undefined) => void) {
    this.#runtime = runtime;
    this.#options = options;
    this.#writer = new SnapshotWriter(options);
    this.zxid = this.#writer.zxid;
    this.name = snapshotName(this.zxid, options.compression ?? 'none');
    this.path = `${options.directory}/${options.nameOf?.(this.name) ?? this.name}`;
    this.#done = done;
    runtime.clock.soon(() => this.#begin());
  }

  /**
   * Before `done` was called, which then is not called any more. Leaves no file, or a complete one; `ended` is called once nothing
   * more will happen.
   */
  cancel(ended?: () => void): void {
    this.#isCancelled = true;
    this.#ended = ended;
  }

  get #temporaryPath(): string {
    return `${this.path}.tmp`;
  }

  #begin(): void {
    try {
      this.#file = this.#runtime.disk.open(this.#temporaryPath, { create: true });
      this.#file.truncate(0);
      this.#file.seek(0);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#step();
  }

  #step(): void {
    const file = this.#file as File;
    if (this.#isCancelled) {
      this.#fail();
      return;
    }
    const packed = this.#packed(this.#writer.step(NODES_PER_STEP, STEP_BYTES));
    for (const { length } of packed) this.#unsyncedBytes += length;
    file.append(packed, (error) => {
      if (error !== undefined) this.#fail(error);
      else if (this.#writer.isDone) this.#finish(file);
      else if (this.#unsyncedBytes >= SYNCED_TOGETHER_BYTES) this.#syncSoFar(file);
      else this.#stepSoon();
    });
  }

  #stepSoon(): void {
    this.#runtime.clock.soon(() => this.#step());
  }

  #syncSoFar(file: File): void {
    this.#unsyncedBytes = 0;
    file.sync((error) => {
      if (error !== undefined) this.#fail(error);
      else this.#stepSoon();
    });
  }

  #packed(bytes: Uint8Array): Uint8Array[] {
    const { compression = 'none' } = this.#options;
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    switch (compression) {
      case 'none':
        return [bytes];
      case 'gz':
        // One gzip member for each slice: readers of gzip, Java's too, take them as one stream.
        return [gzipSync(bytes)];
      case 'snappy':
        return isFirst ? [snappyHeader, snappyChunks(bytes)] : [snappyChunks(bytes)];
      default:
        return compression satisfies never;
    }
  }

  #finish(file: File): void {
    const { disk } = this.#runtime;
    file.sync((error) => {
      if (error !== undefined) {
        this.#fail(error);
        return;
      }
      this.#file = undefined;
      file.close();
      try {
        disk.rename(this.#temporaryPath, this.path);
      } catch (failed) {
        this.#fail(failed);
        return;
      }
      disk.syncDirectory(this.#options.directory, (failed) => this.#end(failed));
    });
  }

  /** @param error undefined when it is cancelled */
  #fail(error?: unknown): void {
    if (error !== undefined && !(error instanceof DiskError)) throw error;
    this.#discard();
    this.#end(error);
  }

  #end(error: DiskError | undefined): void {
    if (this.#isCancelled) this.#ended?.();
    else this.#done(error);
  }

  #discard(): void {
    this.#writer.close();
    this.#file?.close();
    this.#file = undefined;
    try {
      this.#runtime.disk.remove(this.#temporaryPath);
    } catch (error) {
      // The next start removes it.
      if (!(error instanceof DiskError)) throw error;
    }
  }
}

/** As `new SnapshotFileWriter`, for who need not cancel. */
export function writeSnapshotFile(
  runtime: Runtime,
  options: SnapshotFileOptions,
  done: Completion,
): SnapshotFileWriter {
  return new SnapshotFileWriter(runtime, options, done);
}

/** The quick test before a file is loaded: a crash while Apache wrote it leaves one that fails it. */
export function looksValid(runtime: Runtime, file: NamedFile): boolean {
  const size = runtime.disk.stat(file.path)?.size ?? 0;
  if (size < PLAIN_BYTES_MIN) return false;
  const opened = runtime.disk.open(file.path, { readOnly: true });
  try {
    const { position, bytes } = signatures[compressionOf(file.name)];
    return Buffer.from(opened.readAt(position < 0 ? size + position : position, bytes.length)).equals(bytes);
  } finally {
    opened.close();
  }
}

/** Where a whole file shows what it is; a negative position counts from the end. */
const signatures: { readonly [method in Compression]: { readonly position: number; readonly bytes: Uint8Array } } = {
  none: { position: -SNAPSHOT_END.length, bytes: SNAPSHOT_END },
  gz: { position: 0, bytes: Buffer.from([0x1f, 0x8b]) },
  snappy: { position: 0, bytes: snappyMagic },
};

/** @throws CorruptionError */
export function* loadSnapshotFile(
  runtime: Runtime,
  named: NamedFile,
  options: DataTreeOptions,
): Generator<undefined, LoadedSnapshot> {
  const { source, close } = openSnapshot(runtime.disk, named.path);
  try {
    return yield* loadSnapshot(source, named.zxid, options);
  } finally {
    close();
  }
}
