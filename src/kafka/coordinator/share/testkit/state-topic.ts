import { concatSlices, type Slices } from '../../../../base/slices.ts';
import { ErrorCode } from '../../../protocol/errors.ts';
import { batchesOf } from '../../../records/batch.ts';
import { buildBatch } from '../../../records/builder.ts';
import { recordsOf } from '../../../records/iterate.ts';
import type { CoordinatorRecord, LogRange, LogSlice } from '../../coordinator-log.ts';
import type { ShareStateLog } from '../share-state-partition.ts';
import { decodeRecord, type ShareStateRecord } from '../share-state-records.ts';

interface StoredBatch {
  readonly nextOffset: number;
  readonly bytes: Slices;
}

/** One partition of `__share_group_state` in memory, with replicas that answer when a test wants them to. */
export class StateTopic implements ShareStateLog {
  #batches: StoredBatch[] = [];
  #startOffset = 0;
  #endOffset = 0;
  /** What the next appends meet: an error, whether the batch is written all the same. */
  readonly failures: { errorCode: number; isWritten: boolean }[] = [];
  /** Appends wait for `commit`. */
  isHeld = false;
  readonly #held: (() => void)[] = [];

  partitionCount(): number {
    return 1;
  }

  append(_partition: number, records: readonly CoordinatorRecord[], done: (errorCode: number) => void): void {
    const failure = this.failures.shift();
    if (failure?.isWritten !== false) {
      const bytes = buildBatch({
        baseOffset: this.#endOffset,
        records: records.map(({ key, value }) => ({ key, value, timestamp: 0, headers: [] })),
      });
      this.#endOffset += records.length;
      this.#batches.push({ nextOffset: this.#endOffset, bytes });
    }
    const answer = (): void => done(failure?.errorCode ?? ErrorCode.NONE);
    if (this.isHeld) this.#held.push(answer);
    else answer();
  }

  commit(): void {
    for (const release of this.#held.splice(0)) release();
  }

  range(): LogRange {
    return { startOffset: this.#startOffset, endOffset: this.#endOffset };
  }

  read(_partition: number, offset: number, _bytesMax: number, done: (slice: LogSlice) => void): void {
    const following = this.#batches.filter(({ nextOffset }) => nextOffset > offset);
    done({ errorCode: ErrorCode.NONE, batches: concatSlices(following.slice(0, 7).map(({ bytes }) => bytes)) });
  }

  /** Whole batches go, as whole segments do. */
  deleteRecords(_partition: number, beforeOffset: number): void {
    this.#startOffset = Math.max(this.#startOffset, beforeOffset);
    this.#batches = this.#batches.filter(({ nextOffset }) => nextOffset > this.#startOffset);
  }

  get startOffset(): number {
    return this.#startOffset;
  }

  records(): ShareStateRecord[] {
    return this.#batches.flatMap(({ bytes }) =>
      [...batchesOf(bytes)].flatMap((batch) =>
        [...recordsOf(batch)].flatMap(({ key, value }) => decodeRecord(key as Uint8Array, value) ?? []),
      ),
    );
  }
}
