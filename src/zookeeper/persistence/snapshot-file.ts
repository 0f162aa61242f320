import { gunzipSync, gzipSync } from 'node:zlib';
import { type Completion, CorruptionError, DiskError, type File } from '../../runtime/disk.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Zxid } from '../jute/ids.ts';
import type { DataTreeOptions } from '../tree/data-tree.ts';
import { compressionOf, type NamedFile, snapshotName } from './file-names.ts';
import { type LoadedSnapshot, loadSnapshot, type SnapshotSource } from './snapshot-reader.ts';
import { SnapshotWriter, type SnapshotWriterOptions } from './snapshot-writer.ts';

/** Some tenths of a millisecond of work, between which requests are served; so few bytes are written without a trip to a thread. */
export const NODES_PER_STEP = 256;
export const STEP_BYTES = 48 * 1024;
/** The end of every plain snapshot: the string "/". */
const SNAPSHOT_END = Buffer.from([0, 0, 0, 1, 0x2f]);
const PLAIN_BYTES_MIN = 10;

export interface SnapshotFileOptions extends SnapshotWriterOptions {
  /** `<dataDir>/version-2` */
  readonly directory: string;
  /** `zookeeper.snapshot.compression.method`; snappy can be read nowhere here, so it is not written either. */
  readonly compression?: 'none' | 'gz';
}

/**
 * Writes a snapshot of a living tree, a slice at a time: to a temporary file, which is named when it is complete and synced, so
 * that a crash never leaves half a snapshot, and the logs before it may be purged at once.
 */
export class SnapshotFileWriter {
  readonly zxid: Zxid;
  readonly path: string;
  readonly #runtime: Runtime;
  readonly #options: SnapshotFileOptions;
  readonly #writer: SnapshotWriter;
  readonly #done: (error: DiskError | undefined) => void;
  #file: File | undefined;
  #isCancelled = false;

  /** Stands for the tree as it is now. `done` is called once, later. */
  constructor(runtime: Runtime, options: SnapshotFileOptions, done: (error: DiskError | undefined) => void) {
    this.#runtime = runtime;
    this.#options = options;
    this.#writer = new SnapshotWriter(options);
    this.zxid = this.#writer.zxid;
    this.path = `${options.directory}/${snapshotName(this.zxid, options.compression ?? 'none')}`;
    this.#done = done;
    runtime.clock.soon(() => this.#begin());
  }

  /** Leaves no file. `done` is not called any more. */
  cancel(): void {
    this.#isCancelled = true;
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
      this.#discard();
      return;
    }
    const bytes = this.#writer.step(NODES_PER_STEP, STEP_BYTES);
    // One gzip member for each slice: readers of gzip, Java's too, take them as one stream.
    const written = this.#options.compression === 'gz' ? gzipSync(bytes) : bytes;
    file.append([written], (error) => {
      if (error !== undefined) this.#fail(error);
      else if (this.#writer.isDone) this.#finish(file);
      else this.#runtime.clock.soon(() => this.#step());
    });
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
      disk.syncDirectory(this.#options.directory, (failed) => {
        if (!this.#isCancelled) this.#done(failed);
      });
    });
  }

  #fail(error: unknown): void {
    if (!(error instanceof DiskError)) throw error;
    this.#discard();
    if (!this.#isCancelled) this.#done(error);
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
  const compression = compressionOf(file.name);
  if (compression === 'snappy') return false;
  const size = runtime.disk.stat(file.path)?.size ?? 0;
  if (size < PLAIN_BYTES_MIN) return false;
  const opened = runtime.disk.open(file.path, { readOnly: true });
  try {
    if (compression === 'gz') return Buffer.from(opened.readAt(0, 2)).equals(Buffer.from([0x1f, 0x8b]));
    return Buffer.from(opened.readAt(size - SNAPSHOT_END.length, SNAPSHOT_END.length)).equals(SNAPSHOT_END);
  } finally {
    opened.close();
  }
}

/** @throws CorruptionError */
export function* loadSnapshotFile(
  runtime: Runtime,
  named: NamedFile,
  options: DataTreeOptions,
): Generator<undefined, LoadedSnapshot> {
  if (compressionOf(named.name) === 'gz') {
    return yield* loadSnapshot(inflated(runtime, named.path), named.zxid, options);
  }
  const file = runtime.disk.open(named.path, { readOnly: true });
  try {
    const source: SnapshotSource = {
      path: named.path,
      size: file.size,
      read: (position, length) => file.readAt(position, length),
    };
    return yield* loadSnapshot(source, named.zxid, options);
  } finally {
    file.close();
  }
}

function inflated(runtime: Runtime, path: string): SnapshotSource {
  let bytes: Buffer;
  try {
    bytes = gunzipSync(runtime.disk.readFile(path));
  } catch (error) {
    if (error instanceof DiskError) throw error;
    throw new CorruptionError(path, 0, `not a gzip stream: ${String(error)}`);
  }
  return {
    path,
    size: bytes.length,
    read: (position, length) => bytes.subarray(position, position + length),
  };
}
