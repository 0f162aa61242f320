import { constants, gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { CompressionError } from '../../base/compression-error.ts';
import { snappyFrame, snappyUnframe } from '../../base/snappy.ts';
import type { CodecName, Magic } from './batch.ts';
import { LZ4_DEFAULT_LEVEL, lz4Frame, lz4Unframe } from './lz4.ts';

/** Bounds and defaults of `compression.<codec>.level` (KIP-390); Snappy has none. */
export const compressionLevels = {
  gzip: { min: 1, max: 9, default: -1 },
  lz4: { min: 1, max: 17, default: LZ4_DEFAULT_LEVEL },
  zstd: { min: -131_072, max: 22, default: 3 },
} as const;

export interface CompressOptions {
  /** Magic 0 has LZ4 frames with another header checksum (KAFKA-3160). */
  readonly magic: Magic;
  readonly level?: number | undefined;
}

export function compress(codec: CodecName, bytes: Uint8Array, { magic, level }: CompressOptions): Uint8Array {
  switch (codec) {
    case 'none':
      return bytes;
    case 'gzip':
      return gzipSync(bytes, { level: level ?? compressionLevels.gzip.default });
    case 'snappy':
      return snappyFrame(bytes);
    case 'lz4':
      return lz4Frame(bytes, level === undefined ? { magic } : { magic, level });
    case 'zstd':
      return zstdCompressSync(bytes, {
        params: { [constants.ZSTD_c_compressionLevel]: level ?? compressionLevels.zstd.default },
      });
    default:
      return codec satisfies never;
  }
}

export interface DecompressOptions {
  readonly magic: Magic;
  /** Bytes; what grows beyond is refused while it grows. */
  readonly sizeMax: number;
}

/** Throws CompressionError, and nothing else, for bytes that do not decompress. */
export function decompress(codec: CodecName, bytes: Uint8Array, { magic, sizeMax }: DecompressOptions): Uint8Array {
  switch (codec) {
    case 'none':
      return bytes;
    case 'gzip':
      return wrapped(() => gunzipSync(bytes, { maxOutputLength: sizeMax, chunkSize: chunkSizeFor(bytes) }));
    case 'snappy':
      return snappyUnframe(bytes, sizeMax);
    case 'lz4':
      return lz4Unframe(bytes, { magic }, sizeMax);
    case 'zstd':
      return wrapped(() => unzstd(bytes, sizeMax));
    default:
      return codec satisfies never;
  }
}

/** Output arrives in pieces of this size: zlib's default of 16 KiB makes many of a large batch. */
function chunkSizeFor(bytes: Uint8Array): number {
  return Math.min(Math.max(4 * bytes.length, 16_384), 1_048_576);
}

/** Frames may follow each other, as zstd-jni reads them; Node stops behind the first. */
function unzstd(bytes: Uint8Array, sizeMax: number): Uint8Array {
  const parts: Uint8Array[] = [];
  let left = sizeMax;
  for (let at = 0; at < bytes.length || at === 0; ) {
    const { buffer, engine } = zstdDecompressSync(bytes.subarray(at), {
      maxOutputLength: Math.max(left, 1),
      chunkSize: chunkSizeFor(bytes),
      info: true,
    }) as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
    if (engine.bytesWritten === 0) throw new CompressionError('a zstd stream that does not advance');
    at += engine.bytesWritten;
    left -= buffer.length;
    if (left < 0) throw new CompressionError(`a zstd stream of more than ${sizeMax} bytes`);
    parts.push(buffer);
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

function wrapped(work: () => Uint8Array): Uint8Array {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof CompressionError) throw cause;
    throw new CompressionError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
