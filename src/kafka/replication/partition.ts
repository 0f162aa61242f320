import { copyOf, noSlices, type Slices, slicesOf } from '../../base/slices.ts';
import type { AppendDone, TransactionRules } from '../log/append.ts';
import type { PartitionLog } from '../log/log.ts';
import type { LogConfig } from '../log/log-config.ts';
import type { VerificationGuard, VerificationStart } from '../log/verifications.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import type { BatchHeader } from '../records/batch.ts';
import { validateAndAssign } from '../records/validate.ts';
import type { RecordIssue, RecordRules } from '../records/validation.ts';
import { recordRulesOf } from './record-rules.ts';

/** What the controller decided for a partition (a partition's part of LeaderAndIsr). */
export interface LeadershipState {
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly isr: readonly number[];
  readonly replicas: readonly number[];
  /** Version of the state's znode. */
  readonly partitionEpoch: number;
  readonly controllerEpoch: number;
}

export interface AppendOutcome {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly recordErrors: readonly RecordIssue[];
  readonly firstOffset: number;
  readonly logAppendTimeMs: number;
  readonly logStartOffset: number;
}

export interface LeaderAppend {
  /** Their memory may be the caller's own for this call alone: where they wait a copy takes their place. None once appended. */
  records: Slices;
  /** As `ValidateOptions` has it; undefined once appended. */
  firstHeader?: BatchHeader | undefined;
  /** -1 waits for every in-sync replica, 0 and 1 for this one. */
  readonly acks: number;
  readonly origin: 'client' | 'coordinator';
  readonly rules?: TransactionRules;
  readonly nowMs: number;
  done(outcome: AppendOutcome): void;
}

/** How far a reader may see. */
export type Isolation = 'log-end' | 'high-watermark' | 'committed';

/** One replica on this broker: its log, and what the controller said about its leadership. */
export class Partition {
  readonly topic: string;
  readonly index: number;
  readonly name: string;
  readonly #brokerId: number;
  readonly #decompressedBytesMax: number | undefined;
  #log: PartitionLog | undefined;
  #state: LeadershipState | undefined;
  /** Nobody else is in sync: asked at each append. */
  #isAloneInSync = true;
  /** What the last append was judged by. */
  #config: LogConfig | undefined;
  #rules: RecordRules | undefined;
  #isOffline = false;
  /** Appends that wait while the log is exchanged. */
  #held: LeaderAppend[] | undefined;
  /** Calls when readers may see more. */
  readonly #onProgress: (partition: Partition) => void;

  constructor(options: {
    topic: string;
    index: number;
    brokerId: number;
    decompressedBytesMax?: number | undefined;
    onProgress: (partition: Partition) => void;
  }) {
    this.topic = options.topic;
    this.index = options.index;
    this.name = `${options.topic}-${options.index}`;
    this.#brokerId = options.brokerId;
    this.#decompressedBytesMax = options.decompressedBytesMax;
    this.#onProgress = options.onProgress;
  }

  get log(): PartitionLog | undefined {
    return this.#log;
  }

  get isLeader(): boolean {
    return this.#state?.leader === this.#brokerId && this.#log !== undefined && !this.isOffline;
  }

  /** Its log dir has failed (`HostedPartition.Offline`), or may be what has failed: nothing is known of its log. */
  get isOffline(): boolean {
    return this.#isOffline || this.#log?.isOffline === true;
  }

  /** -1 before the controller's first word. */
  get leaderEpoch(): number {
    return this.#state?.leaderEpoch ?? -1;
  }

  get leader(): number {
    return this.#state?.leader ?? -1;
  }

  get isr(): readonly number[] {
    return this.#state?.isr ?? [];
  }

  /** Takes a new leadership; the log exists already. */
  become(state: LeadershipState, log: PartitionLog): void {
    const startsLeading = state.leader === this.#brokerId && state.leaderEpoch !== this.#state?.leaderEpoch;
    this.#log = log;
    this.#state = state;
    this.#isAloneInSync = state.isr.every((id) => id === this.#brokerId);
    if (startsLeading) log.assignEpoch(state.leaderEpoch, log.nextOffset);
    if (this.isLeader) this.#advance();
  }

  /** Until a restart: whoever waits on it is told so. */
  goOffline(): void {
    this.#isOffline = true;
    this.#onProgress(this);
  }

  /**
   * Another log takes the place of this one, with the same records in it: appends wait meanwhile.
   * @param exchange answers the log that is the partition's from then on
   */
  async exchangeLog(exchange: (current: PartitionLog) => Promise<PartitionLog>): Promise<void> {
    if (this.#log === undefined) return;
    this.#held = [];
    try {
      this.#log = await exchange(this.#log);
    } finally {
      const held = this.#held;
      this.#held = undefined;
      for (const request of held) this.append(request);
    }
  }

  /** The replica is gone from this broker: whoever waits on it is told so. */
  stop(): void {
    this.#state = undefined;
    this.#isAloneInSync = true;
    this.#log = undefined;
    this.#onProgress(this);
  }

  /** The leader's log. @throws KafkaError NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR, FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH */
  leaderLog(clientEpoch = -1): PartitionLog {
    const log = this.#log;
    if (this.isOffline) throw new KafkaError(ErrorCode.KAFKA_STORAGE_ERROR);
    if (this.#state !== undefined && clientEpoch >= 0 && clientEpoch !== this.leaderEpoch) {
      throw new KafkaError(
        clientEpoch < this.leaderEpoch ? ErrorCode.FENCED_LEADER_EPOCH : ErrorCode.UNKNOWN_LEADER_EPOCH,
      );
    }
    if (log === undefined || !this.isLeader) throw new KafkaError(ErrorCode.NOT_LEADER_OR_FOLLOWER);
    return log;
  }

  /** First offset that a reader of this isolation may not see. */
  limitOf(isolation: Isolation, log: PartitionLog): number {
    switch (isolation) {
      case 'log-end':
        return log.logEndOffset;
      case 'high-watermark':
        return log.highWatermark;
      default:
        return log.lastStableOffset;
    }
  }

  /** Validates, appends, and calls `done` once the records are as safe as `acks` asks. */
  append(request: LeaderAppend): void {
    if (this.#held !== undefined) {
      request.records = slicesOf(copyOf(request.records));
      this.#held.push(request);
      return;
    }
    try {
      const log = this.leaderLog();
      if (request.acks === -1 && !this.#mayPromise(log)) throw new KafkaError(ErrorCode.NOT_ENOUGH_REPLICAS);
      const validated = validateAndAssign(request.records, {
        rules: this.#rulesOf(log.config),
        topicPartition: this.name,
        baseOffset: log.nextOffset,
        leaderEpoch: this.leaderEpoch,
        nowMs: request.nowMs,
        origin: request.origin,
        decompressedSizeMax: this.#decompressedBytesMax,
        firstHeader: request.firstHeader,
      });
      if (validated.kind === 'rejected') {
        const { code, message, recordErrors } = validated;
        return request.done({
          errorCode: code,
          // A client is told only what concerns its records; what else went wrong stays in our log.
          errorMessage: recordErrors.length > 0 ? message : null,
          recordErrors,
          firstOffset: -1,
          logAppendTimeMs: -1,
          logStartOffset: logStartFor(code, log),
        });
      }
      if (validated.batches.length === 0) {
        return request.done({ ...nothingAppended, logStartOffset: log.logStartOffset });
      }
      // What is kept until the records are written is copied by the next collection: not the records too.
      request.records = noSlices;
      request.firstHeader = undefined;
      const { logAppendTimeMs } = validated;
      const done: AppendDone = (error, info) => {
        if (error !== undefined || info === undefined) return request.done(failed(error, log));
        this.#advance();
        request.done({
          errorCode: ErrorCode.NONE,
          errorMessage: null,
          recordErrors: noErrors,
          firstOffset: info.firstOffset,
          // Of a repetition Apache tells the time of the first, whatever the topic wants of timestamps.
          logAppendTimeMs: info.isDuplicate ? info.maxTimestamp : logAppendTimeMs,
          logStartOffset: log.logStartOffset,
        });
      };
      log.appendAsLeader(validated, request.origin, done, request.rules);
    } catch (error) {
      request.done(failed(error, this.#log));
    }
  }

  /** The guard that a transaction's first batch has to show here; undefined once it has written. @throws KafkaError NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR */
  startVerification(start: VerificationStart): VerificationGuard | undefined {
    return this.leaderLog().startVerification(start);
  }

  /**
   * Whether records can become as safe as acks=all promises: enough replicas in sync, and each of them confirming what it has.
   * Brokers do not replicate from each other yet, so that nobody but the leader ever confirms.
   */
  #mayPromise(log: PartitionLog): boolean {
    return this.isr.length >= this.#minInSync(log) && this.#isAloneInSync;
  }

  #rulesOf(config: LogConfig): RecordRules {
    if (config !== this.#config || this.#rules === undefined) {
      this.#config = config;
      this.#rules = recordRulesOf(config);
    }
    return this.#rules;
  }

  /** As many replicas as the topic asks for, but never more than it has (KAFKA-14715). */
  #minInSync(log: PartitionLog): number {
    return Math.min(log.config.minInsyncReplicas, this.#state?.replicas.length ?? 1);
  }

  /** What every in-sync replica has is committed. While this broker is the only one in sync, that is all it has. */
  #advance(): void {
    const log = this.#log;
    if (log === undefined || !this.#isAloneInSync) return;
    const before = log.highWatermark;
    if (log.updateHighWatermark(log.logEndOffset) > before) this.#onProgress(this);
  }
}

const noErrors: AppendOutcome['recordErrors'] = [];

const nothingAppended: AppendOutcome = {
  errorCode: ErrorCode.NONE,
  errorMessage: null,
  recordErrors: noErrors,
  firstOffset: -1,
  logAppendTimeMs: -1,
  logStartOffset: -1,
};

/** Errors of `ReplicaManager.appendToLocalLog` after which nobody asks where the log begins: they say nothing of the producer. */
const errorsWithoutStart: readonly number[] = [
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.MESSAGE_TOO_LARGE,
  ErrorCode.RECORD_LIST_TOO_LARGE,
  ErrorCode.CORRUPT_MESSAGE,
  ErrorCode.KAFKA_STORAGE_ERROR,
];

function failed(error: unknown, log: PartitionLog | undefined): AppendOutcome {
  if (error !== undefined && !(error instanceof KafkaError)) throw error;
  const errorCode = error?.code ?? ErrorCode.UNKNOWN_SERVER_ERROR;
  return { ...nothingAppended, errorCode, logStartOffset: logStartFor(errorCode, log) };
}

function logStartFor(errorCode: number, log: PartitionLog | undefined): number {
  return errorsWithoutStart.includes(errorCode) ? -1 : (log?.logStartOffset ?? -1);
}
