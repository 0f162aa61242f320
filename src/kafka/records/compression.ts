import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { snappyFrame, snappyPieces, snappyUnframe } from '../../base/snappy.ts';
import type { CodecName, Magic } from './batch.ts';
import { LZ4_DEFAULT_LEVEL, lz4Frame, lz4Pieces, lz4Unframe } from './lz4.ts';
import { zlibPieces } from './zlib-pieces.ts';

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
export function decompress(codec: CodecName, bytes: Uint8Array, options: DecompressOptions): Uint8Array {
  if (codec === 'none') return bytes;
  if (codec === 'snappy') return snappyUnframe(bytes, options.sizeMax);
  if (codec === 'lz4') return lz4Unframe(bytes, options, options.sizeMax);
  const parts: Uint8Array[] = [];
  zlibPieces(codec, bytes, options.sizeMax, (piece) => parts.push(Buffer.from(piece)));
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

/**
 * As `decompress`, but what comes out is never in memory as a whole: 64 KiB of gzip and zstd, a block of Snappy and LZ4 at a
 * time. Only Snappy's blocks have no bound of their own; they grow to 22 times what was sent. A piece is valid until `take`
 * returns.
 * @throws CompressionError, OversizeError beyond `sizeMax`
 */
export function decompressPieces(
  codec: CodecName,
  bytes: Uint8Array,
  options: DecompressOptions,
  take: (piece: Uint8Array) => void,
): void {
  switch (codec) {
    case 'none':
      return take(bytes);
    case 'snappy':
      return snappyPieces(bytes, options.sizeMax, take);
    case 'lz4':
      return lz4Pieces(bytes, options, options.sizeMax, take);
    default:
      return zlibPieces(codec, bytes, options.sizeMax, take);
  }
}
