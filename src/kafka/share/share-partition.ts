import type { Clock, Timer } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { ReadOutcome } from '../coordinator/share/share-coordinator.ts';
import type { ShareKey } from '../coordinator/share/share-key.ts';
import { combineBatches } from '../coordinator/share/state-batches.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import type { Partition } from '../replication/partition.ts';
import { type Acknowledgement, acknowledgeRecords, type Changes, releaseRecords } from './acknowledge.ts';
import { type AcquiredRecords, acquireRecords } from './acquire.ts';
import { InFlightRecords, type StoredBatch } from './in-flight-records.ts';
import type { ShareGroupConfig } from './share-group-config.ts';
import type { SharePersister } from './share-persister.ts';
import { commit, rollBack } from './slot.ts';

export interface SharePartitionOptions {
  readonly key: ShareKey;
  readonly partition: Partition;
  readonly clock: Clock;
  readonly log: Log;
  readonly persister: SharePersister;
  readonly config: () => ShareGroupConfig;
  /** Records may have become available. */
  readonly onProgress: () => void;
  /** It cannot go on: whoever asks next starts anew from what is stored. */
  readonly onFenced: () => void;
}

export interface ShareAcquire {
  readonly memberId: string;
  readonly fetchOffset: number;
  readonly batches: readonly { readonly baseOffset: number; readonly lastOffset: number }[];
  readonly maxRecords: number;
  readonly batchSize: number;
  readonly isStrict: boolean;
  /** Runs of offsets that the group must not see: aborted transactions. */
  readonly hidden: readonly { readonly firstOffset: number; readonly lastOffset: number }[];
}

export type Done = (error: KafkaError | undefined) => void;

/**
 * One partition as a share group reads it, on the partition's leader (`SharePartition`). What was acquired is remembered here
 * alone; what ended is stored with the share coordinator before it counts.
 */
export class SharePartition {
  readonly key: ShareKey;
  readonly partition: Partition;
  readonly leaderEpoch: number;
  readonly records = new InFlightRecords();
  readonly #options: SharePartitionOptions;
  #state: 'new' | 'loading' | 'active' | 'fenced' = 'new';
  readonly #waiting: Done[] = [];
  #stateEpoch = 0;
  #isBusy = false;
  #timer: Timer | undefined;
  #wakesMs = Infinity;

  constructor(options: SharePartitionOptions) {
    this.#options = options;
    this.key = options.key;
    this.partition = options.partition;
    this.leaderEpoch = options.partition.leaderEpoch;
  }

  get isActive(): boolean {
    return this.#state === 'active';
  }

  get isFenced(): boolean {
    return this.#state === 'fenced';
  }

  /** Nobody fetches, and there is something to fetch or room for it. */
  get mayAcquire(): boolean {
    const { records } = this;
    if (!this.isActive || this.#isBusy) return false;
    return records.nextFetchOffset !== records.endOffset + 1 || records.count < this.#options.config().inFlightMax;
  }

  /** One fetch at a time reads the log: two would find the same records. */
  lock(): void {
    this.#isBusy = true;
  }

  unlock(): void {
    this.#isBusy = false;
  }

  // ---- start and end

  /** Reads what is stored, once; answers when it is there. */
  open(done: Done): void {
    if (this.#state === 'active') return done(undefined);
    if (this.#state === 'fenced') return done(new KafkaError(ErrorCode.NOT_LEADER_OR_FOLLOWER));
    this.#waiting.push(done);
    if (this.#state === 'loading') return;
    this.#state = 'loading';
    this.#options.persister.read(this.key, this.leaderEpoch, (outcome) => this.#read(outcome));
  }

  #read(outcome: ReadOutcome): void {
    if (this.#state !== 'loading') return;
    const { errorCode, errorMessage, stateEpoch, startOffset, stateBatches } = outcome;
    if (errorCode !== ErrorCode.NONE) return this.#failed(persisterError(errorCode, errorMessage));
    this.#stateEpoch = stateEpoch;
    this.#firstOffset(startOffset, (error, offset) => {
      if (this.#state !== 'loading') return;
      if (error !== undefined) return this.#failed(error);
      this.records.restore(offset, combineBatches([], stateBatches, offset));
      this.#state = 'active';
      this.#options.log.debug('a share partition is open', { ...this.key, startOffset: offset });
      for (const done of this.#waiting.splice(0)) done(undefined);
    });
  }

  /** What is stored, or what the group wants where nothing is. */
  #firstOffset(stored: number, done: (error: KafkaError | undefined, offset: number) => void): void {
    if (stored !== -1) return done(undefined, stored);
    const { partition, clock, config } = this.#options;
    try {
      const log = partition.leaderLog();
      const { offsetReset } = config();
      if (offsetReset === 'latest') return done(undefined, log.highWatermark);
      if (offsetReset === 'earliest') return done(undefined, log.logStartOffset);
      log.offsetForTimestamp(clock.wallMs() - offsetReset.durationMs, (error, found) =>
        done(error, found?.offset ?? log.highWatermark),
      );
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      done(error, 0);
    }
  }

  /** The next who asks tries again. */
  #failed(error: KafkaError): void {
    this.#options.log.warn('a share partition cannot be opened', { ...this.key, error: error.message });
    this.#state = 'fenced';
    this.#options.onFenced();
    for (const done of this.#waiting.splice(0)) done(error);
  }

  /** Another broker leads, the topic is gone, or the coordinator refuses us. */
  fence(): void {
    if (this.#state === 'fenced') return;
    this.#state = 'fenced';
    this.#timer?.cancel();
    this.#options.onFenced();
    for (const done of this.#waiting.splice(0)) done(new KafkaError(ErrorCode.NOT_LEADER_OR_FOLLOWER));
  }

  // ---- delivery

  acquire(request: ShareAcquire): readonly AcquiredRecords[] {
    const { deliveryCountMax, inFlightMax, recordLockDurationMs } = this.#options.config();
    const lockedUntilMs = this.#nowMs + recordLockDurationMs;
    const limits = { deliveryCountMax, inFlightMax };
    const acquired = acquireRecords(this.records, { ...request, lockedUntilMs, limits });
    if (acquired.length > 0) this.#arm(lockedUntilMs);
    if (request.hidden.length === 0) return acquired;
    for (const { firstOffset, lastOffset } of request.hidden) this.records.archiveHeld(firstOffset, lastOffset);
    this.records.advance();
    return without(acquired, request.hidden);
  }

  acknowledge(memberId: string, acknowledgements: readonly Acknowledgement[], done: Done): void {
    if (!this.isActive) return done(new KafkaError(ErrorCode.NOT_LEADER_OR_FOLLOWER));
    const { deliveryCountMax, recordLockDurationMs, isRenewEnabled } = this.#options.config();
    try {
      const changes = acknowledgeRecords(this.records, acknowledgements, {
        memberId,
        nowMs: this.#nowMs,
        deliveryCountMax,
        renewMs: isRenewEnabled ? recordLockDurationMs : undefined,
      });
      this.#store(changes, done);
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      done(error);
    }
  }

  /** The member is gone. */
  release(memberId: string, done: Done): void {
    if (!this.isActive) return done(undefined);
    this.#store(releaseRecords(this.records, memberId, this.#options.config().deliveryCountMax), done);
  }

  #store({ slots, stored }: Changes, done: Done): void {
    if (stored.length === 0) return done(undefined);
    this.#write(stored, (error) => {
      const { deliveryCountMax } = this.#options.config();
      for (const slot of slots) {
        if (error === undefined) commit(slot);
        else rollBack(slot, this.#nowMs, deliveryCountMax);
      }
      this.records.advance();
      // What was rolled back may be over already.
      if (error !== undefined) this.#arm(this.records.nextExpiryMs);
      done(error);
      this.#options.onProgress();
    });
  }

  #write(stored: readonly StoredBatch[], done: Done): void {
    const { startOffset, completeCount } = this.records;
    const state = {
      stateEpoch: this.#stateEpoch,
      leaderEpoch: this.leaderEpoch,
      startOffset,
      deliveryCompleteCount: completeCount,
      stateBatches: combineBatches([], stored, startOffset),
    };
    this.#options.persister.write(this.key, state, (errorCode, errorMessage) => {
      const error = errorCode === ErrorCode.NONE ? undefined : persisterError(errorCode, errorMessage);
      done(error);
      if (error !== undefined && fencing.has(error.code)) this.fence();
    });
  }

  // ---- time

  get #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }

  /** One timer for all acquisitions, for the first that ends. */
  #arm(dueMs: number): void {
    if (dueMs >= this.#wakesMs || this.isFenced) return;
    this.#timer?.cancel();
    this.#wakesMs = dueMs;
    this.#timer = this.#options.clock.after(Math.max(0, dueMs - this.#nowMs), () => {
      this.#wakesMs = Infinity;
      // Acknowledgements that came in time may still wait in the kernel.
      this.#options.clock.afterPoll(() => this.#expire());
    });
  }

  #expire(): void {
    if (!this.isActive) return;
    const changed = this.records.expire(this.#nowMs, this.#options.config().deliveryCountMax);
    this.#arm(this.records.nextExpiryMs);
    if (changed.length === 0) return;
    // It holds whether it is stored or not: after a restart nobody has acquired anything.
    this.#write(changed, (error) => {
      if (error !== undefined) {
        this.#options.log.warn('the end of acquisitions could not be stored', { ...this.key, error: error.message });
      }
    });
    this.records.advance();
    this.#options.onProgress();
  }
}

/** Errors after which a share partition starts anew. */
const fencing: ReadonlySet<number> = new Set([
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.GROUP_ID_NOT_FOUND,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
]);

/** An error of the share coordinator as a consumer is told it (`SharePartition.fetchPersisterError`). */
function persisterError(errorCode: number, message: string | null): KafkaError {
  switch (errorCode) {
    case ErrorCode.NOT_COORDINATOR:
    case ErrorCode.COORDINATOR_NOT_AVAILABLE:
    case ErrorCode.COORDINATOR_LOAD_IN_PROGRESS:
      return new KafkaError(ErrorCode.COORDINATOR_NOT_AVAILABLE, message ?? undefined);
    case ErrorCode.GROUP_ID_NOT_FOUND:
    case ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
      return new KafkaError(errorCode, message ?? undefined);
    case ErrorCode.FENCED_LEADER_EPOCH:
    case ErrorCode.FENCED_STATE_EPOCH:
      return new KafkaError(ErrorCode.NOT_LEADER_OR_FOLLOWER, message ?? undefined);
    default:
      return new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR, message ?? undefined);
  }
}

/** The ranges less what is hidden of them. */
function without(
  ranges: readonly AcquiredRecords[],
  hidden: readonly { readonly firstOffset: number; readonly lastOffset: number }[],
): AcquiredRecords[] {
  let left = [...ranges];
  for (const gap of hidden) {
    left = left.flatMap((range) => {
      if (range.lastOffset < gap.firstOffset || range.firstOffset > gap.lastOffset) return [range];
      const parts: AcquiredRecords[] = [];
      if (range.firstOffset < gap.firstOffset) parts.push({ ...range, lastOffset: gap.firstOffset - 1 });
      if (range.lastOffset > gap.lastOffset) parts.push({ ...range, firstOffset: gap.lastOffset + 1 });
      return parts;
    });
  }
  return left;
}
