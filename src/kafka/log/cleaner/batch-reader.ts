import type { BufferPool, Loan } from '../../../runtime/buffer-pool.ts';
import type { DiskError } from '../../../runtime/disk.ts';
import { type BatchHeader, readBatchHeader } from '../../records/batch.ts';
import { CorruptBatchError } from '../../records/errors.ts';
import type { Segment } from '../segment.ts';

/** Whole batches of a segment, in lent memory. */
export interface Stretch {
  /** Every batch in order, with its bytes; they are valid until `giveBack`. */
  batches(): IterableIterator<readonly [BatchHeader, Uint8Array]>;
  readonly sizeInBytes: number;
  giveBack(): void;
}

/** Header sizes are known from so few bytes. */
const SIZE_KNOWN_FROM = 17;

/** Reads a segment that nobody appends to, stretch by stretch; the next one is on its way while the last is worked on. */
export class BatchReader {
  readonly #segment: Segment;
  readonly #buffers: BufferPool;
  readonly #bytesAtOnce: number;
  #position: number;
  #coming: Promise<Uint8Array> | undefined;
  #loan: Loan | undefined;

  constructor(
    segment: Segment,
    position: number,
    { buffers, bytesAtOnce }: { buffers: BufferPool; bytesAtOnce: number },
  ) {
    this.#segment = segment;
    this.#buffers = buffers;
    this.#bytesAtOnce = bytesAtOnce;
    this.#position = position;
  }

  /** Undefined at the end. @throws DiskError, CorruptBatchError when the file does not end with a whole batch */
  async next(): Promise<Stretch | undefined> {
    const left = this.#segment.settledSize - this.#position;
    if (left <= 0) return undefined;
    let bytes = await (this.#coming ?? this.#read(Math.min(left, this.#bytesAtOnce)));
    let size = wholeBatches(bytes);
    if (size === 0) {
      const wanted = sizeOfFirst(bytes);
      if (wanted === undefined || wanted > left) {
        throw new CorruptBatchError(
          `A batch at byte ${this.#position} of ${this.#segment.path('.log')} is larger than the ${left} bytes left in the segment`,
        );
      }
      this.#loan?.giveBack();
      bytes = await this.#read(wanted);
      size = wholeBatches(bytes);
    }
    const loan = this.#loan;
    this.#loan = undefined;
    this.#position += size;
    const rest = this.#segment.settledSize - this.#position;
    this.#coming = rest > 0 ? this.#read(Math.min(rest, this.#bytesAtOnce)) : undefined;
    // It is looked at by the next call, or never.
    this.#coming?.catch(() => undefined);
    return { sizeInBytes: size, batches: () => batchesIn(bytes, size), giveBack: () => loan?.giveBack() };
  }

  /** No calls after it: what is still coming is waited for and given back. */
  async close(): Promise<void> {
    await this.#coming?.catch(() => undefined);
    this.#loan?.giveBack();
    this.#loan = undefined;
  }

  #read(size: number): Promise<Uint8Array> {
    const loan = this.#buffers.lend([size]);
    this.#loan = loan;
    const [buffer] = loan.buffers as [Uint8Array];
    return new Promise((resolve, reject) => {
      this.#segment.read(this.#position, buffer, (error: DiskError | undefined, count) => {
        if (error === undefined) resolve(buffer.subarray(0, count));
        else reject(error);
      });
    });
  }
}

function* batchesIn(bytes: Uint8Array, end: number): IterableIterator<readonly [BatchHeader, Uint8Array]> {
  for (let position = 0; position < end; ) {
    const header = readBatchHeader(bytes, position)!;
    yield [header, bytes.subarray(position, position + header.sizeInBytes)];
    position += header.sizeInBytes;
  }
}

function wholeBatches(bytes: Uint8Array): number {
  let end = 0;
  while (end < bytes.length) {
    const header = readBatchHeader(bytes, end);
    if (header === undefined || end + header.sizeInBytes > bytes.length) break;
    end += header.sizeInBytes;
  }
  return end;
}

function sizeOfFirst(bytes: Uint8Array): number | undefined {
  return bytes.length < SIZE_KNOWN_FROM ? undefined : readBatchHeader(bytes)?.sizeInBytes;
}
