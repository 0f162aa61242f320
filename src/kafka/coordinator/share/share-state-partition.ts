import { Deque } from '../../../base/deque.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { isWritten } from '../append-outcome.ts';
import type { CoordinatorLog } from '../coordinator-log.ts';
import { type LoadFailure, loadLog } from '../load-log.ts';
import type { Turns } from '../turns.ts';
import { ShareStates } from './share-state.ts';
import { decodeRecord, encodeRecord, type ShareStateRecord } from './share-state-records.ts';

/** `__share_group_state`, which also can forget its beginning. */
export interface ShareStateLog extends CoordinatorLog {
  /** Nothing below the offset is needed any more; does nothing where this broker does not lead. */
  deleteRecords(partition: number, beforeOffset: number): void;
}

export interface ShareStatePartitionOptions {
  readonly partition: number;
  readonly coordinatorLog: ShareStateLog;
  readonly clock: Clock;
  readonly log: Log;
  readonly turns: Turns;
}

/** Something that is answered in its order: an append, or a read of what appends before it have changed. */
interface Step {
  readonly done: (errorCode: number) => void;
  /** Undefined while it is on its way. */
  errorCode: number | undefined;
}

/**
 * One partition of `__share_group_state` that this broker leads. Records change the state when they are handed to the log, so that
 * the next decision sees them; answers wait until the log has them. If one fails the state is read again, and whatever came
 * after it fails too.
 */
export class ShareStatePartition {
  readonly #options: ShareStatePartitionOptions;
  readonly #steps = new Deque<Step>();
  #states = new ShareStates();
  #errorCode: number = ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
  /** Which loading counts: an older one finds that it was cancelled. */
  #loading = 0;
  #isClosed = false;
  #awaitsSteps = false;
  /** Where the log was last pruned. */
  #prunedBefore = 0;

  constructor(options: ShareStatePartitionOptions) {
    this.#options = options;
  }

  /** What requests are told; 0 once loaded. */
  get errorCode(): number {
    return this.#errorCode;
  }

  get states(): ShareStates {
    return this.#states;
  }

  /** Reads the log, once everything that is on its way into it has arrived or failed. */
  load(): void {
    this.#loading += 1;
    this.#errorCode = ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
    this.#awaitsSteps = this.#steps.size > 0;
    if (this.#awaitsSteps) return;
    const loading = this.#loading;
    const states = new ShareStates();
    this.#states = states;
    const { coordinatorLog, partition, clock, turns } = this.#options;
    loadLog({
      log: coordinatorLog,
      partition,
      clock,
      into: {
        replay(key, value, { baseOffset }) {
          const record = decodeRecord(key, value);
          if (record !== undefined) states.replay(record, baseOffset);
        },
        replayControl: () => undefined,
      },
      isCancelled: () => this.#loading !== loading,
      done: (failure) => turns.run(() => this.#loaded(loading, failure)),
    });
  }

  #loaded(loading: number, failure: LoadFailure | undefined): void {
    if (this.#loading !== loading) return;
    const { log, partition } = this.#options;
    this.#errorCode = failure?.errorCode ?? ErrorCode.NONE;
    if (failure === undefined) log.info('share state is loaded', { partition, shares: this.#states.size });
    else log.error('loading share state failed', { partition, reason: failure.reason });
  }

  /** Another broker leads now. What is on its way into the log is still answered. */
  close(): void {
    this.#isClosed = true;
    this.#loading += 1;
    this.#errorCode = ErrorCode.NOT_COORDINATOR;
  }

  append(records: readonly ShareStateRecord[], done: (errorCode: number) => void): void {
    const { coordinatorLog, partition, turns } = this.#options;
    const position = coordinatorLog.range(partition)?.endOffset ?? 0;
    for (const record of records) this.#states.replay(record, position);
    const step: Step = { done, errorCode: undefined };
    this.#steps.push(step);
    coordinatorLog.append(partition, records.map(encodeRecord), (errorCode) => {
      step.errorCode = errorCode;
      turns.run(() => this.#settle());
    });
  }

  /** Calls once the log has everything that was appended before. */
  afterAppends(done: (errorCode: number) => void): void {
    if (this.#steps.size === 0) done(ErrorCode.NONE);
    else this.#steps.push({ done, errorCode: ErrorCode.NONE });
  }

  #settle(): void {
    for (let head = this.#steps.peek(); head?.errorCode !== undefined; head = this.#steps.peek()) {
      this.#steps.shift();
      const { errorCode } = head;
      // What is in the log holds, but whoever followed a failure decided from a state that never was.
      if (this.#awaitsSteps) head.done(errorCode === ErrorCode.NONE ? ErrorCode.NOT_COORDINATOR : errorCode);
      else head.done(errorCode);
      if (!isWritten(errorCode) && !this.#awaitsSteps) this.#reload(errorCode);
    }
    if (this.#awaitsSteps && this.#steps.size === 0 && !this.#isClosed) this.load();
  }

  #reload(errorCode: number): void {
    if (this.#isClosed) return;
    const { log, partition } = this.#options;
    log.warn('an append failed: share state is loaded again', { partition, errorCode });
    this.load();
  }

  /** Lets the log forget what no share partition needs (`ShareCoordinatorOffsetsManager`). */
  prune(): void {
    if (this.#errorCode !== ErrorCode.NONE || this.#steps.size > 0 || this.#states.size === 0) return;
    let needed = Infinity;
    for (const { snapshotPosition } of this.#states.values()) needed = Math.min(needed, snapshotPosition);
    if (needed <= this.#prunedBefore) return;
    this.#prunedBefore = needed;
    this.#options.coordinatorLog.deleteRecords(this.#options.partition, needed);
  }
}
