import { gunzipSync } from 'node:zlib';
import { CompressionError } from '../../base/compression-error.ts';
import { findSnappyChunks, type SnappyChunk, uncompressSnappy } from '../../base/snappy.ts';
import { CorruptionError, type Disk, DiskError, type File } from '../../runtime/disk.ts';
import { compressionOf } from './file-names.ts';
import type { SnapshotSource } from './snapshot-reader.ts';

/** A snapshot file whose bytes can be read, uncompressed, until it is closed. */
export interface OpenSnapshot {
  readonly source: SnapshotSource;
  close(): void;
}

/**
 * The suffix of the name decides how a file is read. Plain and Snappy files are read a piece at a time, gzip is inflated whole.
 * @throws CorruptionError, DiskError
 */
export function openSnapshot(disk: Disk, path: string): OpenSnapshot {
  const compression = compressionOf(path);
  if (compression === 'gz') return { source: inflated(disk, path), close: () => undefined };
  const file = disk.open(path, { readOnly: true });
  const close = (): void => file.close();
  if (compression === 'none') {
    return { source: { path, size: file.size, read: (position, length) => file.readAt(position, length) }, close };
  }
  try {
    return { source: new SnappySource(file), close };
  } catch (error) {
    close();
    throw error;
  }
}

function inflated(disk: Disk, path: string): SnapshotSource {
  let bytes: Buffer;
  try {
    bytes = gunzipSync(disk.readFile(path));
  } catch (error) {
    if (error instanceof DiskError) throw error;
    throw new CorruptionError(path, 0, `not a gzip stream: ${String(error)}`);
  }
  return { path, size: bytes.length, read: (position, length) => bytes.subarray(position, position + length) };
}

/** Bytes of a file that are fetched at once while the heads of its chunks are looked for. */
const SCAN_BYTES = 256 * 1024;

class SnappySource implements SnapshotSource {
  readonly path: string;
  readonly size: number;
  readonly #file: File;
  readonly #chunks: readonly SnappyChunk[];
  /** Of the chunk before the one that is wanted: reading goes forward. */
  #index = 0;

  constructor(file: File) {
    this.path = file.path;
    this.#file = file;
    this.#chunks = this.#orCorrupt(0, () => findSnappyChunks(windowOver(file), file.size));
    const last = this.#chunks.at(-1);
    this.size = last === undefined ? 0 : last.outputStart + last.outputSize;
  }

  read(position: number, length: number): Uint8Array {
    const end = Math.min(position + length, this.size);
    const parts: Uint8Array[] = [];
    for (let at = position; at < end; ) {
      const chunk = this.#chunkAt(at);
      const bytes = this.#uncompress(chunk);
      const from = at - chunk.outputStart;
      const part = bytes.subarray(from, Math.min(bytes.length, from + end - at));
      parts.push(part);
      at += part.length;
    }
    return Buffer.concat(parts);
  }

  #chunkAt(position: number): SnappyChunk {
    const chunks = this.#chunks;
    if ((chunks[this.#index] as SnappyChunk).outputStart > position) this.#index = 0;
    for (let chunk = chunks[this.#index] as SnappyChunk; ; chunk = chunks[this.#index] as SnappyChunk) {
      if (position < chunk.outputStart + chunk.outputSize) return chunk;
      this.#index += 1;
    }
  }

  #uncompress({ position, size, outputSize }: SnappyChunk): Uint8Array {
    return this.#orCorrupt(position, () => uncompressSnappy(this.#file.readAt(position, size), outputSize));
  }

  #orCorrupt<T>(position: number, work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof CompressionError)) throw error;
      throw new CorruptionError(this.path, position, error.message);
    }
  }
}

/** Small reads that go forward, served from large ones. */
function windowOver(file: File): (position: number, length: number) => Uint8Array {
  let start = 0;
  let window: Uint8Array = new Uint8Array(0);
  return (position, length) => {
    if (position < start || position + length > start + window.length) {
      window = file.readAt(position, Math.max(SCAN_BYTES, length));
      start = position;
    }
    return window.subarray(position - start, position - start + length);
  };
}
