import { CompressionError, OversizeError } from '../../base/compression-error.ts';
import {
  NATIVE_COMPRESS_WORTH_BYTES,
  NATIVE_UNCOMPRESS_WORTH_BYTES,
  type NativeLz4,
  nativeLz4,
} from '../../base/native-codecs.ts';
import { type Slices, slicesOf } from '../../base/slices.ts';
import { runToEnd, type Steps } from '../../base/steps.ts';
import { blocksOf } from './bytes.ts';
import { lz4CompressBlock, lz4CompressBound, lz4DecompressBlock } from './lz4-block.ts';
import { lz4CompressFast } from './lz4-fast.ts';
import type { OutputBlock } from './output-block.ts';
import { xxhash32 } from './xxhash32.ts';

/*
 * An LZ4 frame as Lz4BlockOutputStream writes it, little-endian:
 *   04 22 4d 18 | FLG 0x60: version 1, independent blocks | BD 0x40: blocks of at most 64 KiB | HC | blocks | 00000000
 *   block: u32 size, its high bit set where the bytes are stored as they are | bytes | [xxh32 of the bytes]
 * HC is the second byte of xxh32 over FLG and what follows it. In magic 0 it is computed over the frame's magic too, and
 * not checked (KAFKA-3160).
 */
const MAGIC = 0x184d2204;
const FLG = 0x60;
const BD_64_KIB = 0x40;
const BLOCK_SIZE = 65_536;
const STORED = 0x80000000;

const FLG_VERSION_AND_INDEPENDENT = 0x60;
const FLG_VERSION_MASK = 0xc0;
const FLG_INDEPENDENT = 0x20;
const FLG_BLOCK_CHECKSUM = 0x10;
const FLG_CONTENT_SIZE = 0x08;
const FLG_RESERVED = 0x03;
const BD_RESERVED = 0x8f;

/** Apache's level 9 is "the fast compressor"; every other one searches, the harder the higher. */
export const LZ4_DEFAULT_LEVEL = 9;
const ATTEMPTS_MAX = 512;

export interface Lz4Options {
  readonly magic: number;
  readonly level?: number;
}

export function lz4Frame(bytes: Uint8Array, options: Lz4Options, native?: NativeLz4 | null): Uint8Array {
  return Buffer.concat(runToEnd(lz4Pack(slicesOf(bytes), options, native)));
}

/** As `lz4Frame`, behind what a block has. */
export function putLz4Frame(bytes: Uint8Array, options: Lz4Options, into: OutputBlock): void {
  into.reserve(FRAME_OVERHEAD + bytes.length + SIZE_BYTES * Math.ceil(bytes.length / BLOCK_SIZE));
  into.add(frameHeader(options));
  for (const input of blocksOf(slicesOf(bytes), BLOCK_SIZE)) into.add(frameBlock(input, options, nativeLz4()));
  into.add(endMark);
}

/** As `lz4Frame`, block after block. */
export function* lz4Pack(
  plain: Slices,
  options: Lz4Options,
  native: NativeLz4 | null = nativeLz4(),
): Steps<Uint8Array[]> {
  const parts = [frameHeader(options)];
  for (const input of blocksOf(plain, BLOCK_SIZE)) {
    parts.push(Buffer.from(frameBlock(input, options, native)));
    yield input.length;
  }
  parts.push(endMark);
  return parts;
}

function frameHeader({ magic }: Lz4Options): Uint8Array {
  const head = Buffer.allocUnsafe(7);
  head.writeUInt32LE(MAGIC, 0);
  head[4] = FLG;
  head[5] = BD_64_KIB;
  head[6] = xxhash32(head.subarray(magic === 0 ? 0 : 4, 6)) >> 8;
  return head;
}

const endMark = new Uint8Array(4);

/** Of the size before a block, in a frame and for the native package alike. */
const SIZE_BYTES = 4;
const FRAME_OVERHEAD = 7 + endMark.length;

/** A block before it is known how much it takes. */
const packed = Buffer.allocUnsafeSlow(SIZE_BYTES + lz4CompressBound(BLOCK_SIZE));

/** A block of a frame, with its size; valid until the next one. */
function frameBlock(
  input: Uint8Array,
  { level = LZ4_DEFAULT_LEVEL }: Lz4Options,
  native: NativeLz4 | null,
): Uint8Array {
  const end =
    level === LZ4_DEFAULT_LEVEL
      ? compressFast(input, packed, SIZE_BYTES, native)
      : lz4CompressBlock(input, packed, SIZE_BYTES, Math.min(2 ** Math.max(level, 1), ATTEMPTS_MAX));
  const size = end - SIZE_BYTES;
  if (size < input.length) {
    packed.writeUInt32LE(size, 0);
    return packed.subarray(0, end);
  }
  packed.writeUInt32LE((input.length | STORED) >>> 0, 0);
  packed.set(input, SIZE_BYTES);
  return packed.subarray(0, SIZE_BYTES + input.length);
}

function compressFast(input: Uint8Array, out: Uint8Array, at: number, native: NativeLz4 | null): number {
  if (native === null || input.length < NATIVE_COMPRESS_WORTH_BYTES) return lz4CompressFast(input, out, at);
  const made = native.compressSync(input);
  const end = at + made.length - SIZE_BYTES;
  out.set(made.subarray(SIZE_BYTES), at);
  giveBack(made);
  return end;
}

/**
 * Memory of the native package is given back at once: until the collector found it the next blocks would be written to fresh pages,
 * which costs as much as to compress them.
 */
function giveBack({ buffer, byteLength }: Buffer): void {
  const isAlone = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength;
  if (isAlone) buffer.transfer(0);
}

/** What a frame becomes, as Lz4BlockInputStream reads it: content size and content checksum are not looked at. */
export function lz4Unframe(
  bytes: Uint8Array,
  options: Lz4Options,
  sizeMax: number,
  native?: NativeLz4 | null,
): Uint8Array {
  const parts = [...lz4Pieces(bytes, options, sizeMax, native)];
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

/** As `lz4Unframe`, block after block, each of at most 4 MiB. The pieces are the taker's. */
export function* lz4Pieces(
  bytes: Uint8Array,
  { magic }: Lz4Options,
  sizeMax: number,
  native: NativeLz4 | null = nativeLz4(),
): Generator<Uint8Array, void, void> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { flags, blockSizeMax, headerSize } = readDescriptor(bytes, view, magic);
  const checksumSize = (flags & FLG_BLOCK_CHECKSUM) === 0 ? 0 : 4;
  let left = sizeMax;
  for (let at = headerSize; ; ) {
    need(bytes, at, 4);
    const word = view.getUint32(at, true);
    const size = word & ~STORED;
    at += 4;
    if (size === 0) return;
    if (size > blockSizeMax) throw new CompressionError(`an LZ4 block of ${size} bytes, ${blockSizeMax} are allowed`);
    need(bytes, at, size + checksumSize);
    const block = bytes.subarray(at, at + size);
    at += size;
    if (checksumSize > 0 && view.getUint32(at, true) !== xxhash32(block)) {
      throw new CompressionError('an LZ4 block with a wrong checksum');
    }
    at += checksumSize;
    const piece = (word & STORED) === 0 ? uncompress(block, blockSizeMax, native) : block;
    if (piece.length > left) throw new OversizeError(sizeMax);
    left -= piece.length;
    yield piece;
  }
}

function readDescriptor(bytes: Uint8Array, view: DataView, magic: number) {
  need(bytes, 0, 7);
  if (view.getUint32(0, true) !== MAGIC) throw new CompressionError('not an LZ4 frame');
  const flags = bytes[4]!;
  const blockDescriptor = bytes[5]!;
  if ((flags & FLG_VERSION_MASK) !== (FLG_VERSION_AND_INDEPENDENT & FLG_VERSION_MASK) || (flags & FLG_RESERVED) !== 0) {
    throw new CompressionError(`an LZ4 frame with flags ${flags}`);
  }
  if ((flags & FLG_INDEPENDENT) === 0) throw new CompressionError('an LZ4 frame with dependent blocks');
  const blockSizeCode = (blockDescriptor >> 4) & 7;
  if ((blockDescriptor & BD_RESERVED) !== 0 || blockSizeCode < 4) {
    throw new CompressionError(`an LZ4 frame with block descriptor ${blockDescriptor}`);
  }
  const checksumAt = (flags & FLG_CONTENT_SIZE) === 0 ? 6 : 14;
  need(bytes, checksumAt, 1);
  if (magic !== 0 && bytes[checksumAt] !== ((xxhash32(bytes.subarray(4, checksumAt)) >> 8) & 0xff)) {
    throw new CompressionError('an LZ4 frame with a wrong header checksum');
  }
  return { flags, blockSizeMax: 2 ** (8 + 2 * blockSizeCode), headerSize: checksumAt + 1 };
}

function need(bytes: Uint8Array, at: number, size: number): void {
  if (at + size > bytes.length) throw new CompressionError('a truncated LZ4 frame');
}

/** What a block may become at most, or what is handed to the native package; no block's bytes stay in it. */
let scratch = Buffer.allocUnsafe(SIZE_BYTES + BLOCK_SIZE);

function scratchOf(size: number): Buffer {
  if (scratch.length < size) scratch = Buffer.allocUnsafe(size);
  return scratch;
}

function uncompress(block: Uint8Array, sizeMax: number, native: NativeLz4 | null): Uint8Array {
  if (native !== null && block.length >= NATIVE_UNCOMPRESS_WORTH_BYTES)
    return uncompressNatively(block, sizeMax, native);
  const memory = scratchOf(sizeMax);
  const end = lz4DecompressBlock(block, memory, 0, sizeMax);
  const part = Buffer.allocUnsafe(end);
  memory.copy(part, 0, 0, end);
  return part;
}

function uncompressNatively(block: Uint8Array, sizeMax: number, native: NativeLz4): Uint8Array {
  const prefixed = scratchOf(SIZE_BYTES + block.length);
  prefixed.writeUInt32LE(sizeMax, 0);
  prefixed.set(block, SIZE_BYTES);
  try {
    return native.uncompressSync(prefixed.subarray(0, SIZE_BYTES + block.length));
  } catch (cause) {
    throw new CompressionError('a corrupt LZ4 block', { cause });
  }
}
