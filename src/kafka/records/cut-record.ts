import { InvalidRecordError, invalidHeaderCount, invalidStructure, negativeHeaderKey } from './errors.ts';

/** What the next byte belongs to; `walk.ts` draws the record. */
const Part = {
  Length: 0,
  Attributes: 1,
  Timestamp: 2,
  Offset: 3,
  KeySize: 4,
  ValueSize: 5,
  HeaderCount: 6,
  HeaderKeySize: 7,
  HeaderValueSize: 8,
  End: 9,
} as const;
type Part = (typeof Part)[keyof typeof Part];

const VARINT_BYTES_MAX = 5;
const VARLONG_BYTES_MAX = 10;
const TWO_28 = 268_435_456;

/**
 * A record that comes in pieces or is not as long as it says, byte by byte but for what it only skips. It is refused for what the walk
 * over whole records refuses.
 */
export class CutRecord {
  /** A record that is not as long as it says is read on as if it said nothing, and marked. */
  readsOn = false;
  isMiscounted = false;
  timestampDelta = 0;
  offsetDelta = 0;
  /** -1 for null. */
  keySize = -1;
  valueSize = -1;
  #part: Part = Part.Length;
  /** Bytes of the record that no field has claimed yet. */
  #left = 0;
  /** Bytes of a key or value that are still to come. */
  #skip = 0;
  #headersLeft = 0;
  /** Of a variable-length integer: its bytes so far, their low 28 bits and what is above. */
  #groups = 0;
  #low = 0;
  #high = 0;

  begin(): void {
    this.#part = Part.Length;
    this.#skip = 0;
    this.isMiscounted = false;
    this.#startNumber();
  }

  get isComplete(): boolean {
    return this.#part === Part.End && this.#skip === 0;
  }

  /** Takes what belongs to the record and answers where that ends. */
  take(bytes: Uint8Array, from: number): number {
    let at = from;
    while (at < bytes.length && !this.isComplete) {
      if (this.#skip > 0) {
        const count = Math.min(this.#skip, bytes.length - at);
        this.#skip -= count;
        at += count;
      } else {
        this.#takeByte(bytes[at]!);
        at += 1;
      }
    }
    return at;
  }

  #takeByte(byte: number): void {
    if (this.#part !== Part.Length) this.#claim(1);
    if (this.#part === Part.Attributes) {
      this.#part = Part.Timestamp;
      return;
    }
    const bits = byte & 0x7f;
    if (this.#groups < 4) this.#low |= bits << (7 * this.#groups);
    else this.#high += bits * 2 ** (7 * (this.#groups - 4));
    this.#groups += 1;
    if (byte < 0x80) {
      this.#takeNumber();
      this.#startNumber();
      if (this.#part === Part.End && this.#left > 0) this.#miscounted(invalidStructure());
    } else if (this.#groups >= (this.#part === Part.Timestamp ? VARLONG_BYTES_MAX : VARINT_BYTES_MAX)) {
      throw invalidStructure();
    }
  }

  #startNumber(): void {
    this.#groups = 0;
    this.#low = 0;
    this.#high = 0;
  }

  #takeNumber(): void {
    const value = this.#part === Part.Timestamp ? this.#long() : this.#int();
    switch (this.#part) {
      case Part.Length:
        if (value < 0) this.#miscounted(new InvalidRecordError(`Invalid record size ${value}`));
        this.#left = Math.max(value, 0);
        this.#part = Part.Attributes;
        return;
      case Part.Timestamp:
        this.timestampDelta = value;
        this.#part = Part.Offset;
        return;
      case Part.Offset:
        this.offsetDelta = value;
        this.#part = Part.KeySize;
        return;
      case Part.KeySize:
        this.keySize = Math.max(value, -1);
        this.#skipBytes(value);
        this.#part = Part.ValueSize;
        return;
      case Part.ValueSize:
        this.valueSize = Math.max(value, -1);
        this.#skipBytes(value);
        this.#part = Part.HeaderCount;
        return;
      case Part.HeaderCount:
        if (value < 0) throw invalidHeaderCount(value);
        if (value > this.#left) this.#miscounted(invalidHeaderCount(value));
        this.#headersLeft = value;
        this.#part = value === 0 ? Part.End : Part.HeaderKeySize;
        return;
      case Part.HeaderKeySize:
        if (value < 0) throw negativeHeaderKey(value);
        this.#skipBytes(value);
        this.#part = Part.HeaderValueSize;
        return;
      default:
        this.#skipBytes(value);
        this.#headersLeft -= 1;
        this.#part = this.#headersLeft === 0 ? Part.End : Part.HeaderKeySize;
    }
  }

  /** A negative size is null. */
  #skipBytes(size: number): void {
    this.#skip = Math.max(size, 0);
    this.#claim(this.#skip);
  }

  #claim(size: number): void {
    if (size > this.#left) this.#miscounted(invalidStructure());
    this.#left = Math.max(this.#left - size, 0);
  }

  #miscounted(error: InvalidRecordError): void {
    if (!this.readsOn) throw error;
    this.isMiscounted = true;
  }

  #int(): number {
    const word = (this.#high * TWO_28 + this.#low) >>> 0;
    return (word >>> 1) ^ -(word & 1);
  }

  /** Exact within ±2^53 and close enough beyond for a comparison. */
  #long(): number {
    const half = this.#high * (TWO_28 / 2) + (this.#low >>> 1);
    return (this.#low & 1) === 0 ? half : -half - 1;
  }
}
