import { int32At, putInt32 } from './bytes.ts';
import { CompressionError } from './errors.ts';
import { NATIVE_UNCOMPRESS_WORTH_BYTES, type NativeSnappy, nativeSnappy } from './native-codecs.ts';
import { snappyCompress, snappyUncompress, snappyUncompressedSize } from './snappy-block.ts';

/*
 * Kafka's Snappy is that of the library xerial (snappy-java's SnappyOutputStream), for every magic:
 *   82 "SNAPPY" 00 | version i32 = 1 | oldest compatible version i32 = 1 | chunks: size i32, raw block
 * Its reader takes bytes without that header for one raw block; several clients send those.
 */
const HEADER = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1);
const MAGIC_SIZE = 8;
const CHUNK_INPUT_SIZE = 32_768;

/** What snappy-java writes: chunks of 32 KiB of input. */
export function snappyFrame(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [HEADER];
  for (let start = 0; start < bytes.length; start += CHUNK_INPUT_SIZE) {
    const block = snappyCompress(bytes.subarray(start, start + CHUNK_INPUT_SIZE));
    const size = new Uint8Array(4);
    putInt32(size, 0, block.length);
    parts.push(size, block);
  }
  return Buffer.concat(parts);
}

/** Reads both forms. `native` is given by tests that compare. */
export function snappyUnframe(
  bytes: Uint8Array,
  sizeMax: number,
  native: NativeSnappy | null = nativeSnappy(),
): Uint8Array {
  if (!startsWithMagic(bytes, 0)) return uncompressBlock(bytes, sizeMax, native);
  const parts: Uint8Array[] = [];
  let left = sizeMax;
  for (let at = skipHeader(bytes, 0); at < bytes.length; ) {
    // Streams may follow each other, each with its own header.
    if (startsWithMagic(bytes, at)) {
      at = skipHeader(bytes, at);
      continue;
    }
    const size = at + 4 <= bytes.length ? int32At(bytes, at) : -1;
    at += 4;
    if (size < 0 || at + size > bytes.length) throw new CompressionError('a truncated Snappy stream');
    const part = uncompressBlock(bytes.subarray(at, at + size), left, native);
    parts.push(part);
    left -= part.length;
    at += size;
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
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
