import { adler32Within } from '../../base/adler32.ts';
import { Writer } from '../../wire/writer.ts';
import { type TxnRecord, writeTxnRecord } from '../jute/txn.ts';
import { END_OF_RECORD, ENTRY_HEADER_BYTES } from './txn-log-format.ts';

const LENGTH_AT = 8;

/**
 * Entries of the log on their way to one write. Each is encoded where it will be written from; the checksums come last, all
 * in one pass over the block.
 */
export class EntryBatch {
  readonly #to: Writer;
  /** Where the newest entry begins. */
  #lastAt = 0;
  /** Entries that were given to another batch end before this. */
  #end: number | undefined;

  /** @param sizeHint bytes that will probably be needed */
  constructor(sizeHint: number) {
    this.#to = new Writer(sizeHint);
  }

  get size(): number {
    return this.#end ?? this.#to.size;
  }

  /** More than one, so that one may go into the next batch. */
  get isDivisible(): boolean {
    return this.#lastAt > 0;
  }

  /** Answers how many bytes it took. */
  add({ header, txn, digest }: TxnRecord): number {
    const lengthPlace = this.#begin();
    writeTxnRecord(this.#to, header, txn, digest);
    return this.#finishEntry(lengthPlace);
  }

  /** A record that is bytes already; they are copied. */
  addBytes(record: Uint8Array): number {
    const lengthPlace = this.#begin();
    this.#to.bytes(record);
    return this.#finishEntry(lengthPlace);
  }

  /** Removes the newest entry and answers its record. */
  takeLast(): Uint8Array {
    const entry = this.#to.finishFlat().subarray(this.#lastAt);
    this.#end = this.#lastAt;
    return entry.subarray(ENTRY_HEADER_BYTES, entry.length - 1);
  }

  /** The bytes to write. Nothing is added afterwards. */
  finish(): Uint8Array {
    const bytes = this.#to.finishFlat().subarray(0, this.size);
    stampChecksums(bytes);
    return bytes;
  }

  #begin(): number {
    this.#lastAt = this.#to.size;
    // The checksum, of 32 bits in a field of 64.
    this.#to.int32(0);
    this.#to.int32(0);
    return this.#to.placeInt32();
  }

  #finishEntry(lengthPlace: number): number {
    this.#to.patchInt32(lengthPlace, this.#to.size - this.#lastAt - ENTRY_HEADER_BYTES);
    this.#to.int8(END_OF_RECORD);
    return this.#to.size - this.#lastAt;
  }
}

function stampChecksums(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; ) {
    const from = at + ENTRY_HEADER_BYTES;
    const to = from + view.getInt32(at + LENGTH_AT);
    view.setUint32(at + 4, adler32Within(view, from, to));
    at = to + 1;
  }
}
