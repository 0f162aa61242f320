import type { File } from '../../runtime/disk.ts';
import { type BatchHeader, readBatchHeader } from '../records/batch.ts';

/** Large enough that a 4096-byte index interval of small batches is one read. */
const WINDOW_BYTES = 16_384;
/** No header is longer. */
const HEADER_BYTES = 61;

/** One for all searches, of which nothing is kept: a fetch that allocates is a fetch that the collector is called for. */
const searchMemory = Buffer.allocUnsafeSlow(WINDOW_BYTES);

/** Walks the headers of a log file through a window, reading at once; bodies are skipped unless asked for. */
export class BatchWalk {
  readonly #file: File;
  readonly #end: number;
  readonly #windowBytes: number;
  #memory: Uint8Array | undefined;
  #window: Uint8Array = new Uint8Array(0);
  #windowStart = 0;
  /** Where the batch that `next` answered begins, and where the following one does. */
  position: number;
  #nextPosition: number;
  #size = 0;

  constructor(file: File, position: number, end: number, windowBytes = WINDOW_BYTES) {
    this.#file = file;
    this.position = position;
    this.#nextPosition = position;
    this.#end = end;
    this.#windowBytes = windowBytes;
  }

  /** A walk for headers alone that ends before the next one begins. */
  static search(file: File, position: number, end: number): BatchWalk {
    const walk = new BatchWalk(file, position, end);
    walk.#memory = searchMemory;
    return walk;
  }

  /** Undefined at the end, and before a batch that is not wholly there. @throws CorruptBatchError, DiskError */
  next(): BatchHeader | undefined {
    const at = this.#nextPosition;
    if (at >= this.#end) return undefined;
    this.#cover(at, Math.min(HEADER_BYTES, this.#end - at));
    const header = readBatchHeader(this.#window, at - this.#windowStart);
    if (header === undefined || at + header.sizeInBytes > this.#end) return undefined;
    this.position = at;
    this.#size = header.sizeInBytes;
    this.#nextPosition = at + header.sizeInBytes;
    return header;
  }

  /** Where the walk stands: behind the last batch that was whole. */
  get reached(): number {
    return this.#nextPosition;
  }

  /** The current batch; valid until the next call. */
  bytes(): Uint8Array {
    this.#cover(this.position, this.#size);
    const from = this.position - this.#windowStart;
    return this.#window.subarray(from, from + this.#size);
  }

  #cover(from: number, size: number): void {
    if (from >= this.#windowStart && from + size <= this.#windowStart + this.#window.length) return;
    const wanted = Math.min(Math.max(size, this.#windowBytes), this.#end - from);
    this.#window = this.#file.readAt(from, wanted, this.#memory);
    this.#windowStart = from;
  }
}
