import { CompressionError } from '../../base/compression-error.ts';
import type { Clock } from '../../runtime/clock.ts';
import { MalformedError, UnsupportedVersionError } from '../../wire/errors.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { type Batch, type BatchHeader, batchesOf } from '../records/batch.ts';
import { CorruptBatchError, InvalidRecordError } from '../records/errors.ts';
import { recordsOf } from '../records/iterate.ts';
import type { CoordinatorLog, LogSlice } from './coordinator-log.ts';

/** About 2 ms of the loop. */
const RECORDS_PER_SLICE = 500;
const READ_BYTES = 1 << 20;

/** Where a log is replayed into. */
export interface LogReplay {
  /** A record that has a key, of a batch with this header. @throws MalformedError, UnsupportedVersionError */
  replay(key: Uint8Array, value: Uint8Array | null, header: BatchHeader): void;
  /** A control batch: the end of a transaction. */
  replayControl(batch: Batch): void;
}

export interface LoadOptions {
  readonly log: CoordinatorLog;
  readonly partition: number;
  readonly clock: Clock;
  readonly into: LogReplay;
  /** About how much is read at a time; default 1 MiB. */
  readonly readBytes?: number;
  /** The partition was unloaded meanwhile: stop. */
  readonly isCancelled: () => boolean;
  /** Without a reason: all is read. */
  readonly done: (failure?: LoadFailure) => void;
}

export interface LoadFailure {
  readonly errorCode: number;
  readonly reason: string;
}

/** Replays a partition from its start to the end that it had when loading began, in slices between requests. */
export function loadLog(options: LoadOptions): void {
  const range = options.log.range(options.partition);
  if (range === undefined) {
    options.done({ errorCode: ErrorCode.NOT_COORDINATOR, reason: 'this broker does not lead the partition' });
    return;
  }
  new Loading(options, range.endOffset).read(range.startOffset);
}

/** Where one piece of the log that was read is being replayed. */
interface Progress {
  readonly steps: Iterator<number>;
  readonly startedAt: number;
  nextOffset: number;
}

class Loading {
  readonly #options: LoadOptions;
  readonly #endOffset: number;

  constructor(options: LoadOptions, endOffset: number) {
    this.#options = options;
    this.#endOffset = endOffset;
  }

  read(offset: number): void {
    const { log, partition, clock, readBytes = READ_BYTES, isCancelled, done } = this.#options;
    if (offset >= this.#endOffset) {
      done();
      return;
    }
    log.read(partition, offset, readBytes, (slice) => {
      if (isCancelled()) return;
      // Never deeper in the stack, and never in the turn that another client's request began.
      clock.soon(() => this.#replay(slice, offset));
    });
  }

  #replay(slice: LogSlice, offset: number): void {
    const { errorCode } = slice;
    if (errorCode !== ErrorCode.NONE) {
      this.#options.done({
        errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE,
        reason: `reading failed with ${errorCode}`,
      });
      return;
    }
    this.#proceed({ steps: this.#recordsOf(slice), startedAt: offset, nextOffset: offset });
  }

  /** Some records at a time. */
  #proceed(progress: Progress): void {
    const { clock, isCancelled, done } = this.#options;
    if (isCancelled()) return;
    try {
      for (let count = 0; count < RECORDS_PER_SLICE; count += 1) {
        const step = progress.steps.next();
        if (step.done === true) {
          // Compaction may have taken all that was there up to the end.
          if (progress.nextOffset === progress.startedAt) done();
          else this.read(progress.nextOffset);
          return;
        }
        progress.nextOffset = step.value;
      }
    } catch (error) {
      if (!isDamage(error)) throw error;
      done({ errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE, reason: String(error) });
      return;
    }
    clock.soon(() => this.#proceed(progress));
  }

  /** Replays record by record, and yields where the log goes on after each. */
  *#recordsOf({ batches }: LogSlice): Iterator<number> {
    const { into } = this.#options;
    for (const batch of batchesOf(batches)) {
      const { header } = batch;
      if (header.baseOffset >= this.#endOffset) return;
      const next = header.lastOffset + 1;
      if (header.isControl) into.replayControl(batch);
      else {
        for (const { key, value } of recordsOf(batch)) {
          if (key !== null) into.replay(key, value, header);
          yield next;
        }
      }
      yield next;
    }
  }
}

function isDamage(error: unknown): boolean {
  return (
    error instanceof MalformedError ||
    error instanceof UnsupportedVersionError ||
    error instanceof InvalidRecordError ||
    error instanceof CompressionError ||
    error instanceof CorruptBatchError
  );
}
