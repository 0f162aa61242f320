import { Deque } from '../../../base/deque.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import type { Random } from '../../../runtime/random.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import type { GroupMetadataValue } from '../../protocol/records/group-metadata.ts';
import type { CoordinatorLog } from '../coordinator-log.ts';
import type { Turns } from '../turns.ts';
import { isInDoubt, isWritten, storeError } from './append-errors.ts';
import type { ClassicGroup } from './classic-group.ts';
import type { CleanUp, InFlight } from './clean-up.ts';
import type { ConsumerConfig } from './consumer/consumer-config.ts';
import { ConsumerGroups } from './consumer/consumer-groups.ts';
import type { TopicImage } from './consumer/topic-image.ts';
import { DurableState } from './durable-state.ts';
import type { GroupConfig } from './group-config.ts';
import { GroupQueues } from './group-queues.ts';
import { encodeRecord, type GroupRecord } from './group-records.ts';
import { type LoadFailure, loadState } from './load.ts';
import { Rebalancer } from './rebalancer.ts';

export interface GroupPartitionOptions {
  readonly partition: number;
  readonly coordinatorLog: CoordinatorLog;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly config: GroupConfig;
  readonly consumers: ConsumerConfig;
  readonly image: TopicImage;
  readonly turns: Turns;
}

interface Append {
  readonly records: readonly GroupRecord[];
  readonly done: (errorCode: number) => void;
  /** Undefined while it is on its way. */
  errorCode: number | undefined;
}

/** Groups that are opened in one slice of loading. */
const GROUPS_PER_SLICE = 500;

/**
 * One partition of `__consumer_offsets` that this broker leads: what its log says, the groups that live on it, and what is on its
 * way into the log.
 */
export class GroupPartition {
  readonly partition: number;
  readonly rebalancer: Rebalancer;
  readonly groups = new Map<string, ClassicGroup>();
  readonly consumers: ConsumerGroups;
  readonly #queues = new GroupQueues();
  readonly #options: GroupPartitionOptions;
  readonly #appends = new Deque<Append>();
  #state = new DurableState();
  /** What requests are told; 0 once loaded. */
  #errorCode: number = ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
  /** Which loading counts: an older one finds that it was cancelled. */
  #loading = 0;
  #isClosed = false;
  #awaitsAppends = false;

  constructor(options: GroupPartitionOptions) {
    this.#options = options;
    this.partition = options.partition;
    this.rebalancer = new Rebalancer({
      ...options,
      store: (group, value, done) => this.#store(group, value, done),
    });
    this.consumers = new ConsumerGroups({
      ...options,
      rebalancer: this.rebalancer,
      state: () => this.#state,
      isServing: () => this.#errorCode === ErrorCode.NONE,
      afterWrites: (groupId, turn) => this.afterWrites(groupId, turn),
      write: (groupId, records, done) => this.appendAlone(groupId, records, done),
      classic: (groupId) => this.groups.get(groupId),
      setClassic: (groupId, group) => {
        if (group === undefined) this.groups.delete(groupId);
        else this.groups.set(groupId, group);
      },
      reopenClassic: (groupId) => this.#openGroup(groupId),
    });
  }

  get errorCode(): number {
    return this.#errorCode;
  }

  get state(): DurableState {
    return this.#state;
  }

  // ---- loading

  /** Reads the log once everything that is on its way into it has arrived or failed. */
  load(): void {
    this.#loading += 1;
    this.#errorCode = ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
    this.#awaitsAppends = this.#appends.size > 0;
    if (this.#awaitsAppends) return;
    const loading = this.#loading;
    this.#state = new DurableState();
    loadState({
      log: this.#options.coordinatorLog,
      partition: this.partition,
      clock: this.#options.clock,
      state: this.#state,
      isCancelled: () => this.#loading !== loading,
      done: (failure) => this.#options.turns.run(() => this.#loaded(loading, failure)),
    });
  }

  #loaded(loading: number, failure: LoadFailure | undefined): void {
    if (this.#loading !== loading) return;
    if (failure !== undefined) {
      // Half a state must not pass for the whole: better no coordinator than a wrong one.
      this.#errorCode = failure.errorCode;
      this.#options.log.error('loading groups failed', { partition: this.partition, reason: failure.reason });
      return;
    }
    for (const group of this.#state.consumerGroups.values()) this.consumers.resume(group);
    this.#openGroups(loading, this.#state.groups());
  }

  #openGroups(loading: number, ids: Iterator<string>): void {
    if (this.#loading !== loading) return;
    for (let count = 0; count < GROUPS_PER_SLICE; count += 1) {
      const next = ids.next();
      if (next.done === true) {
        this.#errorCode = ErrorCode.NONE;
        this.#options.log.info('groups are loaded', { partition: this.partition, groups: this.groups.size });
        return;
      }
      this.#openGroup(next.value);
    }
    this.#options.clock.soon(() => this.#options.turns.run(() => this.#openGroups(loading, ids)));
  }

  #openGroup(id: string): void {
    if (this.#state.consumerGroups.has(id)) return;
    const group = this.newGroup(id);
    const value = this.#state.metadata.get(id);
    if (value === undefined) return;
    restoreGroup(this.rebalancer, group, value);
    this.rebalancer.resume(group);
  }

  /** Another broker leads now. What is on its way into the log is still answered. */
  close(): void {
    this.#isClosed = true;
    this.#errorCode = ErrorCode.NOT_COORDINATOR;
    this.#abandonGroups();
  }

  #abandonGroups(): void {
    this.#loading += 1;
    for (const group of this.groups.values()) this.rebalancer.abandon(group);
    this.groups.clear();
    this.consumers.abandon();
  }

  newGroup(id: string): ClassicGroup {
    const group = this.rebalancer.newGroup(id);
    this.groups.set(id, group);
    return group;
  }

  // ---- appending

  /** Appends one batch. What it says holds, and `done` is called, when it is in the log: in the order of the appends. */
  append(records: readonly GroupRecord[], done: (errorCode: number) => void): void {
    const append: Append = { records, done, errorCode: undefined };
    this.#appends.push(append);
    this.#options.coordinatorLog.append(this.partition, records.map(encodeRecord), (errorCode) => {
      append.errorCode = errorCode;
      this.#options.turns.run(() => this.#settle());
    });
  }

  /** As `append`; nothing else is decided about the group before it is done, so that each decision sees the last one. */
  appendAlone(groupId: string, records: readonly GroupRecord[], done: (errorCode: number) => void): void {
    if (records.length === 0) return done(ErrorCode.NONE);
    this.#queues.begin(groupId);
    this.append(records, (errorCode) => {
      done(errorCode);
      this.#queues.end(groupId);
    });
  }

  /** Now, or once what is on its way into the log for the group has arrived. */
  afterWrites(groupId: string, turn: () => void): void {
    this.#queues.run(groupId, turn);
  }

  #settle(): void {
    for (let head = this.#appends.peek(); head?.errorCode !== undefined; head = this.#appends.peek()) {
      this.#appends.shift();
      const { errorCode } = head;
      if (isWritten(errorCode) && !this.#awaitsAppends) for (const record of head.records) this.#state.replay(record);
      head.done(errorCode);
      if (isInDoubt(errorCode)) this.#reload(errorCode);
    }
    if (this.#awaitsAppends && this.#appends.size === 0 && !this.#isClosed) this.load();
  }

  /** What we hold may differ from what the log says: forget it, and read again. */
  #reload(errorCode: number): void {
    if (this.#isClosed) return;
    this.#options.log.warn('an append is in doubt: the groups are loaded again', {
      partition: this.partition,
      errorCode,
    });
    this.#abandonGroups();
    this.load();
  }

  #store(group: string, value: GroupMetadataValue, done: (errorCode: number) => void): void {
    this.append([{ kind: 'metadata', group, value }], (errorCode) => done(storeError(errorCode)));
  }

  inFlight(groupId: string): InFlight {
    const offsets: { topic: string; partition: number }[] = [];
    let metadata = false;
    for (const { records } of this.#appends) {
      for (const record of records) {
        if (record.group !== groupId) continue;
        if (record.kind === 'offset') offsets.push(record);
        else if (record.kind === 'metadata') metadata = true;
      }
    }
    return { offsets, metadata };
  }

  /** Writes tombstones. A group that is gone takes no requests meanwhile, and comes back should the append fail. */
  forget(group: ClassicGroup, { records, isGone }: CleanUp, done: (errorCode: number) => void): void {
    const finish = (errorCode: number): void => {
      if (isGone && this.groups.get(group.id) === group) {
        if (isWritten(errorCode)) this.#end(group);
        else group.state = 'Empty';
      }
      done(errorCode);
    };
    if (isGone) group.state = 'Dead';
    if (records.length === 0) finish(ErrorCode.NONE);
    else this.append(records, finish);
  }

  #end(group: ClassicGroup): void {
    this.rebalancer.bury(group);
    this.groups.delete(group.id);
  }
}

/** A group as its last stored generation describes it. Old metadata lacks some fields. */
function restoreGroup(rebalancer: Rebalancer, group: ClassicGroup, value: GroupMetadataValue): void {
  const protocolType = value.protocolType === '' ? null : value.protocolType;
  for (const stored of value.members) {
    const { memberId, groupInstanceId, sessionTimeout, rebalanceTimeout } = stored;
    if (group.members.has(memberId)) continue;
    const member = rebalancer.newMember(group, {
      id: memberId,
      instanceId: groupInstanceId,
      clientId: stored.clientId,
      clientHost: stored.clientHost,
      sessionTimeoutMs: sessionTimeout,
      rebalanceTimeoutMs: rebalanceTimeout === -1 ? sessionTimeout : rebalanceTimeout,
      protocols: [{ name: value.protocol ?? '', metadata: stored.subscription }],
      assignment: stored.assignment,
      isNew: false,
    });
    group.add(member, value.protocolType, undefined);
  }
  group.state = value.members.length === 0 ? 'Empty' : 'Stable';
  group.generation = value.generation;
  group.protocolType = protocolType;
  group.protocolName = value.protocol;
  group.leaderId = value.leader;
  group.stateTimestampMs = Number.isSafeInteger(value.currentStateTimestamp) ? value.currentStateTimestamp : -1;
  group.readSubscriptions();
}
