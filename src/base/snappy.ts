import { CompressionError } from './compression-error.ts';
import { NATIVE_UNCOMPRESS_WORTH_BYTES, type NativeSnappy, nativeSnappy } from './native-codecs.ts';
import { SnappyBlock, snappyCompress, snappyUncompress, snappyUncompressedSize } from './snappy-block.ts';

/*
 * The Snappy of snappy-java's SnappyOutputStream (of xerial), which Kafka's batches and ZooKeeper's snapshots have:
 *   82 "SNAPPY" 00 | version i32 = 1 | oldest compatible version i32 = 1 | chunks: size i32, raw block
 * Kafka's reader takes bytes without that header for one raw block; several clients send those.
 */
const HEADER = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1);
const MAGIC_SIZE = 8;
const MAGIC_WORD = int32At(HEADER, 0);
/** Bytes of input of a chunk. */
export const SNAPPY_CHUNK_BYTES = 32_768;
/** A block that becomes more comes out in pieces of about this size: some clients put all they have into one. */
const PIECE_BYTES = 262_144;
/** Size and the block's own length: what tells how much a chunk becomes. */
const CHUNK_HEAD_BYTES = 4 + 5;

/** What begins a stream, and what tells that one is a stream. */
export const snappyHeader: Readonly<Uint8Array> = HEADER;
export const snappyMagic: Readonly<Uint8Array> = HEADER.subarray(0, MAGIC_SIZE);

/** What snappy-java writes: chunks of 32 KiB of input. */
export function snappyFrame(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([HEADER, snappyChunks(bytes)]);
}

/** Chunks that continue a stream. */
export function snappyChunks(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; start += SNAPPY_CHUNK_BYTES) {
    parts.push(...snappyChunk(bytes.subarray(start, start + SNAPPY_CHUNK_BYTES)));
  }
  return Buffer.concat(parts);
}

/** One chunk of at most 32 KiB: its size, and its block in memory that is larger than it. */
export function snappyChunk(input: Uint8Array): [size: Uint8Array, block: Uint8Array] {
  const block = snappyCompress(input);
  const size = Buffer.alloc(4);
  size.writeInt32BE(block.length);
  return [size, block];
}

/** A chunk of a stream: where its block lies there, and where its bytes begin in what the stream becomes. */
export interface SnappyChunk {
  readonly position: number;
  readonly size: number;
  readonly outputStart: number;
  readonly outputSize: number;
}

/**
 * Finds the chunks of a stream by their heads alone, so that any part of it can be read later.
 * @param read up to so many bytes at a position, fewer at the end
 */
export function findSnappyChunks(read: (position: number, length: number) => Uint8Array, size: number): SnappyChunk[] {
  const chunks: SnappyChunk[] = [];
  let outputStart = 0;
  for (let at = 0; at < size; ) {
    const head = read(at, HEADER.length);
    if (startsWithMagic(head, 0)) {
      at += skipHeader(head, 0);
      continue;
    }
    const blockSize = at > 0 && head.length >= 4 ? int32At(head, 0) : -1;
    if (blockSize < 0 || at + 4 + blockSize > size) throw new CompressionError('a truncated Snappy stream');
    const outputSize = snappyUncompressedSize(head.subarray(4, Math.min(CHUNK_HEAD_BYTES, 4 + blockSize))).size;
    chunks.push({ position: at + 4, size: blockSize, outputStart, outputSize });
    outputStart += outputSize;
    at += 4 + blockSize;
  }
  return chunks;
}

/** The bytes of one chunk's block. */
export function uncompressSnappy(block: Uint8Array, sizeMax: number): Uint8Array {
  return uncompressBlock(block, sizeMax, nativeSnappy());
}

/** Reads both forms. `native` is given by tests that compare. */
export function snappyUnframe(bytes: Uint8Array, sizeMax: number, native?: NativeSnappy | null): Uint8Array {
  const parts = [...snappyPieces(bytes, sizeMax, native)];
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

/**
 * As `snappyUnframe`, block after block, large blocks in pieces: a stream in xerial's framing is never whole in memory. The pieces
 * are the taker's.
 */
export function* snappyPieces(
  bytes: Uint8Array,
  sizeMax: number,
  native: NativeSnappy | null = nativeSnappy(),
): Generator<Uint8Array, void, void> {
  if (!startsWithMagic(bytes, 0)) return yield* blockPieces(bytes, sizeMax, native);
  let left = sizeMax;
  for (let at = skipHeader(bytes, 0); at < bytes.length; ) {
    // Fewer bytes than a size has are no chunk to snappy-java, and nor is another header that is none after all.
    if (at + 4 > bytes.length) return;
    const size = int32At(bytes, at);
    // Streams may follow each other, each with its own header.
    if (size === MAGIC_WORD) {
      const next = skipHeader(bytes, at);
      if (!startsWithMagic(bytes, at)) return;
      at = next;
      continue;
    }
    at += 4;
    if (size < 0 || at + size > bytes.length) throw new CompressionError('a truncated Snappy stream');
    for (const piece of blockPieces(bytes.subarray(at, at + size), left, native)) {
      left -= piece.length;
      yield piece;
    }
    at += size;
  }
}

function* blockPieces(
  block: Uint8Array,
  sizeMax: number,
  native: NativeSnappy | null,
): Generator<Uint8Array, void, void> {
  if (snappyUncompressedSize(block).size <= PIECE_BYTES) return yield uncompressBlock(block, sizeMax, native);
  const opened = new SnappyBlock(block, sizeMax);
  for (let from = 0, goesOn = true; goesOn; from = opened.reached) {
    goesOn = opened.uncompress(from + PIECE_BYTES);
    yield opened.out.subarray(from, opened.reached);
  }
}

function int32At(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

function startsWithMagic(bytes: Uint8Array, at: number): boolean {
  if (at + MAGIC_SIZE > bytes.length) return false;
  for (let index = 0; index < MAGIC_SIZE; index += 1) if (bytes[at + index] !== HEADER[index]) return false;
  return true;
}

/** The versions are not looked at: there has only been one. */
function skipHeader(bytes: Uint8Array, at: number): number {
  if (at + HEADER.length > bytes.length) throw new CompressionError('a truncated Snappy stream');
  return at + HEADER.length;
}

function uncompressBlock(block: Uint8Array, sizeMax: number, native: NativeSnappy | null): Uint8Array {
  const { size } = snappyUncompressedSize(block);
  if (native === null || size < NATIVE_UNCOMPRESS_WORTH_BYTES || size > sizeMax || size > block.length * 64) {
    return snappyUncompress(block, sizeMax); // also finds the words for what cannot be
  }
  try {
    return native.uncompressSync(block, { asBuffer: true, copyOutputData: true });
  } catch (cause) {
    throw new CompressionError('a corrupt Snappy block', { cause });
  }
}
