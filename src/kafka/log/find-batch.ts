import type { File } from '../../runtime/disk.ts';
import { type BatchHeader, readBatchHeader } from '../records/batch.ts';

export interface FoundBatch {
  readonly position: number;
  readonly header: BatchHeader;
}

export interface Stretch {
  /** Where a batch begins. */
  readonly from: number;
  /** Where the last one ends that may be looked at. */
  readonly to: number;
}

/** Large enough that a 4096-byte index interval of small batches is one read. */
const WINDOW_BYTES = 16_384;
/** No header is longer. */
const HEADER_BYTES = 61;

/** One for all searches: nothing of it is kept, and a fetch that allocates is a fetch that the collector is called for. */
const memory = Buffer.allocUnsafeSlow(WINDOW_BYTES);

/**
 * The first batch of a file that holds an offset or a larger one; only headers are read, at once. Undefined where there is none,
 * or one that does not end within the stretch comes before it. @throws CorruptBatchError, DiskError
 */
export function findBatch(file: File, offset: number, { from, to }: Stretch): FoundBatch | undefined {
  let window: Uint8Array = memory.subarray(0, 0);
  let windowStart = from;
  for (let position = from; position < to; ) {
    const headerEnd = Math.min(position + HEADER_BYTES, to);
    if (headerEnd > windowStart + window.length) {
      window = file.readAt(position, Math.min(WINDOW_BYTES, to - position), memory);
      windowStart = position;
    }
    const header = readBatchHeader(window, position - windowStart);
    if (header === undefined || position + header.sizeInBytes > to) return undefined;
    if (header.lastOffset >= offset) return { position, header };
    position += header.sizeInBytes;
  }
  return undefined;
}
