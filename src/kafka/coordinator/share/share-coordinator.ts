import type { Clock, Timer } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import { ErrorCode, errorInfo } from '../../protocol/errors.ts';
import { CoordinatedPartitions } from '../coordinated-partitions.ts';
import { coordinatorError } from '../group/append-errors.ts';
import { partitionFor } from '../partition-for.ts';
import { Turns } from '../turns.ts';
import {
  decideColdSnapshots,
  decideInitialize,
  decideRead,
  decideWrite,
  type InitializeState,
  type Times,
  type WriteState,
} from './decide.ts';
import type { ShareCoordinatorConfig } from './share-coordinator-config.ts';
import { coordinatorKeyOf, type ShareKey } from './share-key.ts';
import { type ShareState, UNINITIALIZED_START_OFFSET, UNKNOWN_COUNT } from './share-state.ts';
import { type ShareStateLog, ShareStatePartition } from './share-state-partition.ts';
import type { StateBatch } from './state-batches.ts';

export interface ShareCoordinatorOptions {
  readonly coordinatorLog: ShareStateLog;
  readonly clock: Clock;
  readonly log: Log;
  readonly config: ShareCoordinatorConfig;
  /** Whether the topic exists and has the partition. */
  readonly exists: (topicId: string, partition: number) => boolean;
}

export interface Outcome {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

export interface ReadOutcome extends Outcome {
  readonly stateEpoch: number;
  readonly startOffset: number;
  readonly stateBatches: readonly StateBatch[];
}

export interface SummaryOutcome extends Outcome {
  readonly stateEpoch: number;
  readonly leaderEpoch: number;
  readonly startOffset: number;
  readonly deliveryCompleteCount: number;
}

const done: Outcome = { errorCode: ErrorCode.NONE, errorMessage: null };
const nothingRead = { stateEpoch: 0, startOffset: 0, stateBatches: [] };
const noSummary = { stateEpoch: 0, leaderEpoch: 0, startOffset: 0, deliveryCompleteCount: UNKNOWN_COUNT };

/**
 * Keeps the delivery state of share partitions in `__share_group_state` (KIP-932), for those whose partition of it this broker
 * leads. Every method answers through its callback exactly once, now or later.
 */
export class ShareCoordinator {
  readonly #options: ShareCoordinatorOptions;
  readonly #turns = new Turns();
  readonly #partitions: CoordinatedPartitions<ShareStatePartition>;
  readonly #timers = new Set<Timer>();

  constructor(options: ShareCoordinatorOptions) {
    this.#options = options;
    const turns = this.#turns;
    this.#partitions = new CoordinatedPartitions({
      log: options.log,
      turns,
      role: 'share coordinator',
      newPartition: (partition) => new ShareStatePartition({ ...options, partition, turns }),
    });
  }

  /** Begins to keep the topic short. */
  start(): void {
    const { pruneIntervalMs, coldSnapshotIntervalMs } = this.#options.config;
    this.#every(pruneIntervalMs, (partition) => partition.prune());
    this.#every(coldSnapshotIntervalMs, (partition) => this.#snapshotCold(partition));
  }

  #every(intervalMs: number, work: (partition: ShareStatePartition) => void): void {
    const timer = this.#options.clock.after(intervalMs, () => {
      this.#timers.delete(timer);
      if (this.#partitions.isClosed) return;
      this.#turns.run(() => {
        for (const partition of this.#partitions.values()) work(partition);
      });
      this.#every(intervalMs, work);
    });
    this.#timers.add(timer);
  }

  #snapshotCold(partition: ShareStatePartition): void {
    if (partition.errorCode !== ErrorCode.NONE) return;
    const { clock, config } = this.#options;
    const records = decideColdSnapshots(partition.states, clock.wallMs(), config.coldSnapshotIntervalMs);
    if (records.length > 0) partition.append(records, () => undefined);
  }

  close(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#partitions.close();
  }

  /** The partition of `__share_group_state` that keeps a coordinator key. */
  partitionFor(coordinatorKey: string): number {
    return partitionFor(coordinatorKey, this.#options.coordinatorLog.partitionCount());
  }

  // ---- leadership

  /** This broker leads a partition of `__share_group_state` now. A later epoch of a leader that stays changes nothing. */
  onElected(partition: number, leaderEpoch: number): void {
    this.#partitions.onElected(partition, leaderEpoch);
  }

  /** Another broker leads the partition, or none. */
  onResigned(partition: number): void {
    this.#partitions.onResigned(partition);
  }

  // ---- requests

  initialize(key: ShareKey, given: InitializeState, answer: (outcome: Outcome) => void): void {
    this.#withPartition(key, answer, (partition) => {
      if (key.partition < 0) return answer(invalid('The partition id cannot be a negative number.'));
      if (given.stateEpoch < 0) return answer(invalid('The state epoch cannot be a negative number.'));
      if (partition.states.stateEpochOf(key) > given.stateEpoch) return answer(failed(ErrorCode.FENCED_STATE_EPOCH));
      if (!this.#exists(key)) return answer(failed(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION));
      const record = decideInitialize(partition.states, key, given, this.#options.clock.wallMs());
      partition.append([record], (errorCode) => answer(outcomeOf(errorCode)));
    });
  }

  write(key: ShareKey, given: WriteState, answer: (outcome: Outcome) => void): void {
    this.#withPartition(key, answer, (partition) => {
      if (key.partition < 0) return answer(invalid('The partition id cannot be a negative number.'));
      if (given.leaderEpoch < 0) return answer(invalid('The leader epoch cannot be a negative number.'));
      if (given.stateEpoch < 0) return answer(invalid('The state epoch cannot be a negative number.'));
      const state = partition.states.get(key);
      if (state === undefined) {
        return answer(invalid('Write operation on uninitialized share partition not allowed.'));
      }
      if (partition.states.leaderEpochOf(key) > given.leaderEpoch) {
        return answer(failed(ErrorCode.FENCED_LEADER_EPOCH));
      }
      if (partition.states.stateEpochOf(key) > given.stateEpoch) return answer(failed(ErrorCode.FENCED_STATE_EPOCH));
      if (!this.#exists(key)) return answer(failed(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION));
      const record = decideWrite(state, given, this.#times());
      partition.append([record], (errorCode) => answer(outcomeOf(errorCode)));
    });
  }

  /** A leader with a newer epoch takes the share partition over: the older one can write no more. */
  read(key: ShareKey, leaderEpoch: number, answer: (outcome: ReadOutcome) => void): void {
    const refuse = (outcome: Outcome): void => answer({ ...nothingRead, ...outcome });
    this.#withPartition(key, refuse, (partition) => {
      if (key.partition < 0) return refuse(invalid('The partition id cannot be a negative number.'));
      if (leaderEpoch < 0) return refuse(invalid('The leader epoch cannot be a negative number.'));
      const state = partition.states.get(key);
      if (state === undefined) {
        return refuse(invalid('Read operation on uninitialized share partition not allowed.'));
      }
      if (partition.states.leaderEpochOf(key) > leaderEpoch) return refuse(failed(ErrorCode.FENCED_LEADER_EPOCH));
      if (!this.#exists(key)) return refuse(failed(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION));
      const settled = (errorCode: number): void =>
        errorCode === ErrorCode.NONE ? answer({ ...done, ...stateOf(state) }) : refuse(outcomeOf(errorCode));
      const record = decideRead(state, leaderEpoch, this.#times());
      if (record === undefined) partition.afterAppends(settled);
      else partition.append([record], settled);
    });
  }

  summary(key: ShareKey, answer: (outcome: SummaryOutcome) => void): void {
    const refuse = (outcome: Outcome): void => answer({ ...noSummary, ...outcome });
    this.#withPartition(key, refuse, (partition) => {
      if (key.partition < 0) return refuse(invalid('The partition id cannot be a negative number.'));
      if (!this.#exists(key)) return refuse(failed(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION));
      const state = partition.states.get(key);
      if (state === undefined) return answer({ ...noSummary, ...done, startOffset: UNINITIALIZED_START_OFFSET });
      const { stateEpoch, leaderEpoch, startOffset, deliveryCompleteCount } = state;
      partition.afterAppends((errorCode) =>
        errorCode === ErrorCode.NONE
          ? answer({ ...done, stateEpoch, leaderEpoch, startOffset, deliveryCompleteCount })
          : refuse(outcomeOf(errorCode)),
      );
    });
  }

  /** A share partition that has no state is as good as deleted. */
  delete(key: ShareKey, answer: (outcome: Outcome) => void): void {
    this.#withPartition(key, answer, (partition) => {
      if (key.partition < 0) return answer(invalid('The partition id cannot be a negative number.'));
      if (!this.#exists(key)) return answer(failed(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION));
      if (partition.states.get(key) === undefined) return answer(done);
      partition.append([{ kind: 'snapshot', key, value: null }], (errorCode) => answer(outcomeOf(errorCode)));
    });
  }

  /** What is stored of topics that are gone is forgotten. */
  onTopicsDeleted(topicIds: ReadonlySet<string>): void {
    this.#turns.run(() => {
      for (const partition of this.#partitions.values()) {
        if (partition.errorCode !== ErrorCode.NONE) continue;
        const gone = [...partition.states.values()].filter(({ key }) => topicIds.has(key.topicId));
        if (gone.length === 0) continue;
        const records = gone.map(({ key }) => ({ kind: 'snapshot', key, value: null }) as const);
        partition.append(records, () => undefined);
      }
    });
  }

  #withPartition(
    key: ShareKey,
    refuse: (outcome: Outcome) => void,
    work: (partition: ShareStatePartition) => void,
  ): void {
    this.#turns.run(() => {
      const partition = this.#partitions.get(this.partitionFor(coordinatorKeyOf(key)));
      const errorCode = partition?.errorCode ?? ErrorCode.NOT_COORDINATOR;
      if (partition === undefined || errorCode !== ErrorCode.NONE) refuse(failed(errorCode));
      else work(partition);
    });
  }

  #exists({ topicId, partition }: ShareKey): boolean {
    return this.#options.exists(topicId, partition);
  }

  #times(): Times {
    return { nowMs: this.#options.clock.wallMs(), updatesPerSnapshot: this.#options.config.updatesPerSnapshot };
  }
}

function stateOf({ stateEpoch, startOffset, batches }: ShareState): Omit<ReadOutcome, keyof Outcome> {
  return { stateEpoch, startOffset, stateBatches: batches };
}

function invalid(errorMessage: string): Outcome {
  return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage };
}

function failed(errorCode: number): Outcome {
  return { errorCode, errorMessage: errorInfo(errorCode).message };
}

function outcomeOf(appendError: number): Outcome {
  return appendError === ErrorCode.NONE ? done : failed(coordinatorError(appendError));
}
