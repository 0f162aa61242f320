import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import type { Slices } from '../../base/slices.ts';
import { SNAPPY_CHUNK_BYTES, snappyChunk, snappyFrame, snappyHeader, snappyPieces } from '../../base/snappy.ts';
import { runToEnd, type Steps } from '../../base/steps.ts';
import type { CodecName, Magic } from './batch.ts';
import { blocksOf } from './bytes.ts';
import { gzipPieces } from './gzip-pieces.ts';
import { LZ4_DEFAULT_LEVEL, lz4Frame, lz4Pack, lz4Pieces, putLz4Frame } from './lz4.ts';
import type { OutputBlock } from './output-block.ts';
import { zlibPack, zstdPieces } from './zlib-pieces.ts';

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

/** As `compress`, behind what a block has. */
export function compressInto(codec: CodecName, bytes: Uint8Array, options: CompressOptions, into: OutputBlock): void {
  const { magic, level } = options;
  if (codec === 'lz4') putLz4Frame(bytes, level === undefined ? { magic } : { magic, level }, into);
  else into.add(compress(codec, bytes, options));
}

/** As `compress`, in steps: the same bytes, in parts. */
export function* packSteps(
  codec: CodecName,
  plain: Slices,
  { magic, level }: CompressOptions,
): Steps<readonly Uint8Array[]> {
  switch (codec) {
    case 'none':
      return plain.chunks;
    case 'snappy':
      return yield* packSnappy(plain);
    case 'lz4':
      return yield* lz4Pack(plain, level === undefined ? { magic } : { magic, level });
    default:
      return yield* zlibPack(codec, plain, level ?? compressionLevels[codec].default);
  }
}

function* packSnappy(plain: Slices): Steps<readonly Uint8Array[]> {
  const parts: Uint8Array[] = [snappyHeader];
  for (const input of blocksOf(plain, SNAPPY_CHUNK_BYTES)) {
    const [size, block] = snappyChunk(input);
    parts.push(size, Buffer.from(block));
    yield input.length;
  }
  return parts;
}

export interface DecompressOptions {
  readonly magic: Magic;
  /** Bytes; what grows beyond is refused while it grows. */
  readonly sizeMax: number;
}

/** Throws CompressionError, and nothing else, for bytes that do not decompress. */
export function decompress(codec: CodecName, bytes: Uint8Array, options: DecompressOptions): Uint8Array {
  return runToEnd(unpackSteps(codec, bytes, options));
}

/** As `decompress`, in steps. */
export function* unpackSteps(codec: CodecName, bytes: Uint8Array, options: DecompressOptions): Steps<Uint8Array> {
  if (codec === 'none') return bytes;
  const isShared = codec === 'gzip' || codec === 'zstd';
  const parts: Uint8Array[] = [];
  let size = 0;
  for (const piece of decompressPieces(codec, bytes, options)) {
    parts.push(isShared ? Buffer.from(piece) : piece);
    size += piece.length;
    yield piece.length;
  }
  if (parts.length === 1) return parts[0]!;
  const whole = Buffer.allocUnsafe(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
    yield part.length;
  }
  return whole;
}

/**
 * As `decompress`, but what comes out is never in memory as a whole: 64 KiB of gzip and zstd, a block of Snappy and LZ4 at a
 * time. Only Snappy's blocks have no bound of their own; they grow to 22 times what was sent. A piece is valid until another one of
 * anybody's is asked for.
 * @throws CompressionError, OversizeError beyond `sizeMax`
 */
export function decompressPieces(
  codec: Exclude<CodecName, 'none'>,
  bytes: Uint8Array,
  options: DecompressOptions,
): Generator<Uint8Array, void, void> {
  switch (codec) {
    case 'snappy':
      return snappyPieces(bytes, options.sizeMax);
    case 'lz4':
      return lz4Pieces(bytes, options, options.sizeMax);
    case 'gzip':
      return gzipPieces(bytes, options.sizeMax);
    case 'zstd':
      return zstdPieces(bytes, options.sizeMax);
    default:
      return codec satisfies never;
  }
}
