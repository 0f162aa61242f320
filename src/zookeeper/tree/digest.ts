import { crc32 as nativeCrc32 } from 'node:zlib';
import type { StatPersisted } from '../jute/data.ts';

/** The version of the digest that Apache 3.6+ computes (DigestCalculator). */
export const DIGEST_VERSION = 2;
/** Its parts are changed locally (quotas), so nothing below `/zookeeper` counts. */
const EXCLUDED = '/zookeeper/';
const POLYNOMIAL = 0xedb88320;
/** From here on the call into zlib is cheaper. */
const NATIVE_WORTH_BYTES = 256;

/** Four tables of 256: table k advances a byte's contribution by k further bytes ("slicing by 4"). */
const table = buildTable();

function buildTable(): Int32Array {
  const built = new Int32Array(1024);
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    built[byte] = crc;
  }
  for (let index = 256; index < 1024; index += 1) {
    const crc = built[index - 256] as number;
    built[index] = (built[crc & 0xff] as number) ^ (crc >>> 8);
  }
  return built;
}

/** CRC-32 as java.util.zip computes it, over bytes [start, end). Chain by passing the last result. */
export function crc32(bytes: Uint8Array, start = 0, end = bytes.length, initial = 0): number {
  if (end - start >= NATIVE_WORTH_BYTES) return nativeCrc32(bytes.subarray(start, end), initial >>> 0);
  let crc = ~initial;
  let at = start;
  for (const last = end - 4; at <= last; at += 4) {
    crc ^=
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    crc =
      (table[768 + (crc & 0xff)] as number) ^
      (table[512 + ((crc >>> 8) & 0xff)] as number) ^
      (table[256 + ((crc >>> 16) & 0xff)] as number) ^
      (table[crc >>> 24] as number);
  }
  for (; at < end; at += 1) crc = (table[(crc ^ (bytes[at] as number)) & 0xff] as number) ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** One 32-bit word, its most significant byte first: Java's putInt. */
export function crc32Word(word: number, initial: number): number {
  const swapped = ((word >>> 24) & 0xff) | ((word >>> 8) & 0xff00) | ((word & 0xff00) << 8) | ((word & 0xff) << 24);
  const crc = ~initial ^ swapped;
  return ~(
    (table[768 + (crc & 0xff)] as number) ^
    (table[512 + ((crc >>> 8) & 0xff)] as number) ^
    (table[256 + ((crc >>> 16) & 0xff)] as number) ^
    (table[crc >>> 24] as number)
  );
}

/** Over the UTF-8 form of a path; the root is the empty path. */
export function crc32OfPath(path: string): number {
  if (path.length <= 1) return 0;
  let crc = -1;
  for (let index = 0; index < path.length; index += 1) {
    const unit = path.charCodeAt(index);
    if (unit >= 0x80) return crc32(Buffer.from(path));
    crc = (table[(crc ^ unit) & 0xff] as number) ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}

export const isExcludedFromDigest = (path: string): boolean => path.startsWith(EXCLUDED);

/**
 * What a node adds to the tree digest, unsigned 32 bits. The tree keeps its own nodes' values; this is for a node that is only
 * planned: the serialising server predicts the digest after a transaction from its outstanding changes.
 */
export function nodeDigest(path: string, data: Uint8Array | null, stat: Readonly<StatPersisted>): number {
  if (isExcludedFromDigest(path)) return 0;
  let crc = crc32OfPath(path);
  if (data !== null) crc = crc32(data, 0, data.length, crc);
  crc = crc32Long(stat.czxid, crc);
  crc = crc32Long(stat.mzxid, crc);
  crc = crc32Long(stat.pzxid, crc);
  crc = crc32Number(stat.ctime, crc);
  crc = crc32Number(stat.mtime, crc);
  crc = crc32Word(stat.version, crc);
  crc = crc32Word(stat.cversion, crc);
  crc = crc32Word(stat.aversion, crc);
  return crc32Long(stat.ephemeralOwner, crc) >>> 0;
}

const scratch = new DataView(new ArrayBuffer(8));

function crc32Long(value: bigint, initial: number): number {
  scratch.setBigInt64(0, value);
  return crc32Word(scratch.getInt32(4), crc32Word(scratch.getInt32(0), initial));
}

function crc32Number(value: number, initial: number): number {
  return crc32Word(value | 0, crc32Word(Math.floor(value / TWO_32) | 0, initial));
}

const TWO_32 = 4_294_967_296;

/** The sum of node digests, 64 bits in two numbers: bigint additions on every write would cost more than the rest of it. */
export class DigestSum {
  #high = 0;
  #low = 0;

  add(digest: number): void {
    this.#low += digest;
    if (this.#low >= TWO_32) {
      this.#low -= TWO_32;
      this.#high += 1;
    }
  }

  subtract(digest: number): void {
    this.#low -= digest;
    if (this.#low < 0) {
      this.#low += TWO_32;
      this.#high -= 1;
    }
  }

  copyFrom(other: DigestSum): void {
    this.#high = other.#high;
    this.#low = other.#low;
  }

  /** Signed 64 bits, as the logs hold it. */
  get value(): bigint {
    scratch.setInt32(0, this.#high);
    scratch.setUint32(4, this.#low);
    return scratch.getBigInt64(0);
  }
}
