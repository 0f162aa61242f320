import { adler32, adler32Within } from '../../base/adler32.ts';
import { CorruptionError, type File } from '../../runtime/disk.ts';
import { MalformedError } from '../../wire/errors.ts';
import { Reader } from '../../wire/reader.ts';
import type { Zxid } from '../jute/ids.ts';
import { readTxnRecord, type TxnRecord } from '../jute/txn.ts';
import {
  BATCH_BYTES_MAX,
  END_OF_RECORD,
  ENTRY_HEADER_BYTES,
  LOG_HEADER_BYTES,
  LOG_MAGIC,
  RECORD_BYTES_MAX,
} from './txn-log-format.ts';

export interface TxnLogEntry extends TxnRecord {
  /** Header, body and digest as they lie in the log: a view of the window that was read for it, which is not written again. */
  readonly bytes: Uint8Array;
  /** Of the entry in the file. */
  readonly position: number;
}

/** An entry that is not taken apart. */
export type TxnLogRecord = Pick<TxnLogEntry, 'bytes'> & { readonly zxid: Zxid };

/** How a file ends: in zeros (or at its length), or in a write that a crash cut. */
export type LogEnd = 'clean' | 'torn';

const WINDOW_BYTES = 256 * 1024;
/** A disk writes sectors wholly or not at all, in any order until they are synced. */
const SECTOR_BYTES = 512;

/**
 * Reads the entries of a log file up to its end. The end is where zeros begin, or a torn write: of the last batch before a crash,
 * any sectors may be missing. Nothing of it was acknowledged. Anything else that is wrong is damage, and refused.
 */
export class TxnLogReader {
  readonly #file: File;
  readonly #size: number;
  #window: Uint8Array = new Uint8Array(0);
  /** Of the window: a view for each of a million entries would cost more than to read them. */
  #words: DataView = new DataView(new ArrayBuffer(0));
  #windowStart = 0;
  #position = LOG_HEADER_BYTES;
  #end: LogEnd | undefined;

  /** @throws CorruptionError where the file's header is none */
  constructor(file: File) {
    this.#file = file;
    this.#size = file.size;
    if (this.#reach(0, LOG_HEADER_BYTES) && this.#words.getInt32(0) === LOG_MAGIC) return;
    if (!this.#isTorn(0, LOG_HEADER_BYTES)) throw new CorruptionError(file.path, 0, 'no log header (ZKLG)');
    this.#position = 0;
    this.#end = 'torn';
  }

  /** Of the next entry; at the end, where the last good one ends. 0 if not even the header was written. */
  get position(): number {
    return this.#position;
  }

  /** Known once `next` answered undefined. */
  get end(): LogEnd | undefined {
    return this.#end;
  }

  /** @throws CorruptionError */
  next(): TxnLogEntry | undefined {
    return this.nextAfter(BEFORE_ALL) as TxnLogEntry | undefined;
  }

  /**
   * The next entry; of one that is not after a zxid only that: its checksum is looked at, its content is not.
   * @throws CorruptionError
   */
  nextAfter(zxid: Zxid): TxnLogEntry | 'earlier' | undefined {
    const position = this.#position;
    const size = this.#advance();
    if (size === undefined) return undefined;
    if (this.#zxidAt(position) <= zxid) return 'earlier';
    const bytes = this.#recordAt(position, size);
    const { header, txn, digest } = this.#parse(bytes, position);
    return { header, txn, digest, bytes, position };
  }

  /** The next entry as its bytes, which are looked into for the zxid alone: to send it on. @throws CorruptionError */
  nextRecord(): TxnLogRecord | undefined {
    const position = this.#position;
    const size = this.#advance();
    return size === undefined ? undefined : { zxid: this.#zxidAt(position), bytes: this.#recordAt(position, size) };
  }

  /** Passes over the next entry, which then lies in the window; its size, or undefined at the end. */
  #advance(): number | undefined {
    if (this.#end !== undefined) return undefined;
    const size = this.#checkEntry(this.#position);
    if (size !== undefined) this.#position += size;
    return size;
  }

  /** Of an entry in the window. */
  #zxidAt(position: number): Zxid {
    return this.#words.getBigInt64(position - this.#windowStart + ENTRY_HEADER_BYTES + ZXID_AT) as Zxid;
  }

  #recordAt(position: number, size: number): Uint8Array {
    const from = position - this.#windowStart + ENTRY_HEADER_BYTES;
    return this.#window.subarray(from, from + size - ENTRY_HEADER_BYTES - 1);
  }

  /** Bytes of the entry at a position, which then lies in the window; undefined at the end. */
  #checkEntry(position: number): number | undefined {
    if (!this.#reach(position, ENTRY_HEADER_BYTES)) return this.#endAt(position, ENTRY_HEADER_BYTES, 'an entry is cut');
    const length = this.#words.getInt32(position - this.#windowStart + 8);
    if (length === 0) return this.#endAt(position, ENTRY_HEADER_BYTES, 'an entry of no length');
    if (length < 0 || length > RECORD_BYTES_MAX) {
      return this.#endAt(position, ENTRY_HEADER_BYTES, `Unreasonable length = ${length}`);
    }
    const size = ENTRY_HEADER_BYTES + length + 1;
    if (!this.#reach(position, size)) return this.#endAt(position, size, 'the file ends inside an entry');
    const from = position - this.#windowStart;
    const end = from + size - 1;
    if (this.#window[end] !== END_OF_RECORD) return this.#endAt(position, size, 'no end of record');
    const sum = adler32Within(this.#words, from + ENTRY_HEADER_BYTES, end);
    if (sum !== checksumAt(this.#words, from)) return this.#endAt(position, size, 'CRC check failed');
    if (length < ZXID_AT + 8) throw new CorruptionError(this.#file.path, position, `a transaction of ${length} bytes`);
    return size;
  }

  #parse(bytes: Uint8Array, position: number): TxnRecord {
    try {
      return readTxnRecord(new Reader(bytes));
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      throw new CorruptionError(this.#file.path, position, error.message);
    }
  }

  /** @param size what the entry takes, as far as it is known */
  #endAt(position: number, size: number, what: string): undefined {
    if (this.#isZero(position, position + BATCH_BYTES_MAX)) this.#end = 'clean';
    else if (this.#isTorn(position, size)) this.#end = 'torn';
    else throw new CorruptionError(this.#file.path, position, what);
    return undefined;
  }

  /** Whether what is wrong with the bytes at a position can come from a crash during the last write. */
  #isTorn(position: number, size: number): boolean {
    const entryEnd = position + size;
    if (this.#matchesWithOtherLength(position)) return false;
    // One write reaches no further.
    if (!this.#isZero(position + LOG_HEADER_BYTES + BATCH_BYTES_MAX + RECORD_BYTES_MAX, this.#size)) return false;
    if (entryEnd > this.#size) return true;
    // The write stopped inside the entry: its last byte is missing, and all after it.
    if (this.#isZero(entryEnd - 1, this.#size)) return true;
    return this.#missesSector(position, entryEnd);
  }

  /** Whether the entry is whole but for its length field: then it is damage, wherever the wrong length leads. */
  #matchesWithOtherLength(position: number): boolean {
    const bytes = this.#file.readAt(position, ENTRY_HEADER_BYTES + RECORD_BYTES_MAX);
    if (bytes.length < ENTRY_HEADER_BYTES) return false;
    const expected = checksumAt(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0);
    let checksum = 1;
    let summed = ENTRY_HEADER_BYTES;
    for (let at = bytes.indexOf(END_OF_RECORD, summed); at >= 0; at = bytes.indexOf(END_OF_RECORD, at + 1)) {
      checksum = adler32(bytes.subarray(summed, at), checksum);
      summed = at;
      if (checksum === expected) return true;
    }
    return false;
  }

  /** Whether some sector holds what it held before the write: zeros from where the write began. */
  #missesSector(position: number, entryEnd: number): boolean {
    // The upper half of a checksum is zero anyway.
    const start = position + 4;
    for (let sector = start - (start % SECTOR_BYTES); sector < entryEnd; sector += SECTOR_BYTES) {
      if (this.#isZero(Math.max(sector, start), Math.min(sector + SECTOR_BYTES, this.#size))) return true;
    }
    return false;
  }

  #isZero(from: number, to: number): boolean {
    const end = Math.min(to, this.#size);
    for (let at = from; at < end; at += zeros.length) {
      const bytes = this.#file.readAt(at, Math.min(zeros.length, end - at));
      if (Buffer.compare(bytes, zeros.subarray(0, bytes.length)) !== 0) return false;
    }
    return true;
  }

  /** Makes the window hold so many bytes at a position; false where the file ends before. */
  #reach(position: number, size: number): boolean {
    const from = position - this.#windowStart;
    if (from >= 0 && from + size <= this.#window.length) return true;
    const window = this.#file.readAt(position, Math.max(size, WINDOW_BYTES));
    this.#window = window;
    this.#words = new DataView(window.buffer, window.byteOffset, window.length);
    this.#windowStart = position;
    return window.length >= size;
  }
}

const zeros = Buffer.alloc(64 * 1024);
/** In an entry's record, after the client's session and its xid. */
const ZXID_AT = 12;
/** No zxid is as low: they begin at 0. */
const BEFORE_ALL = -(2n ** 63n) as Zxid;

/** The upper half of the checksum field must be zero: -1 never matches. */
function checksumAt(words: DataView, at: number): number {
  return words.getUint32(at) === 0 ? words.getUint32(at + 4) : -1;
}
