import type { Clock } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import type { Random } from '../../../runtime/random.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import type { GroupMetadataValue } from '../../protocol/records/group-metadata.ts';
import { NO_PRODUCER_ID } from '../../records/batch.ts';
import { readControlRecord } from '../../records/control.ts';
import { isWritten } from '../append-outcome.ts';
import type { BatchProducer, EndTxnMarker, TransactionalLog } from '../coordinator-log.ts';
import type { LogReplay } from '../load-log.ts';
import { ReplayedPartition } from '../replayed-partition.ts';
import type { Turns } from '../turns.ts';
import { storeError } from './append-errors.ts';
import type { ClassicGroup } from './classic-group.ts';
import type { CleanUp, InFlight } from './clean-up.ts';
import type { ConsumerConfig } from './consumer/consumer-config.ts';
import { ConsumerGroups } from './consumer/consumer-groups.ts';
import { ownerOfConsumers } from './consumer/consumer-offsets.ts';
import type { TopicImage } from './consumer/topic-image.ts';
import { DurableState } from './durable-state.ts';
import type { GroupConfig } from './group-config.ts';
import type { GroupKind } from './group-kind.ts';
import { GroupQueues } from './group-queues.ts';
import { decodeRecord, encodeRecord, type GroupRecord } from './group-records.ts';
import type { OffsetOwner } from './offset-owner.ts';
import { Rebalancer } from './rebalancer.ts';
import { ShareGroups, type ShareMembershipConfig } from './share/share-groups.ts';
import type { ShareStateKeeper } from './share/share-state-keeper.ts';
import type { StreamsConfig } from './streams/streams-config.ts';
import { StreamsGroups } from './streams/streams-groups.ts';
import { ownerOfStreams } from './streams/streams-offsets.ts';

export interface GroupPartitionOptions {
  readonly partition: number;
  readonly coordinatorLog: TransactionalLog;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly config: GroupConfig;
  readonly consumers: ConsumerConfig;
  readonly image: TopicImage;
  readonly shares: ShareMembershipConfig;
  readonly keeper: ShareStateKeeper;
  readonly streams: StreamsConfig;
  readonly turns: Turns;
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
  readonly shareGroups: ShareGroups;
  readonly streamsGroups: StreamsGroups;
  readonly #queues = new GroupQueues();
  readonly #options: GroupPartitionOptions;
  readonly #replayed: ReplayedPartition<GroupRecord>;
  #state = new DurableState();

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
      isServing: () => this.errorCode === ErrorCode.NONE,
      afterWrites: (groupId, turn) => this.afterWrites(groupId, turn),
      write: (groupId, records, done) => this.appendAlone(groupId, records, done),
      classic: (groupId) => this.groups.get(groupId),
      setClassic: (groupId, group) => {
        if (group === undefined) this.groups.delete(groupId);
        else this.groups.set(groupId, group);
      },
      reopenClassic: (groupId) => this.#openGroup(groupId),
    });
    this.shareGroups = new ShareGroups({
      ...options,
      groups: () => this.#state.shareGroups,
      isServing: () => this.errorCode === ErrorCode.NONE,
      isTaken: (groupId) => this.kindOf(groupId) !== undefined,
      afterWrites: (groupId, turn) => this.afterWrites(groupId, turn),
      write: (groupId, records, done) => this.appendAlone(groupId, records, done),
    });
    this.streamsGroups = new StreamsGroups({
      ...options,
      groups: () => this.#state.streamsGroups,
      isServing: () => this.errorCode === ErrorCode.NONE,
      kindOf: (groupId) => this.kindOf(groupId),
      isEmptyClassic: (groupId) => this.groups.get(groupId)?.state === 'Empty',
      forgetClassic: (groupId) => this.groups.delete(groupId),
      afterWrites: (groupId, turn) => this.afterWrites(groupId, turn),
      write: (groupId, records, done) => this.appendAlone(groupId, records, done),
    });
    this.#replayed = new ReplayedPartition<GroupRecord>({
      ...options,
      contents: 'groups',
      isInForce: isWritten,
      state: {
        begin: () => this.#begin(),
        open: (isCurrent, done) => {
          for (const group of this.#state.consumerGroups.values()) this.consumers.resume(group);
          for (const group of this.#state.shareGroups.values()) this.shareGroups.resume(group);
          for (const group of this.#state.streamsGroups.values()) this.streamsGroups.resume(group);
          this.#openGroups(this.#state.groups(), isCurrent, done);
        },
        abandon: () => this.#abandonGroups(),
      },
    });
  }

  /** What requests are told; 0 once loaded. */
  get errorCode(): number {
    return this.#replayed.errorCode;
  }

  get state(): DurableState {
    return this.#state;
  }

  /** What a group is; undefined for none. */
  kindOf(groupId: string): GroupKind | undefined {
    if (this.groups.has(groupId)) return 'classic';
    if (this.#state.consumerGroups.has(groupId)) return 'consumer';
    if (this.#state.shareGroups.has(groupId)) return 'share';
    return this.#state.streamsGroups.has(groupId) ? 'streams' : undefined;
  }

  /** The group as the owner of offsets, where the broker assigns its members what they read. */
  offsetOwner(groupId: string): OffsetOwner | undefined {
    const consumers = this.consumers.get(groupId);
    if (consumers !== undefined) return ownerOfConsumers(consumers);
    const streams = this.streamsGroups.get(groupId);
    return streams && ownerOfStreams(streams);
  }

  // ---- loading

  load(): void {
    this.#replayed.load();
  }

  #begin(): LogReplay {
    this.#state = new DurableState();
    return replayInto(this.#state);
  }

  #openGroups(ids: Iterator<string>, isCurrent: () => boolean, done: () => void): void {
    if (!isCurrent()) return;
    const { clock, turns, log } = this.#options;
    for (let count = 0; count < GROUPS_PER_SLICE; count += 1) {
      const next = ids.next();
      if (next.done === true) {
        log.info('groups are loaded', { partition: this.partition, groups: this.groups.size });
        done();
        return;
      }
      this.#openGroup(next.value);
    }
    clock.soon(() => turns.run(() => this.#openGroups(ids, isCurrent, done)));
  }

  #openGroup(id: string): void {
    if (this.kindOf(id) !== undefined) return;
    const group = this.newGroup(id);
    const value = this.#state.metadata.get(id);
    if (value === undefined) return;
    restoreGroup(this.rebalancer, group, value);
    this.rebalancer.resume(group);
  }

  /** Another broker leads now. What is on its way into the log is still answered. */
  close(): void {
    this.#replayed.close();
  }

  #abandonGroups(): void {
    for (const group of this.groups.values()) this.rebalancer.abandon(group);
    this.groups.clear();
    this.consumers.abandon();
    this.shareGroups.abandon();
    this.streamsGroups.abandon();
  }

  /** There is a group of the name afterwards, of whatever kind. */
  foundGroup(id: string): void {
    const isThere = this.groups.has(id) || this.#state.consumerGroups.has(id) || this.#state.shareGroups.has(id);
    if (!isThere) this.newGroup(id);
  }

  newGroup(id: string): ClassicGroup {
    const group = this.rebalancer.newGroup(id);
    this.groups.set(id, group);
    return group;
  }

  // ---- appending

  /** Appends one batch. What it says holds, and `done` is called, when it is in the log: in the order of the appends. */
  append(records: readonly GroupRecord[], done: (errorCode: number) => void, producer?: BatchProducer): void {
    const inForce = (): void => {
      for (const record of records) {
        this.#state.replay(record, producer?.producerId);
        if (record.kind === 'streams-epoch' && record.value === null) this.streamsGroups.forget(record.group);
      }
    };
    this.#replayed.write({ records, inForce, done }, (written) =>
      this.#options.coordinatorLog.append(this.partition, records.map(encodeRecord), written, producer),
    );
  }

  /** Ends a transaction: its offsets count, or are forgotten, once the marker is in the log. */
  endTransaction(marker: EndTxnMarker, done: (errorCode: number) => void): void {
    const inForce = (): void => this.#state.endTransaction(marker.producerId, marker.committed);
    this.#replayed.write({ records: [], inForce, done }, (written) =>
      this.#options.coordinatorLog.appendMarker(this.partition, marker, written),
    );
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

  #store(group: string, value: GroupMetadataValue, done: (errorCode: number) => void): void {
    this.append([{ kind: 'metadata', group, value }], (errorCode) => done(storeError(errorCode)));
  }

  inFlight(groupId: string): InFlight {
    const offsets: { topic: string; partition: number }[] = [];
    let metadata = false;
    for (const record of this.#replayed.inFlight()) {
      if (record.group !== groupId) continue;
      if (record.kind === 'offset') offsets.push(record);
      else if (record.kind === 'metadata') metadata = true;
    }
    return { offsets, metadata };
  }

  /** Writes tombstones. Requests for the group wait meanwhile; one that is gone comes back should the append fail. */
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
    else this.appendAlone(group.id, records, finish);
  }

  #end(group: ClassicGroup): void {
    this.rebalancer.bury(group);
    this.groups.delete(group.id);
  }
}

/** Offsets of a transactional batch count when its transaction is committed. */
function replayInto(state: DurableState): LogReplay {
  return {
    replay(key, value, { isTransactional, producerId }) {
      const record = decodeRecord(key, value);
      if (record !== undefined) state.replay(record, isTransactional ? producerId : NO_PRODUCER_ID);
    },
    replayControl(batch) {
      const control = readControlRecord(batch);
      if (control.kind === 'endTxn') state.endTransaction(batch.header.producerId, control.committed);
    },
  };
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
