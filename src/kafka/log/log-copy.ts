import { noSlices, type Slices } from '../../base/slices.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import { readBatchHeader } from '../records/batch.ts';
import type { PartitionLog } from './log.ts';

/** Read and written at once; a larger batch comes whole. */
const SLICE_BYTES = 1_048_576;

/**
 * Makes one log like another, batch by batch, while the other is written to (KIP-113, `ReplicaAlterLogDirsThread`). What they have in
 * common is found by leader epochs (KIP-101), so that a copy which a restart interrupted goes on where it was.
 */
export class LogCopy {
  readonly #from: PartitionLog;
  readonly #to: PartitionLog;

  constructor(from: PartitionLog, to: PartitionLog) {
    this.#from = from;
    this.#to = to;
  }

  /** Everything that is in the file of the one is in the file of the other. */
  get isWhole(): boolean {
    return this.#to.logEndOffset === this.#from.logEndOffset;
  }

  /** Copies the next slice; answers its bytes, 0 where nothing is left to read. @throws KafkaError of either log */
  async next(): Promise<number> {
    await this.#truncate();
    const start = this.#to.logEndOffset;
    const records = start < this.#from.logEndOffset ? await this.#read(start) : noSlices;
    if (records.size > 0) await this.#append(records);
    this.follow();
    return records.size;
  }

  /** High watermark and start are the other's. */
  follow(): void {
    this.#to.updateHighWatermark(this.#from.highWatermark);
    const start = Math.min(this.#from.logStartOffset, this.#to.highWatermark);
    if (start > this.#to.logStartOffset) this.#to.deleteRecords(start);
  }

  /** What the other log does not have goes: its own end was cut since, or a crash left the copy longer. */
  async #truncate(): Promise<void> {
    const { logStartOffset, logEndOffset } = this.#from;
    if (this.#to.logEndOffset < logStartOffset) return this.#beginAt(logStartOffset);
    for (;;) {
      const epoch = this.#to.latestEpoch;
      const common = this.#from.endOffsetForEpoch(epoch);
      const isKnown = epoch < 0 || common.leaderEpoch >= 0;
      const end = !isKnown ? logStartOffset : Math.min(epoch < 0 ? logEndOffset : common.endOffset, logEndOffset);
      if (end >= this.#to.logEndOffset) return;
      await settled((done) => this.#to.truncateTo(end, done));
      if (!isKnown || this.#to.latestEpoch === common.leaderEpoch) return;
    }
  }

  #beginAt(offset: number): Promise<void> {
    return settled((done) => this.#to.truncateFullyAndStartAt(offset, done));
  }

  #read(offset: number): Promise<Slices> {
    const upTo = this.#from.logEndOffset;
    // What is appended at once stands in one segment.
    const maxBytes = Math.min(SLICE_BYTES, this.#to.config.segmentBytes);
    const read = this.#from.read(offset, { maxBytes, minOneMessage: true, upTo });
    if (read.kind === 'memory') return Promise.resolve(read.records);
    return new Promise((resolve, reject) => {
      read.load(new Uint8Array(read.sizeInBytes), (error, records) =>
        error === undefined ? resolve(records) : reject(error),
      );
    });
  }

  async #append(records: Slices): Promise<void> {
    const first = readBatchHeader(records, 0);
    const { logStartOffset, logEndOffset } = this.#to;
    // The other log may begin in the middle of a batch: the copy takes it whole, and then begins there too.
    if (first !== undefined && first.baseOffset < logEndOffset && logStartOffset === logEndOffset) {
      await this.#beginAt(first.baseOffset);
    }
    await new Promise<void>((resolve, reject) => {
      this.#to.appendAsFollower(records, (error) => (error === undefined ? resolve() : reject(error)));
    });
  }
}

function settled(start: (done: (error: KafkaError | undefined) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => start((error) => (error === undefined ? resolve() : reject(error))));
}

/** A disk that failed under either log. */
export function isStorageError(error: unknown): error is KafkaError {
  return error instanceof KafkaError && error.code === ErrorCode.KAFKA_STORAGE_ERROR;
}
