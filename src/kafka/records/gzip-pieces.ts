import { crc32, createInflateRaw, gunzipSync } from 'node:zlib';
import { CompressionError, OversizeError } from '../../base/compression-error.ts';
import { GO_ON, handleOf, type OpenStream, UNUSED, unpackAtOnce } from './zlib-pieces.ts';

/*
 * gzip as Java's GZIPInputStream takes it from Kafka, byte for byte also where it is spoiled: records that came out before what is
 * wrong are looked at first, and a broker refuses them for what they are. So what is unpacked at once is as much as there, a
 * checksum is compared only when more is asked for, and what follows a member and is none is not looked at.
 *
 *   member: 1f 8b 08 | flags | time u32 | 2 bytes | [extra: size u16, bytes] | [name 0] | [comment 0] | [crc16 of all these]
 *           | deflate | crc32 u32 | size u32, all little-endian
 */
const INPUT_BYTES = 8_192;
const OUTPUT_BYTES = 16_384;

const FLAG_CHECKSUM = 2;
const FLAG_EXTRA = 4;
const FLAG_NAME = 8;
const FLAG_COMMENT = 16;
const HEADER_BYTES = 10;
const TRAILER_BYTES = 8;
/** At the end of all input, fewer bytes than these cannot be another member. */
const MEMBER_BYTES_MIN = 18;

/**
 * Decompresses piece by piece. A piece is valid until the next is asked for, and until anybody else asks for one.
 * @throws CompressionError, OversizeError
 */
export function* gzipPieces(
  bytes: Uint8Array,
  sizeMax: number,
  open: () => object = () => createInflateRaw(UNUSED),
): Generator<Uint8Array, void, void> {
  const stream = handleOf(open());
  if (stream === undefined) {
    return yield* unpackAtOnce((all, maxOutputLength) => gunzipSync(all, { maxOutputLength }), bytes, sizeMax);
  }
  try {
    let left = sizeMax;
    const input = new Input(bytes);
    let next: number | undefined = headerEnd(bytes, 0);
    while (next !== undefined) {
      if (input.at > 0) stream.reset();
      input.skipTo(next);
      const member = { size: 0, crc: 0 };
      for (const piece of inflated(stream, input)) {
        left -= piece.length;
        if (left < 0) throw new OversizeError(sizeMax);
        member.size += piece.length;
        member.crc = crc32(piece, member.crc);
        yield piece;
      }
      checkTrailer(bytes, input.at, member);
      next = nextMember(bytes, input);
    }
  } finally {
    stream.close();
  }
}

/** Where reading stands, and up to where Java has taken bytes into its buffer. */
class Input {
  readonly bytes: Uint8Array;
  at = 0;
  end = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  skipTo(at: number): void {
    this.at = at;
    if (this.end < at) this.end = at;
  }

  get isAtEnd(): boolean {
    return this.end === this.bytes.length;
  }

  fill(): void {
    if (this.isAtEnd) throw new CompressionError('Unexpected end of ZLIB input stream');
    this.end = Math.min(this.end + INPUT_BYTES, this.bytes.length);
  }
}

function* inflated(stream: OpenStream, input: Input): Generator<Uint8Array, void, void> {
  for (;;) {
    if (input.at === input.end) input.fill();
    const taken = input.isAtEnd ? input.bytes : input.bytes.subarray(0, input.end);
    const { piece, inputLeft } = stream.write(GO_ON, taken, input.at, OUTPUT_BYTES);
    input.at = input.end - inputLeft;
    if (piece.length > 0) yield piece;
    // Room and input that are left mean that the member's deflate stream has ended.
    if (piece.length < OUTPUT_BYTES && inputLeft > 0) return;
  }
}

interface Member {
  readonly size: number;
  readonly crc: number;
}

function checkTrailer(bytes: Uint8Array, at: number, { size, crc }: Member): void {
  if (at + TRAILER_BYTES > bytes.length) throw endsEarly();
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, TRAILER_BYTES);
  if (view.getUint32(0, true) !== crc || view.getUint32(4, true) !== size % 2 ** 32) {
    throw new CompressionError('Corrupt GZIP trailer');
  }
}

/** Where the next member's stream begins behind a trailer; undefined where nothing follows that begins like one. */
function nextMember(bytes: Uint8Array, { at, end, isAtEnd }: Input): number | undefined {
  if (isAtEnd && end - at <= TRAILER_BYTES + MEMBER_BYTES_MIN) return undefined;
  try {
    return headerEnd(bytes, at + TRAILER_BYTES);
  } catch (error) {
    if (error instanceof CompressionError) return undefined;
    throw error;
  }
}

/** @throws CompressionError */
function headerEnd(bytes: Uint8Array, start: number): number {
  const byteAt = (at: number): number => {
    const byte = bytes[at];
    if (byte === undefined) throw endsEarly();
    return byte;
  };
  const shortAt = (at: number): number => byteAt(at) | (byteAt(at + 1) << 8);
  if (shortAt(start) !== 0x8b1f) throw new CompressionError('Not in GZIP format');
  if (byteAt(start + 2) !== 8) throw new CompressionError('Unsupported compression method');
  const flags = byteAt(start + 3);
  let at = start + HEADER_BYTES;
  if ((flags & FLAG_EXTRA) !== 0) at += 2 + shortAt(at);
  for (const flag of [FLAG_NAME, FLAG_COMMENT]) {
    if ((flags & flag) === 0) continue;
    while (byteAt(at) !== 0) at += 1;
    at += 1;
  }
  byteAt(at - 1);
  if ((flags & FLAG_CHECKSUM) === 0) return at;
  if (shortAt(at) !== (crc32(bytes.subarray(start, at)) & 0xffff)) throw new CompressionError('Corrupt GZIP header');
  return at + 2;
}

function endsEarly(): CompressionError {
  return new CompressionError('a truncated GZIP stream');
}
