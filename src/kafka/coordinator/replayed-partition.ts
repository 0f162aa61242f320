import { Deque } from '../../base/deque.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { isInDoubt } from './append-outcome.ts';
import type { CoordinatorLog, CoordinatorRecord } from './coordinator-log.ts';
import { type LoadFailure, type LogReplay, loadLog } from './load-log.ts';
import type { Turns } from './turns.ts';

/** What a coordinator keeps of one partition. Its state is what the log says; what it has beside that is soft. */
export interface PartitionState<R> {
  /** Forgets what the log said; what it says is replayed into the answer. */
  begin(): LogReplay;
  /**
   * All is replayed: makes of it what requests need, now or in slices, and calls `done`. `isCurrent` turns false for good when
   * the partition was given up or is loaded again meanwhile.
   */
  open(isCurrent: () => boolean, done: () => void): void;
  /** Lets go of what is soft, and of whoever waits. */
  abandon(): void;
  /** What an append said is in force now. */
  replay(record: R): void;
}

export interface ReplayedPartitionOptions<R> {
  readonly partition: number;
  readonly coordinatorLog: CoordinatorLog;
  readonly clock: Clock;
  readonly log: Log;
  readonly turns: Turns;
  /** What is kept here, for people who read the log: `groups`. */
  readonly contents: string;
  readonly state: PartitionState<R>;
  readonly encode: (record: R) => CoordinatorRecord;
  /** Whether an append that ended so is in force. */
  readonly isInForce: (errorCode: number) => boolean;
  /** About how much is read at a time while loading. */
  readonly readBytes?: number;
}

interface Append<R> {
  readonly records: readonly R[];
  readonly done: (errorCode: number) => void;
  /** Undefined while it is on its way. */
  errorCode: number | undefined;
}

/** The life of one partition of an internal topic that this broker leads: it is loaded, appended to, and given up. */
export class ReplayedPartition<R> {
  readonly #options: ReplayedPartitionOptions<R>;
  readonly #appends = new Deque<Append<R>>();
  #errorCode: number = ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
  /** Which loading counts: an older one finds that it was cancelled. */
  #loading = 0;
  #isClosed = false;
  #awaitsAppends = false;

  constructor(options: ReplayedPartitionOptions<R>) {
    this.#options = options;
  }

  /** What requests are told; 0 once loaded. */
  get errorCode(): number {
    return this.#errorCode;
  }

  /** Reads the log once everything that is on its way into it has arrived or failed. */
  load(): void {
    this.#loading += 1;
    this.#errorCode = ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
    this.#awaitsAppends = this.#appends.size > 0;
    if (this.#awaitsAppends) return;
    const { coordinatorLog, partition, clock, state, turns, readBytes } = this.#options;
    const loading = this.#loading;
    loadLog({
      log: coordinatorLog,
      partition,
      clock,
      into: state.begin(),
      ...(readBytes === undefined ? {} : { readBytes }),
      isCancelled: () => this.#loading !== loading,
      done: (failure) => turns.run(() => this.#loaded(loading, failure)),
    });
  }

  #loaded(loading: number, failure: LoadFailure | undefined): void {
    if (this.#loading !== loading) return;
    const { partition, log, contents, state } = this.#options;
    if (failure !== undefined) {
      // Half a state must not pass for the whole: better no coordinator than a wrong one.
      this.#errorCode = failure.errorCode;
      log.error(`loading ${contents} failed`, { partition, reason: failure.reason });
      return;
    }
    const isCurrent = (): boolean => this.#loading === loading;
    state.open(isCurrent, () => {
      if (isCurrent()) this.#errorCode = ErrorCode.NONE;
    });
  }

  /** Another broker leads now. What is on its way into the log is still answered. */
  close(): void {
    this.#isClosed = true;
    this.#errorCode = ErrorCode.NOT_COORDINATOR;
    this.#abandon();
  }

  #abandon(): void {
    this.#loading += 1;
    this.#options.state.abandon();
  }

  /** Appends one batch. What it says holds, and `done` is called, when it is in the log: in the order of the appends. */
  append(records: readonly R[], done: (errorCode: number) => void): void {
    const { coordinatorLog, partition, encode, turns } = this.#options;
    const append: Append<R> = { records, done, errorCode: undefined };
    this.#appends.push(append);
    coordinatorLog.append(partition, records.map(encode), (errorCode) => {
      append.errorCode = errorCode;
      turns.run(() => this.#settle());
    });
  }

  #settle(): void {
    const { state, isInForce } = this.#options;
    for (let head = this.#appends.peek(); head?.errorCode !== undefined; head = this.#appends.peek()) {
      this.#appends.shift();
      const { errorCode } = head;
      if (isInForce(errorCode) && !this.#awaitsAppends) for (const record of head.records) state.replay(record);
      head.done(errorCode);
      if (isInDoubt(errorCode)) this.#reload(errorCode);
    }
    if (this.#awaitsAppends && this.#appends.size === 0 && !this.#isClosed) this.load();
  }

  /** What we hold may differ from what the log says: forget it, and read again. */
  #reload(errorCode: number): void {
    if (this.#isClosed) return;
    const { log, contents, partition } = this.#options;
    log.warn(`an append is in doubt: the ${contents} are loaded again`, { partition, errorCode });
    this.#abandon();
    this.load();
  }

  /** Records on their way into the log, in their order. */
  *inFlight(): IterableIterator<R> {
    for (const { records } of this.#appends) yield* records;
  }
}
