import { flatten } from '../../base/slices.ts';
import { type Batch, NO_TIMESTAMP } from './batch.ts';
import { viewOf } from './bytes.ts';
import { codecOf, type IterateOptions, plainRecords } from './iterate.ts';
import { type LegacyEntry, legacyAttributes, legacyOverhead, putEntry, type Span } from './legacy-entry.ts';
import type { OutputBlock } from './output-block.ts';

/** A timestamp beyond ±2^53 was saturated when it was read, and one below -1 has no meaning: neither is written again. */
export function encodable(timestamp: number): number {
  return Number.isSafeInteger(timestamp) && timestamp >= NO_TIMESTAMP ? timestamp : NO_TIMESTAMP;
}

/** The least a record of magic 2 takes: its size and six fields of a byte. */
const RECORD_BYTES_MIN = 7;

/** What is told of entries that were written. */
export interface WrittenEntries {
  readonly count: number;
  readonly lastOffset: number;
  readonly maxTimestamp: number;
}

export interface EntryOptions extends IterateOptions {
  readonly magic: 0 | 1;
  /** Records below it are left out. */
  readonly firstOffset: number;
}

/**
 * Writes the records of a batch of magic 2 as uncompressed entries behind what the block has: nothing is made for a single
 * record. Undefined, with the block as it was, where anything is odd; who reads record by record then says what.
 */
export function putEntriesOf(batch: Batch, options: EntryOptions, into: OutputBlock): WrittenEntries | undefined {
  const { recordCount } = batch.header;
  const { slices, position } = plainRecords(batch, options);
  const size = slices.size - position;
  if (recordCount <= 0 || recordCount * RECORD_BYTES_MIN > size) return undefined;
  // Key and value were part of a record that was larger than they are.
  into.reserve(size + recordCount * legacyOverhead(options.magic));
  const walk = new EntryWalk(batch, flatten(slices), position, options, into);
  for (let left = recordCount; left > 0; left -= 1) if (!walk.next()) return undefined;
  return walk.finish();
}

class EntryWalk {
  readonly #batch: Batch;
  readonly #from: Uint8Array;
  readonly #block: OutputBlock;
  readonly #into: DataView;
  readonly #options: EntryOptions;
  readonly #entry: LegacyEntry;
  /** Inner offsets of compressed magic 1 count from the first record. */
  readonly #isRelative: boolean;
  readonly #hasAppendTime: boolean;
  #at: number;
  #end: number;
  #count = 0;
  #firstOffset = -1;
  #lastOffset = -1;
  #maxTimestamp = NO_TIMESTAMP;

  /** @param block has room for all */
  constructor(batch: Batch, from: Uint8Array, position: number, options: EntryOptions, block: OutputBlock) {
    const { timestampType } = batch.header;
    this.#batch = batch;
    this.#from = from;
    this.#at = position;
    this.#options = options;
    this.#block = block;
    this.#into = block.view;
    this.#end = block.end;
    this.#isRelative = options.magic === 1 && codecOf(batch) !== 'none';
    this.#hasAppendTime = timestampType === 'LogAppendTime';
    this.#entry = {
      magic: options.magic,
      attributes: legacyAttributes(options.magic, 'none', timestampType),
      offset: 0,
      timestamp: 0,
      source: viewOf(from),
      key: { at: 0, size: 0 },
      value: { at: 0, size: 0 },
    };
  }

  /** False where the record is not as it should be. */
  next(): boolean {
    const { header } = this.#batch;
    const size = this.#varint();
    const recordEnd = this.#at + size;
    if (!(size > 0) || recordEnd > this.#from.length) return false;
    this.#at += 1;
    const timestamp = this.#hasAppendTime ? this.#skipTimestamp() : header.baseTimestamp + this.#varlong();
    const offset = header.baseOffset + this.#varint();
    const { key, value } = this.#entry;
    if (Number.isNaN(timestamp) || !this.#span(key) || !this.#span(value)) return false;
    if (!this.#skipHeaders() || this.#at !== recordEnd) return false;
    if (!Number.isSafeInteger(offset) || offset <= this.#lastOffset) return false;
    if (offset >= this.#options.firstOffset) this.#put(offset, timestamp);
    this.#lastOffset = offset;
    return true;
  }

  /** Undefined where more follows than was announced; else the entries are the block's. */
  finish(): WrittenEntries | undefined {
    if (this.#at !== this.#from.length) return undefined;
    this.#block.end = this.#end;
    return { count: this.#count, lastOffset: this.#lastOffset, maxTimestamp: this.#maxTimestamp };
  }

  #put(offset: number, timestamp: number): void {
    const entry = this.#entry;
    if (this.#count === 0) this.#firstOffset = offset;
    entry.offset = this.#isRelative ? offset - this.#firstOffset : offset;
    entry.timestamp = encodable(timestamp);
    if (entry.timestamp > this.#maxTimestamp) this.#maxTimestamp = entry.timestamp;
    this.#end = putEntry(this.#into, this.#end, entry);
    this.#count += 1;
  }

  #span(span: Span): boolean {
    const size = this.#varint();
    if (Number.isNaN(size)) return false;
    span.at = this.#at;
    span.size = size;
    if (size > 0) this.#at += size;
    return this.#at <= this.#from.length;
  }

  /** Old consumers know no headers. */
  #skipHeaders(): boolean {
    const count = this.#varint();
    for (let left = count; left > 0; left -= 1) {
      const keySize = this.#varint();
      if (!(keySize >= 0)) return false;
      this.#at += keySize;
      const valueSize = this.#varint();
      if (Number.isNaN(valueSize)) return false;
      if (valueSize > 0) this.#at += valueSize;
      if (this.#at > this.#from.length) return false;
    }
    return count >= 0;
  }

  #skipTimestamp(): number {
    this.#varlong();
    return this.#batch.header.maxTimestamp;
  }

  /** Zig-zag of up to five bytes; NaN for what is longer, or is not there. */
  #varint(): number {
    let value = 0;
    for (let shift = 0; shift <= 28; shift += 7) {
      const byte = this.#from[this.#at] ?? 0xff;
      this.#at += 1;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1);
    }
    return Number.NaN;
  }

  /** Zig-zag of up to eight bytes, which is more than timestamps need; NaN for what is longer, or no number holds. */
  #varlong(): number {
    let value = 0;
    let scale = 1;
    for (let index = 0; index < 8; index += 1) {
      const byte = this.#from[this.#at] ?? 0xff;
      this.#at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) return Number.NaN;
        return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      }
      scale *= 128;
    }
    return Number.NaN;
  }
}
