import type { BatchHeader } from '../../records/batch.ts';
import type { AppendedSet } from '../segment.ts';

/** What is left of a stretch of batches, on its way to the compacted segment. */
export class RetainedBatches {
  readonly #buffers: Uint8Array[] = [];
  readonly #sets: AppendedSet[] = [];
  #sizeInBytes = 0;
  #recordCount = 0;

  /** In order; neighbours in memory are joined. */
  get buffers(): readonly Uint8Array[] {
    return this.#buffers;
  }

  /** One for each batch. */
  get sets(): readonly AppendedSet[] {
    return this.#sets;
  }

  get sizeInBytes(): number {
    return this.#sizeInBytes;
  }

  get recordCount(): number {
    return this.#recordCount;
  }

  /** The bytes must not change until they are written. */
  add(bytes: Uint8Array, { lastOffset, maxTimestamp, recordCount }: Summary): void {
    const last = this.#buffers.at(-1);
    if (last !== undefined && last.buffer === bytes.buffer && last.byteOffset + last.length === bytes.byteOffset) {
      this.#buffers[this.#buffers.length - 1] = new Uint8Array(
        last.buffer,
        last.byteOffset,
        last.length + bytes.length,
      );
    } else {
      this.#buffers.push(bytes);
    }
    this.#sizeInBytes += bytes.length;
    this.#recordCount += recordCount;
    this.#sets.push({ sizeInBytes: bytes.length, lastOffset, maxTimestamp, offsetOfMaxTimestamp: lastOffset });
  }
}

type Summary = Pick<BatchHeader, 'lastOffset' | 'maxTimestamp' | 'recordCount'>;
