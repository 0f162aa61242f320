import { adler32 } from '../../base/adler32.ts';
import type { File } from '../../runtime/disk.ts';
import { Reader } from '../../wire/reader.ts';
import { FileHeader } from '../jute/persistence.ts';
import { END_OF_RECORD, ENTRY_HEADER_BYTES, LOG_HEADER_BYTES, RECORD_BYTES_MAX } from './txn-log-format.ts';

/** An entry as its length field cuts it out, right or wrong. */
export interface RawEntry {
  readonly position: number;
  /** As it is written, 64 bits. */
  readonly writtenChecksum: bigint;
  /** Header, body and digest; valid until the next entry is read. */
  readonly bytes: Uint8Array;
  /** Undefined where the file ends before it. */
  readonly endMark: number | undefined;
}

/** What stands where the next entry would begin. */
export type RawStep =
  | { readonly kind: 'entry'; readonly entry: RawEntry }
  /** Zeros, or the file's end, inside an entry too. */
  | { readonly kind: 'end' }
  | { readonly kind: 'length'; readonly length: number };

const WINDOW_BYTES = 256 * 1024;

/** Walks a log file by its length fields alone and judges nothing: for tools that show damage. Memory is one window. */
export class RawLog {
  readonly #file: File;
  #window: Uint8Array = new Uint8Array(0);
  #windowStart = 0;
  #position: number;

  /** @param position of an entry */
  constructor(file: File, position = LOG_HEADER_BYTES) {
    this.#file = file;
    this.#position = position;
  }

  /** Of the next entry. */
  get position(): number {
    return this.#position;
  }

  /** Undefined where the file is too short for one. */
  header(): FileHeader | undefined {
    const bytes = this.#view(0, LOG_HEADER_BYTES);
    return bytes.length < LOG_HEADER_BYTES ? undefined : FileHeader.read(new Reader(bytes));
  }

  next(): RawStep {
    const position = this.#position;
    const head = this.#view(position, ENTRY_HEADER_BYTES);
    if (head.length < ENTRY_HEADER_BYTES) return { kind: 'end' };
    const from = new Reader(head);
    const writtenChecksum = from.bigint64();
    const length = from.int32();
    if (length === 0) return { kind: 'end' };
    if (length < 0 || length > RECORD_BYTES_MAX) return { kind: 'length', length };
    const whole = this.#view(position, ENTRY_HEADER_BYTES + length + 1);
    if (whole.length < ENTRY_HEADER_BYTES + length) return { kind: 'end' };
    this.#position = position + ENTRY_HEADER_BYTES + length + 1;
    const bytes = whole.subarray(ENTRY_HEADER_BYTES, ENTRY_HEADER_BYTES + length);
    const endMark = whole[ENTRY_HEADER_BYTES + length];
    return { kind: 'entry', entry: { position, writtenChecksum, bytes, endMark } };
  }

  #view(position: number, size: number): Uint8Array {
    let from = position - this.#windowStart;
    if (from < 0 || from + size > this.#window.length) {
      this.#window = this.#file.readAt(position, Math.max(size, WINDOW_BYTES));
      this.#windowStart = position;
      from = 0;
    }
    return this.#window.subarray(from, from + size);
  }
}

/** An entry as it lies in a file. @param checksum what to write: the right one, or the one that was there */
export function rawEntryBytes(bytes: Uint8Array, checksum = BigInt(adler32(bytes))): Uint8Array {
  const entry = Buffer.alloc(ENTRY_HEADER_BYTES + bytes.length + 1);
  entry.writeBigInt64BE(checksum, 0);
  entry.writeInt32BE(bytes.length, 8);
  entry.set(bytes, ENTRY_HEADER_BYTES);
  entry[entry.length - 1] = END_OF_RECORD;
  return entry;
}
