import { assert } from '../../base/assert.ts';
import { copyOf, noSlices, type Slices, slicesOf } from '../../base/slices.ts';
import { abandon, runFor, type Steps } from '../../base/steps.ts';
import type { AppendDone, TransactionRules } from '../log/append.ts';
import type { PartitionLog } from '../log/log.ts';
import type { LogConfig } from '../log/log-config.ts';
import type { VerificationGuard, VerificationStart } from '../log/verifications.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import type { BatchHeader } from '../records/batch.ts';
import { beginValidation, isUnfinished, type Validation } from '../records/validate.ts';
import type { RecordRules, ValidateOptions } from '../records/validation.ts';
import type { TopicFigures } from './append-figures.ts';
import { AppendLine } from './append-line.ts';
import { type AppendOutcome, appendedOutcome, failed, nothingAppended, rejectedOutcome } from './append-outcome.ts';
import type { LongWork } from './long-work.ts';
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
  /** Hears when the append has to wait for others, or takes long itself, and when it has got its place in the log. */
  readonly sender?: AppendSender | undefined;
  done(outcome: AppendOutcome): void;
}

/** Where appends come from: what follows one that has no place yet must not overtake it. Calls come in pairs. */
export interface AppendSender {
  holdOthers(): void;
  letOthers(): void;
}

/** Bytes of a batch that are unpacked and packed at once. Beyond this it begins again, on a copy and in slices. */
const AT_ONCE_BYTES = 1_048_576;

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
  /** Appends that wait while the log is exchanged, or a large batch is unpacked. */
  readonly #line = new AppendLine();
  readonly #longWork: LongWork;
  readonly #figures: TopicFigures | undefined;
  /** Calls when readers may see more. */
  readonly #onProgress: (partition: Partition) => void;

  constructor(options: {
    topic: string;
    index: number;
    brokerId: number;
    decompressedBytesMax?: number | undefined;
    longWork: LongWork;
    figures?: TopicFigures | undefined;
    onProgress: (partition: Partition) => void;
  }) {
    this.topic = options.topic;
    this.index = options.index;
    this.name = `${options.topic}-${options.index}`;
    this.#brokerId = options.brokerId;
    this.#decompressedBytesMax = options.decompressedBytesMax;
    this.#longWork = options.longWork;
    this.#figures = options.figures;
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

  get replicas(): readonly number[] {
    return this.#state?.replicas ?? [];
  }

  /** Not every replica is in sync, as far as its leader knows. */
  get isUnderReplicated(): boolean {
    return this.isLeader && this.isr.length < this.replicas.length;
  }

  /** Too few are in sync for acks=all. */
  get isUnderMinIsr(): boolean {
    return this.isLeader && this.isr.length < this.#minInSync(this.leaderLog());
  }

  /** One fewer in sync would be too few. */
  get isAtMinIsr(): boolean {
    return this.isLeader && this.isr.length === this.#minInSync(this.leaderLog());
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
    await new Promise<void>((turn) => this.#enter(turn));
    try {
      if (this.#log !== undefined) this.#log = await exchange(this.#log);
    } finally {
      this.#line.release();
    }
  }

  /** Holds the line, once all who wait in it have had their turns. */
  #enter(turn: () => void): void {
    const hold = (): void => {
      this.#line.hold();
      turn();
    };
    if (this.#line.isBusy) this.#line.wait(hold);
    else hold();
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
    if (this.#state !== undefined && clientEpoch !== -1 && clientEpoch !== this.leaderEpoch) {
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
    this.#figures?.asked();
    if (!this.#line.isBusy) return this.#begin(request);
    keep(request);
    request.sender?.holdOthers();
    this.#line.wait(() => {
      try {
        this.#begin(request);
      } catch (error) {
        this.#failUnknown(request, error);
      } finally {
        request.sender?.letOthers();
      }
    });
  }

  #begin(request: LeaderAppend): void {
    try {
      const log = this.leaderLog();
      if (request.acks === -1 && !this.#mayPromise(log)) throw new KafkaError(ErrorCode.NOT_ENOUGH_REPLICAS);
      const options: ValidateOptions = {
        rules: this.#rulesOf(log.config),
        topicPartition: this.name,
        baseOffset: log.nextOffset,
        leaderEpoch: this.leaderEpoch,
        nowMs: request.nowMs,
        origin: request.origin,
        decompressedSizeMax: this.#decompressedBytesMax,
        firstHeader: request.firstHeader,
      };
      const begun = beginValidation(request.records, options);
      if (isUnfinished(begun)) this.#goOn(log, request, begun, options);
      else this.#conclude(log, request, begun);
    } catch (error) {
      this.#settle(request, failed(error, this.#log), request.records.size);
    }
  }

  /** What is unpacked or packed: at once where that is soon done, else others have their turns meanwhile, on this partition after it. */
  #goOn(log: PartitionLog, request: LeaderAppend, steps: Steps<Validation>, options: ValidateOptions): void {
    const begun = runFor(steps, AT_ONCE_BYTES);
    if (begun.done === true) return this.#conclude(log, request, begun.value);
    abandon(steps);
    keep(request);
    const again = beginValidation(request.records, options);
    assert(isUnfinished(again), 'the same records take the same way');
    request.sender?.holdOthers();
    this.#line.hold();
    this.#longWork.run(again, (error, validated) => {
      try {
        if (validated === undefined) this.#failUnknown(request, error);
        else this.#concludeLate(log, request, options, validated);
      } finally {
        this.#line.release();
        request.sender?.letOthers();
      }
    });
  }

  #concludeLate(log: PartitionLog, request: LeaderAppend, options: ValidateOptions, validated: Validation): void {
    try {
      const isSame = this.leaderLog() === log && this.leaderEpoch === options.leaderEpoch;
      if (!isSame) throw new KafkaError(ErrorCode.NOT_LEADER_OR_FOLLOWER);
      assert(log.nextOffset === options.baseOffset, 'nobody overtakes an append', log.nextOffset, options.baseOffset);
      this.#conclude(log, request, validated);
    } catch (error) {
      if (error instanceof KafkaError) this.#settle(request, failed(error, this.#log), request.records.size);
      else this.#failUnknown(request, error);
    }
  }

  #conclude(log: PartitionLog, request: LeaderAppend, validated: Validation): void {
    const { size } = request.records;
    if (validated.kind === 'rejected') {
      this.#figures?.rejected(validated);
      return this.#settle(request, rejectedOutcome(validated, log), size);
    }
    if (validated.batches.length === 0) {
      return this.#settle(request, { ...nothingAppended, logStartOffset: log.logStartOffset }, size);
    }
    if (validated.convertedCount > 0) this.#figures?.converted(validated.convertedCount);
    // What is kept until the records are written is copied by the next collection: not the records too.
    request.records = noSlices;
    request.firstHeader = undefined;
    const { logAppendTimeMs, count } = validated;
    const done: AppendDone = (error, info) => {
      if (error !== undefined || info === undefined) return this.#settle(request, failed(error, log), size);
      this.#advance();
      this.#settle(request, appendedOutcome(info, logAppendTimeMs, log), size, count);
    };
    log.appendAsLeader(validated, request.origin, done, request.rules);
  }

  #settle(request: LeaderAppend, outcome: AppendOutcome, sizeInBytes: number, recordCount = 0): void {
    this.#figures?.settled(outcome.errorCode, sizeInBytes, recordCount);
    request.done(outcome);
  }

  /** Whoever asked is told, and whoever hears of broken invariants too. */
  #failUnknown(request: LeaderAppend, error: unknown): never {
    this.#settle(request, { ...nothingAppended, errorCode: ErrorCode.UNKNOWN_SERVER_ERROR }, request.records.size);
    throw error;
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

/** Their memory is somebody else's when the call returns. */
function keep(request: LeaderAppend): void {
  request.records = slicesOf(copyOf(request.records));
}
