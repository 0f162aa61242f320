import { InvalidRecordError } from '../../records/errors.ts';

/*
 * A record of magic 2; `length` counts what follows it:
 *
 *   length varint | attributes i8 | timestamp delta varlong | offset delta varint | key length varint (-1 null) | key
 *   | value length varint (-1 null) | value | headers
 */
const TWO_28 = 268_435_456;

/** Goes over the plain records of a batch of magic 2 where they lie, without making an object of any. */
export class RecordCursor {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #left: number;
  /** Of the current record: [start, end), and where its attributes and its offset delta begin. */
  start: number;
  end: number;
  attributesAt = 0;
  offsetDeltaAt = 0;
  timestampDelta = 0;
  offsetDelta = 0;
  /** [keyStart, keyEnd); -1 without a key. */
  keyStart = -1;
  keyEnd = -1;
  hasValue = false;

  /** @param position of the first record */
  constructor(bytes: Uint8Array, position: number, end: number, count: number) {
    this.#bytes = bytes;
    this.#end = end;
    this.#left = count;
    this.start = position;
    this.end = position;
  }

  /** False after the last record. @throws InvalidRecordError where lengths and count do not hold */
  next(): boolean {
    if (this.#left <= 0) {
      if (this.end !== this.#end) throw invalid('records still remaining behind the last');
      return false;
    }
    this.#left -= 1;
    const bytes = this.#bytes;
    this.start = this.end;
    this.#at = this.start;
    const length = this.#varint();
    this.attributesAt = this.#at;
    this.end = this.#at + length;
    if (length < 0 || this.end > this.#end) throw invalid(`a length of ${length} bytes`);
    this.#at += 1;
    this.timestampDelta = bytes[this.#at]! < 0x80 ? this.#varint() : this.#varlong();
    this.offsetDeltaAt = this.#at;
    this.offsetDelta = this.#varint();
    const keyLength = this.#varint();
    this.keyStart = keyLength < 0 ? -1 : this.#at;
    this.keyEnd = keyLength < 0 ? -1 : this.#at + keyLength;
    if (keyLength > 0) this.#at += keyLength;
    if (this.#at >= this.end) throw invalid('a key that does not end');
    const valueLength = this.#varint();
    this.hasValue = valueLength >= 0;
    if (this.#at + Math.max(0, valueLength) >= this.end) throw invalid('a value that does not end');
    return true;
  }

  #at = 0;

  #varint(): number {
    const bytes = this.#bytes;
    let byte = bytes[this.#at++]!;
    let value = byte & 0x7f;
    for (let shift = 7; byte >= 0x80; shift += 7) {
      if (shift > 28) throw invalid('a varint that does not end');
      byte = bytes[this.#at++]!;
      value |= (byte & 0x7f) << shift;
    }
    return (value >>> 1) ^ -(value & 1);
  }

  /** Exact within ±2^53. */
  #varlong(): number {
    const bytes = this.#bytes;
    let low = 0;
    let high = 0;
    for (let group = 0; group < 10; group += 1) {
      const byte = bytes[this.#at++]!;
      if (group < 4) low |= (byte & 0x7f) << (7 * group);
      else high += (byte & 0x7f) * 2 ** (7 * (group - 4));
      if (!(byte >= 0x80)) {
        const half = high * (TWO_28 / 2) + (low >>> 1);
        return (low & 1) === 0 ? half : -half - 1;
      }
    }
    throw invalid('a varlong that does not end');
  }
}

function invalid(what: string): InvalidRecordError {
  return new InvalidRecordError(`Found invalid record structure: ${what}`);
}
