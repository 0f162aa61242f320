import { flatten } from '../../src/base/slices.ts';
import type { NumberedRecords } from '../../src/kafka/log/append.ts';
import type { EpochEntry } from '../../src/kafka/log/leader-epoch-cache.ts';
import type { PartitionLog } from '../../src/kafka/log/log.ts';
import { learnFrom } from '../../src/kafka/log/producer-replay.ts';
import { type CompletedTransaction, ProducerState } from '../../src/kafka/log/producer-state.ts';
import { type Batch, batchesOf } from '../../src/kafka/records/batch.ts';
import type { LogPicture } from './log-picture.ts';
import { must } from './violation.ts';

/** What some batches say of their producers. */
export interface Learnt {
  readonly producers: ProducerState;
  readonly completed: readonly CompletedTransaction[];
}

/**
 * What is known of one partition without a look at its files: every batch that it was given and that was not cut off since, and how
 * much of that a crash may take.
 */
export class LogBook {
  readonly topicId: string;
  /** From the first on; what was deleted or compacted stays in here. */
  batches: Batch[] = [];
  /** Offsets below were answered: no end of the process takes them. */
  answered = 0;
  /** Offsets below are on stable storage: nothing takes them. */
  durable = 0;
  /** The log begins at most here; and at least there, once a checkpoint has said so or segments are gone for good. */
  start = 0;
  durableStart = 0;
  /** The leader epochs' file is cut when the log's start moves, which is durable later: of what is below, it may say nothing. */
  epochsFrom = 0;
  /** While the process lives, no restart brings back what is gone before this offset. */
  firstBase = 0;
  highWatermark = 0;
  durableHighWatermark = 0;
  /** Some pass of the cleaner has begun. */
  isCompacted = false;
  /** Where the log is on its way to begin anew, without a record. */
  anewAt: number | undefined;
  /** Its creation is not durable yet, or its deletion has begun: it may be gone. */
  mayBeGone = true;
  #releasedFrom: number | undefined;

  constructor(topicId: string) {
    this.topicId = topicId;
  }

  append({ slices }: NumberedRecords): void {
    // The log may still write to what it was given.
    for (const batch of batchesOf(Uint8Array.from(flatten(slices)))) this.batches.push(batch);
  }

  /** Nothing at or above an offset is promised any more. */
  release(offset: number): void {
    this.#releasedFrom = offset;
    this.answered = Math.min(this.answered, offset);
    this.durable = Math.min(this.durable, offset);
    this.durableHighWatermark = Math.min(this.durableHighWatermark, offset);
    this.durableStart = Math.min(this.durableStart, offset);
    this.firstBase = Math.min(this.firstBase, offset);
  }

  /** What was released is gone. */
  cut(offset: number): void {
    this.batches = this.batches.filter(({ header }) => header.lastOffset < offset);
    this.#releasedFrom = undefined;
    this.start = Math.min(this.start, offset);
    this.highWatermark = Math.min(this.highWatermark, offset);
  }

  /** A truncation, a deletion or a new beginning is under way: what the log itself took for durable counts no more. */
  get isReleased(): boolean {
    return this.mayBeGone || this.anewAt !== undefined || this.#releasedFrom !== undefined;
  }

  /** The log begins at an offset, without a record. */
  begunAnew(offset: number): void {
    this.batches = [];
    this.#releasedFrom = undefined;
    this.anewAt = undefined;
    this.start = offset;
    this.durableStart = offset;
    this.firstBase = offset;
    this.highWatermark = Math.max(this.highWatermark, offset);
  }

  /** After a clean stop everything is durable. */
  stopped({
    logEndOffset,
    logStartOffset,
    highWatermark,
  }: Pick<PartitionLog, 'logEndOffset' | 'logStartOffset' | 'highWatermark'>): void {
    this.durable = logEndOffset;
    this.durableStart = logStartOffset;
    this.durableHighWatermark = highWatermark;
  }

  /** After a crash, and once it was compared, what is there is the truth. */
  found({ start, end, highWatermark }: LogPicture, firstBase: number): void {
    this.release(end);
    this.cut(end);
    this.epochsFrom = Math.max(this.epochsFrom, this.start);
    this.start = start;
    this.answered = end;
    this.highWatermark = highWatermark;
    this.firstBase = firstBase;
    this.anewAt = undefined;
  }

  /** The end of what must be there, if everything below `offset` must. */
  endBelow(offset: number): number {
    const last = this.batches.findLast(({ header }) => header.lastOffset < offset);
    return last === undefined ? 0 : last.header.lastOffset + 1;
  }

  /** Those that a log from `start` to `end` holds. */
  between(start: number, end: number): Batch[] {
    return this.batches.filter(({ header }) => header.lastOffset >= start && header.lastOffset < end);
  }

  epochs(end: number): EpochEntry[] {
    const entries: EpochEntry[] = [];
    for (const { header } of this.between(0, end)) {
      const { partitionLeaderEpoch: epoch, baseOffset: startOffset } = header;
      must(epoch >= (entries.at(-1)?.epoch ?? 0), () => `epoch ${epoch} comes after a later one`);
      if (epoch !== entries.at(-1)?.epoch) entries.push({ epoch, startOffset });
    }
    return entries;
  }
}

/** The first batch with data of a transaction that is there. */
export function firstDataOf(
  { producerId, firstOffset, lastOffset }: CompletedTransaction,
  batches: readonly Batch[],
): Batch | undefined {
  return batches.find(
    ({ header }) =>
      header.producerId === producerId &&
      !header.isControl &&
      header.recordCount > 0 &&
      header.baseOffset >= firstOffset &&
      header.lastOffset < lastOffset,
  );
}

export function learn(batches: readonly Batch[]): Learnt {
  const producers = new ProducerState();
  const completed: CompletedTransaction[] = [];
  for (const { header, bytes } of batches) {
    const ended = learnFrom(producers, header, () => bytes);
    if (ended !== undefined) completed.push(ended);
  }
  return { producers, completed };
}
