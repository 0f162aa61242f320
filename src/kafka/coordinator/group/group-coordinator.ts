import type { Clock, Timer } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import type { Random } from '../../../runtime/random.ts';
import { build } from '../../../wire/schema.ts';
import type { Verification } from '../../log/verifications.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import type { OffsetCommitRequest } from '../../protocol/messages/08-offset-commit.ts';
import type { JoinGroupRequest } from '../../protocol/messages/11-join-group.ts';
import type { HeartbeatRequest } from '../../protocol/messages/12-heartbeat.ts';
import { type LeaveGroupRequest, LeaveGroupResponse } from '../../protocol/messages/13-leave-group.ts';
import type { SyncGroupRequest } from '../../protocol/messages/14-sync-group.ts';
import type { TxnOffsetCommitRequest } from '../../protocol/messages/28-txn-offset-commit.ts';
import type { ConsumerGroupHeartbeatRequest } from '../../protocol/messages/68-consumer-group-heartbeat.ts';
import { NO_PRODUCER_EPOCH, NO_PRODUCER_ID } from '../../records/batch.ts';
import type { Entry } from '../../replication/transaction-gate.ts';
import type { TransactionOperation, TransactionWriter } from '../../replication/transaction-verifier.ts';
import type { BatchProducer, EndTxnMarker, TransactionalLog } from '../coordinator-log.ts';
import { partitionFor } from '../partition-for.ts';
import { Turns } from '../turns.ts';
import { commitError, coordinatorError } from './append-errors.ts';
import { type ClassicGroup, CONSUMER_PROTOCOL } from './classic-group.ts';
import { decideDelete, decideForget, expiredOffsets, type TopicPartition } from './clean-up.ts';
import {
  type CommitErrors,
  checkCommit,
  checkTransactionalCommit,
  decideCommit,
  refuseCommit,
} from './commit-offsets.ts';
import type { ConsumerConfig } from './consumer/consumer-config.ts';
import type { ConsumerGroup } from './consumer/consumer-group.ts';
import { writeError } from './consumer/consumer-groups.ts';
import {
  checkConsumerCommit,
  checkConsumerFetch,
  checkTransactionalConsumerCommit,
  deleteConsumerGroup,
  expiredConsumerOffsets,
  forgetConsumerOffsets,
  isSubscribed,
} from './consumer/consumer-offsets.ts';
import {
  attempt,
  consumerHeartbeat,
  type HeartbeatAnswer,
  heartbeatError,
  joinConsumerGroup,
  leaveConsumerGroup,
  syncConsumerGroup,
} from './consumer/consumer-requests.ts';
import {
  type DescribedConsumerGroup,
  describeConsumerGroup,
  listConsumerGroup,
  refusedConsumerGroup,
} from './consumer/describe-consumer.ts';
import { checkHeartbeat } from './consumer/heartbeat.ts';
import { groupTombstones } from './consumer/membership.ts';
import type { TopicImage } from './consumer/topic-image.ts';
import {
  type DescribedGroup,
  deadGroup,
  describeGroup,
  type ListedGroup,
  listGroup,
  unavailableGroup,
} from './describe.ts';
import { type FetchedOffsets, fetchOffsets, type WantedTopics } from './fetch-offsets.ts';
import type { GroupConfig } from './group-config.ts';
import { GroupPartition } from './group-partition.ts';
import { type GroupClient, joinGroup } from './join.ts';
import { heartbeat, leaveGroup } from './leave.ts';
import { type JoinAnswer, joinError, NO_MEMBER_ID, type SyncAnswer, syncError } from './member.ts';
import { listShareGroup } from './share/describe-share.ts';
import type { ShareGroups, ShareMembershipConfig } from './share/share-groups.ts';
import { deleteShareGroup } from './share/share-offsets.ts';
import type { ShareStateKeeper } from './share/share-state-keeper.ts';
import { syncGroup } from './sync.ts';

export interface GroupCoordinatorOptions {
  readonly coordinatorLog: TransactionalLog;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly config: GroupConfig;
  /** Asks whether a transaction may write to a partition of `__consumer_offsets`; without it every one may. */
  readonly enterTransaction?: EnterTransaction;
  readonly consumers: ConsumerConfig;
  /** The topics that groups of the consumer protocol are assigned. */
  readonly image: TopicImage;
  /** `group.share.*` of members, and who keeps what is delivered to them. */
  readonly shares: ShareMembershipConfig;
  readonly keeper: ShareStateKeeper;
}

export type EnterTransaction = (
  partition: number,
  writer: TransactionWriter,
  operation: TransactionOperation,
  done: (entry: Entry) => void,
) => void;

const noProducer: BatchProducer = {
  producerId: NO_PRODUCER_ID,
  producerEpoch: NO_PRODUCER_EPOCH,
  verification: undefined,
};

const enterUnasked: EnterTransaction = (_partition, _writer, _operation, done) =>
  done({ errorCode: ErrorCode.NONE, verification: undefined });

/** Later versions of OffsetCommit name topics by id, and know groups that do not exist. */
const NEWEST_COMMIT_BY_NAME = 9;
/** Groups that are looked at in one slice of the search for expired offsets. */
const GROUPS_PER_SLICE = 200;

/**
 * Coordinates the groups whose partition of `__consumer_offsets` this broker leads: membership, and committed offsets.
 * Every method answers through its callback exactly once, now or later.
 */
export class GroupCoordinator {
  readonly #options: GroupCoordinatorOptions;
  readonly #turns = new Turns();
  readonly #partitions = new Map<number, GroupPartition>();
  #expiryTimer: Timer | undefined;
  #isClosed = false;

  constructor(options: GroupCoordinatorOptions) {
    this.#options = options;
  }

  /** Begins to look for expired offsets from time to time. */
  start(): void {
    const { clock, config } = this.#options;
    this.#expiryTimer = clock.after(config.retentionCheckIntervalMs, () =>
      this.#turns.run(() => this.#expireOffsets()),
    );
  }

  /** Everybody who waits is sent to the next coordinator. */
  close(): void {
    this.#isClosed = true;
    this.#expiryTimer?.cancel();
    this.#turns.run(() => {
      for (const partition of this.#partitions.values()) partition.close();
      this.#partitions.clear();
    });
  }

  /** The partition of `__consumer_offsets` that keeps a group. */
  partitionFor(groupId: string): number {
    return partitionFor(groupId, this.#options.coordinatorLog.partitionCount());
  }

  // ---- leadership

  /** This broker leads a partition of `__consumer_offsets` now. A later epoch of a leader that stays changes nothing. */
  onElected(partition: number, leaderEpoch: number): void {
    this.#turns.run(() => {
      const current = this.#partitions.get(partition);
      const works =
        current?.errorCode === ErrorCode.NONE || current?.errorCode === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
      if (works || this.#isClosed) return;
      this.#options.log.info('elected as group coordinator', { partition, leaderEpoch });
      const elected = new GroupPartition({ ...this.#options, partition, turns: this.#turns });
      this.#partitions.set(partition, elected);
      elected.load();
    });
  }

  /** Another broker leads the partition, or none. */
  onResigned(partition: number): void {
    this.#turns.run(() => {
      const current = this.#partitions.get(partition);
      if (current === undefined) return;
      this.#options.log.info('resigned as group coordinator', { partition });
      this.#partitions.delete(partition);
      current.close();
    });
  }

  /** Committed offsets of topics that are gone are forgotten in every group. */
  onTopicsDeleted(topics: Iterable<string>): void {
    const gone = new Set(topics);
    this.#turns.run(() => {
      for (const partition of this.#partitions.values()) {
        if (partition.errorCode !== ErrorCode.NONE) continue;
        for (const group of [...partition.groups.values()]) this.#forgetTopics(partition, group, gone);
        for (const { id } of partition.state.consumerGroups.values()) this.#forgetConsumed(id, gone);
      }
    });
  }

  /** Delivery state of topics that are gone belongs to no share group. */
  onTopicIdsDeleted(topicIds: ReadonlySet<string>): void {
    this.#turns.run(() => {
      for (const partition of this.#partitions.values()) {
        if (partition.errorCode === ErrorCode.NONE) partition.shareGroups.topicsDeleted(topicIds);
      }
    });
  }

  #forgetTopics(partition: GroupPartition, group: ClassicGroup, topics: ReadonlySet<string>): void {
    if (group.state === 'Dead') return;
    const inFlight = partition.inFlight(group.id);
    const offsets = [
      ...partition.state.offsets(group.id),
      ...partition.state.pendingOffsets(group.id),
      ...inFlight.offsets,
    ];
    const gone = offsets.filter(({ topic }) => topics.has(topic));
    if (gone.length === 0) return;
    partition.forget(group, decideForget(group, partition.state, inFlight, gone), (errorCode) =>
      this.#warnOf(errorCode, group.id),
    );
  }

  #forgetConsumed(groupId: string, topics: ReadonlySet<string>): void {
    this.#onGroup(groupId, (partition) => {
      const group = partition?.consumers.get(groupId);
      if (partition === undefined || group === undefined) return;
      const gone = [...partition.state.offsets(groupId)].filter(({ topic }) => topics.has(topic));
      const records = forgetConsumerOffsets(group, partition.state, partition.inFlight(groupId), gone);
      if (gone.length > 0) partition.appendAlone(groupId, records, (errorCode) => this.#warnOf(errorCode, groupId));
    });
  }

  // ---- membership

  consumerGroupHeartbeat(request: ConsumerGroupHeartbeatRequest, client: GroupClient, answer: HeartbeatAnswer): void {
    attempt(
      () => {
        if (!this.#options.consumers.isEnabled) throw new KafkaError(ErrorCode.UNSUPPORTED_VERSION);
        checkHeartbeat(request, client.apiVersion, this.#options.consumers);
        this.#onGroup(request.groupId, (partition) => {
          const errorCode = errorOf(partition);
          if (errorCode !== ErrorCode.NONE || partition === undefined) answer(heartbeatError(errorCode));
          else if (partition.shareGroups.get(request.groupId) !== undefined) {
            answer(heartbeatError(ErrorCode.GROUP_ID_NOT_FOUND, `Group ${request.groupId} is not a consumer group.`));
          } else consumerHeartbeat(partition.consumers, request, client, answer);
        });
      },
      ({ code, message }) => answer(heartbeatError(code, message)),
    );
  }

  /** In a turn of the group's own, where this broker coordinates it. */
  onShares(groupId: string, refuse: (errorCode: number) => void, work: (shares: ShareGroups) => void): void {
    this.#onGroup(groupId, (partition) => {
      const errorCode = groupId === '' ? ErrorCode.INVALID_GROUP_ID : errorOf(partition);
      if (errorCode !== ErrorCode.NONE || partition === undefined) refuse(errorCode);
      else work(partition.shareGroups);
    });
  }

  joinGroup(request: JoinGroupRequest, client: GroupClient, answer: JoinAnswer): void {
    this.#onGroup(request.groupId, (partition) => {
      const { groupId, memberId, sessionTimeoutMs } = request;
      const { sessionTimeoutMinMs, sessionTimeoutMaxMs } = this.#options.config;
      const errorCode = groupId === '' ? ErrorCode.INVALID_GROUP_ID : errorOf(partition);
      if (errorCode !== ErrorCode.NONE || partition === undefined) answer(joinError(memberId, errorCode));
      else if (sessionTimeoutMs < sessionTimeoutMinMs || sessionTimeoutMs > sessionTimeoutMaxMs) {
        answer(joinError(memberId, ErrorCode.INVALID_SESSION_TIMEOUT));
      } else if (partition.shareGroups.get(groupId) !== undefined) {
        answer(joinError(memberId, ErrorCode.INCONSISTENT_GROUP_PROTOCOL));
      } else {
        const group = partition.consumers.get(groupId);
        if (group === undefined) this.#joinClassic(partition, request, client, answer);
        else if (group.members.size > 0) joinConsumerGroup(partition.consumers, group, request, client, answer);
        else if (memberId !== NO_MEMBER_ID) answer(joinError(memberId, ErrorCode.UNKNOWN_MEMBER_ID));
        else {
          // Nobody is left in it: it makes room for a classic one.
          partition.appendAlone(groupId, groupTombstones(group), (appended) => {
            if (appended !== ErrorCode.NONE) answer(joinError(memberId, writeError(appended)));
            else this.#joinClassic(partition, request, client, answer);
          });
        }
      }
    });
  }

  #joinClassic(partition: GroupPartition, request: JoinGroupRequest, client: GroupClient, answer: JoinAnswer): void {
    const { groupId, memberId } = request;
    const known = partition.groups.get(groupId);
    // Only who has no id yet may found a group.
    const group = known ?? (memberId === NO_MEMBER_ID ? partition.newGroup(groupId) : undefined);
    if (group === undefined) answer(joinError(memberId, ErrorCode.UNKNOWN_MEMBER_ID));
    else joinGroup(partition.rebalancer, group, request, client, answer);
  }

  syncGroup(request: SyncGroupRequest, answer: SyncAnswer): void {
    this.#onGroup(request.groupId, (partition) => {
      const { groupId } = request;
      const errorCode = groupId === '' ? ErrorCode.INVALID_GROUP_ID : errorOf(partition);
      const group = partition?.groups.get(groupId);
      const consumers = partition?.consumers.get(groupId);
      // Old clients do not expect 14 here. The rebalance is lost anyway: members join again.
      if (errorCode === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS) answer(syncError(ErrorCode.REBALANCE_IN_PROGRESS));
      else if (errorCode !== ErrorCode.NONE || partition === undefined) answer(syncError(errorCode));
      else if (consumers !== undefined) syncConsumerGroup(partition.consumers, consumers, request, answer);
      else if (group === undefined) answer(syncError(ErrorCode.UNKNOWN_MEMBER_ID));
      else syncGroup(partition.rebalancer, group, request, answer);
    });
  }

  heartbeat(request: HeartbeatRequest, answer: (errorCode: number) => void): void {
    this.#onGroup(request.groupId, (partition) => {
      const { groupId } = request;
      const errorCode = groupId === '' ? ErrorCode.INVALID_GROUP_ID : errorOf(partition);
      const group = partition?.groups.get(groupId);
      const consumers = partition?.consumers.get(groupId);
      // Old clients do not expect 14 here either: while the group loads, its members are believed to be alive.
      if (errorCode === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS) answer(ErrorCode.NONE);
      else if (errorCode !== ErrorCode.NONE || partition === undefined) answer(errorCode);
      else if (consumers !== undefined) {
        attempt(
          () => answer(partition.consumers.classicHeartbeat(consumers, request)),
          ({ code }) => answer(code),
        );
      } else
        answer(group === undefined ? ErrorCode.UNKNOWN_MEMBER_ID : heartbeat(partition.rebalancer, group, request));
    });
  }

  leaveGroup(
    groupId: string,
    leaving: LeaveGroupRequest['members'],
    answer: (response: LeaveGroupResponse) => void,
  ): void {
    this.#onGroup(groupId, (partition) => {
      const group = partition?.groups.get(groupId);
      const consumers = partition?.consumers.get(groupId);
      const errorCode = groupId === '' ? ErrorCode.INVALID_GROUP_ID : errorOf(partition);
      if (errorCode !== ErrorCode.NONE || partition === undefined) {
        answer(build(LeaveGroupResponse, { errorCode }));
      } else if (consumers !== undefined) {
        leaveConsumerGroup(partition.consumers, consumers, leaving, answer);
      } else if (group?.state === 'Dead') {
        answer(build(LeaveGroupResponse, { errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE }));
      } else {
        const members = leaving.map((one) => ({
          memberId: one.memberId,
          groupInstanceId: one.groupInstanceId,
          errorCode: group === undefined ? ErrorCode.UNKNOWN_MEMBER_ID : leaveGroup(partition.rebalancer, group, one),
        }));
        answer(build(LeaveGroupResponse, { members }));
      }
    });
  }

  // ---- offsets

  /** The error codes come in the order of the request's topics and partitions. */
  commitOffsets(
    request: OffsetCommitRequest,
    answer: (errors: CommitErrors) => void,
    version = NEWEST_COMMIT_BY_NAME,
  ): void {
    this.#onGroup(request.groupId, (partition) => {
      const errorCode = errorOf(partition, () => this.#checkCommit(partition!, request, version));
      if (errorCode !== ErrorCode.NONE || partition === undefined) answer(refuseCommit(request, errorCode));
      else this.#commit(partition, request, answer);
    });
  }

  #checkCommit(partition: GroupPartition, request: OffsetCommitRequest, version: number): number {
    const { groupId, generationIdOrMemberEpoch: generation } = request;
    if (partition.shareGroups.get(groupId) !== undefined) return ErrorCode.GROUP_ID_NOT_FOUND;
    const consumers = partition.consumers.get(groupId);
    if (consumers !== undefined) return checkConsumerCommit(consumers, request, version, this.#options.image);
    const known = partition.groups.get(groupId);
    if (known === undefined && generation >= 0) {
      return version > NEWEST_COMMIT_BY_NAME ? ErrorCode.GROUP_ID_NOT_FOUND : ErrorCode.ILLEGAL_GENERATION;
    }
    const group = known ?? partition.newGroup(groupId);
    const errorCode = checkCommit(group, request);
    const member = group.members.get(request.memberId);
    if (errorCode === ErrorCode.NONE && member !== undefined) partition.rebalancer.heard(member);
    return errorCode;
  }

  #commit(partition: GroupPartition, request: OffsetCommitRequest, answer: (errors: CommitErrors) => void): void {
    const { records, errors } = decideCommit(request, this.#options.config, this.#options.clock.wallMs());
    if (records.length === 0) answer(errors(ErrorCode.NONE));
    else partition.append(records, (appended) => answer(errors(commitError(appended))), noProducer);
  }

  /** As `commitOffsets`, within a transaction: the offsets count when it is committed. */
  commitTransactionalOffsets(
    request: TxnOffsetCommitRequest,
    operation: TransactionOperation,
    answer: (errors: CommitErrors) => void,
  ): void {
    this.#turns.run(() => {
      const { groupId } = request;
      const refuse = (errorCode: number): void => answer(refuseCommit(request, errorCode));
      const errorCode = groupId === '' ? ErrorCode.INVALID_GROUP_ID : errorOf(this.#partitionOf(groupId));
      if (errorCode !== ErrorCode.NONE) return refuse(errorCode);
      const enter = this.#options.enterTransaction ?? enterUnasked;
      enter(this.partitionFor(groupId), request, operation, (entry) =>
        this.#onGroup(groupId, (partition) => {
          if (entry.errorCode !== ErrorCode.NONE) refuse(commitError(entry.errorCode));
          else this.#commitTransactional(partition, request, entry.verification, answer);
        }),
      );
    });
  }

  /** The coordinator of the transaction may have taken its time: everything is looked at anew. */
  #commitTransactional(
    partition: GroupPartition | undefined,
    request: TxnOffsetCommitRequest,
    verification: Verification | undefined,
    answer: (errors: CommitErrors) => void,
  ): void {
    const { producerId, producerEpoch } = request;
    const errorCode = errorOf(partition, () => this.#checkTransactionalCommit(partition!, request));
    if (errorCode !== ErrorCode.NONE || partition === undefined) return answer(refuseCommit(request, errorCode));
    const { records, errors } = decideCommit(request, this.#options.config, this.#options.clock.wallMs());
    if (records.length === 0) return answer(errors(ErrorCode.NONE));
    // Of no producer (-1) it is a commit like any other, as in Apache's.
    const producer = { producerId, producerEpoch, verification };
    partition.append(records, (appended) => answer(errors(commitError(appended))), producer);
  }

  #checkTransactionalCommit(partition: GroupPartition, request: TxnOffsetCommitRequest): number {
    const { groupId } = request;
    if (partition.shareGroups.get(groupId) !== undefined) return ErrorCode.GROUP_ID_NOT_FOUND;
    const consumers = partition.consumers.get(groupId);
    if (consumers !== undefined) return checkTransactionalConsumerCommit(consumers, request, this.#options.image);
    return checkTransactionalCommit(partition.groups.get(groupId) ?? partition.newGroup(groupId), request);
  }

  /** Writes the end of a transaction into a partition of `__consumer_offsets`; what it committed there counts from then on. */
  endTransaction(partitionIndex: number, marker: EndTxnMarker, answer: (errorCode: number) => void): void {
    this.#turns.run(() => {
      const partition = this.#partitions.get(partitionIndex);
      const errorCode = errorOf(partition);
      if (errorCode !== ErrorCode.NONE || partition === undefined) answer(errorCode);
      else partition.endTransaction(marker, answer);
    });
  }

  fetchOffsets(
    groupId: string,
    topics: WantedTopics | null,
    requireStable: boolean,
    answer: (fetched: FetchedOffsets) => void,
    member: { readonly id: string | null; readonly epoch: number } = { id: null, epoch: -1 },
  ): void {
    this.#turns.run(() => {
      const partition = this.#partitionOf(groupId);
      const consumers = partition?.consumers.get(groupId);
      const errorCode = errorOf(partition, () =>
        consumers === undefined ? ErrorCode.NONE : checkConsumerFetch(consumers, member.id, member.epoch),
      );
      if (errorCode !== ErrorCode.NONE || partition === undefined) answer({ errorCode, topics: [] });
      else {
        const inFlight = requireStable ? partition.inFlight(groupId).offsets : [];
        answer(fetchOffsets(partition.state, groupId, { topics, requireStable, inFlight }));
      }
    });
  }

  /** Error codes come in the order of the partitions. */
  deleteOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
    answer: (errorCode: number, errors: readonly number[]) => void,
  ): void {
    this.#onGroup(groupId, (partition) => {
      const consumers = partition?.consumers.get(groupId);
      if (partition !== undefined && consumers !== undefined) {
        this.#deleteConsumed(partition, consumers, partitions, answer);
        return;
      }
      const group = partition?.groups.get(groupId);
      const errorCode = groupId === '' ? ErrorCode.INVALID_GROUP_ID : errorOf(partition, () => deletable(group));
      if (errorCode !== ErrorCode.NONE || partition === undefined || group === undefined) {
        answer(errorCode, []);
        return;
      }
      const isConsumed = partitions.map(({ topic }) => group.state !== 'Empty' && group.isSubscribedTo(topic));
      const free = partitions.filter((_, index) => isConsumed[index] === false);
      const errorsWith = (deleted: number): number[] =>
        isConsumed.map((consumed) => (consumed ? ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC : deleted));
      if (free.length === 0) {
        answer(ErrorCode.NONE, errorsWith(ErrorCode.NONE));
        return;
      }
      const decision = decideForget(group, partition.state, partition.inFlight(groupId), free);
      partition.forget(group, decision, (appended) => answer(ErrorCode.NONE, errorsWith(coordinatorError(appended))));
    });
  }

  #deleteConsumed(
    partition: GroupPartition,
    group: ConsumerGroup,
    partitions: readonly TopicPartition[],
    answer: (errorCode: number, errors: readonly number[]) => void,
  ): void {
    const free = partitions.filter(({ topic }) => !isSubscribed(group, topic));
    const known = free.filter(({ topic, partition: index }) => partition.state.offset(group.id, topic, index));
    const records = forgetConsumerOffsets(group, partition.state, partition.inFlight(group.id), known);
    const done = (appended: number): void =>
      answer(
        ErrorCode.NONE,
        partitions.map(({ topic }) => (isSubscribed(group, topic) ? ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC : appended)),
      );
    partition.appendAlone(group.id, known.length === 0 ? [] : records, (appended) => done(coordinatorError(appended)));
  }

  // ---- administration

  deleteGroup(groupId: string, answer: (errorCode: number) => void): void {
    this.#onGroup(groupId, (partition) => {
      const errorCode = errorOf(partition);
      const group = partition?.groups.get(groupId);
      const consumers = partition?.consumers.get(groupId);
      const shares = partition?.shareGroups.get(groupId);
      if (errorCode !== ErrorCode.NONE || partition === undefined) answer(errorCode);
      else if (shares !== undefined) deleteShareGroup(partition.shareGroups, shares, answer);
      else if (consumers !== undefined) {
        if (consumers.members.size > 0) return answer(ErrorCode.NON_EMPTY_GROUP);
        const records = deleteConsumerGroup(consumers, partition.state);
        partition.appendAlone(groupId, records, (appended) => answer(writeError(appended)));
      } else if (group === undefined || group.state === 'Dead') answer(ErrorCode.GROUP_ID_NOT_FOUND);
      else if (group.state !== 'Empty') answer(ErrorCode.NON_EMPTY_GROUP);
      else {
        const decision = decideDelete(group, partition.state, partition.inFlight(groupId));
        partition.forget(group, decision, (appended) => answer(coordinatorError(appended)));
      }
    });
  }

  describeConsumerGroup(groupId: string, answer: (group: DescribedConsumerGroup) => void): void {
    this.#turns.run(() => {
      const partition = this.#partitionOf(groupId);
      const { image, consumers } = this.#options;
      const isRefused = !consumers.isEnabled || groupId === '';
      const refusal = consumers.isEnabled ? ErrorCode.INVALID_GROUP_ID : ErrorCode.UNSUPPORTED_VERSION;
      const errorCode = isRefused ? refusal : errorOf(partition);
      const group = partition?.consumers.get(groupId);
      if (errorCode !== ErrorCode.NONE) answer(refusedConsumerGroup(groupId, errorCode, null));
      else if (group !== undefined) answer(describeConsumerGroup(group, image, consumers.assignors[0]!));
      else {
        const why = partition?.groups.has(groupId) === true ? 'is not a consumer group' : 'not found';
        answer(refusedConsumerGroup(groupId, ErrorCode.GROUP_ID_NOT_FOUND, `Group ${groupId} ${why}.`));
      }
    });
  }

  /** `why` says why there is no such classic group. */
  describeGroup(groupId: string, answer: (group: DescribedGroup, why?: string) => void): void {
    this.#turns.run(() => {
      const partition = this.#partitionOf(groupId);
      const errorCode = errorOf(partition);
      const group = partition?.groups.get(groupId);
      if (partition?.consumers.get(groupId) !== undefined || partition?.shareGroups.get(groupId) !== undefined) {
        return answer(deadGroup(groupId), `Group ${groupId} is not a classic group.`);
      }
      if (errorCode !== ErrorCode.NONE) answer(unavailableGroup(groupId, errorCode));
      else answer(group === undefined ? deadGroup(groupId) : describeGroup(group));
    });
  }

  /** What is loaded; the error tells if some of it is not yet. Filters are compared without case; an empty one lets all through. */
  listGroups(
    filter: { readonly states: readonly string[]; readonly types: readonly string[] },
    answer: (errorCode: number, groups: readonly ListedGroup[]) => void,
  ): void {
    this.#turns.run(() => {
      const states = new Set(filter.states.map((state) => state.toLowerCase()));
      const isListed = (type: string): boolean =>
        filter.types.length === 0 || filter.types.some((one) => one.toLowerCase() === type);
      const hasState = (state: string): boolean => states.size === 0 || states.has(state.toLowerCase());
      const groups: ListedGroup[] = [];
      let errorCode: number = this.#isClosed ? ErrorCode.COORDINATOR_NOT_AVAILABLE : ErrorCode.NONE;
      for (const partition of this.#partitions.values()) {
        if (partition.errorCode === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS) errorCode = partition.errorCode;
        if (partition.errorCode !== ErrorCode.NONE) continue;
        for (const group of isListed('classic') ? partition.groups.values() : []) {
          if (hasState(group.state)) groups.push(listGroup(group));
        }
        for (const group of isListed('consumer') ? partition.state.consumerGroups.values() : []) {
          if (hasState(group.state)) groups.push(listConsumerGroup(group));
        }
        for (const group of isListed('share') ? partition.state.shareGroups.values() : []) {
          if (hasState(group.state)) groups.push(listShareGroup(group));
        }
      }
      answer(errorCode, groups);
    });
  }

  // ---- expiry

  #expireOffsets(): void {
    if (this.#isClosed) return;
    for (const partition of this.#partitions.values()) {
      for (const { id } of partition.state.consumerGroups.values()) this.#expireConsumed(id);
    }
    this.#expireIn(this.#allGroups());
  }

  #expireIn(groups: Iterator<{ partition: GroupPartition; group: ClassicGroup }>): void {
    if (this.#isClosed) return;
    for (let count = 0; count < GROUPS_PER_SLICE; count += 1) {
      const next = groups.next();
      if (next.done === true) {
        this.start();
        return;
      }
      this.#expire(next.value.partition, next.value.group);
    }
    this.#options.clock.soon(() => this.#turns.run(() => this.#expireIn(groups)));
  }

  *#allGroups(): Iterator<{ partition: GroupPartition; group: ClassicGroup }> {
    for (const partition of [...this.#partitions.values()]) {
      for (const group of [...partition.groups.values()]) yield { partition, group };
    }
  }

  #expire(partition: GroupPartition, group: ClassicGroup): void {
    const isCurrent = partition.errorCode === ErrorCode.NONE && partition.groups.get(group.id) === group;
    if (!isCurrent || group.state === 'Dead') return;
    const inFlight = partition.inFlight(group.id);
    const times = { nowMs: this.#options.clock.wallMs(), retentionMs: this.#options.config.offsetsRetentionMs };
    const expired = expiredOffsets(group, partition.state, inFlight, times);
    const decision = decideForget(group, partition.state, inFlight, expired);
    if (decision.records.length === 0 && !decision.isGone) return;
    partition.forget(group, decision, (errorCode) => this.#warnOf(errorCode, group.id));
  }

  #expireConsumed(groupId: string): void {
    this.#onGroup(groupId, (partition) => {
      const group = partition?.consumers.get(groupId);
      if (partition === undefined || group === undefined) return;
      const inFlight = partition.inFlight(groupId);
      const times = { nowMs: this.#options.clock.wallMs(), retentionMs: this.#options.config.offsetsRetentionMs };
      const expired = expiredConsumerOffsets(group, partition.state, inFlight, times);
      const records = forgetConsumerOffsets(group, partition.state, inFlight, expired);
      partition.appendAlone(groupId, records, (errorCode) => this.#warnOf(errorCode, groupId));
    });
  }

  #warnOf(errorCode: number, group: string): void {
    if (errorCode !== ErrorCode.NONE) this.#options.log.warn('offsets could not be forgotten', { group, errorCode });
  }

  /** In a turn of its own, once no decision about the group is on its way into the log. */
  #onGroup(groupId: string, turn: (partition: GroupPartition | undefined) => void): void {
    this.#turns.run(() => {
      const partition = this.#partitionOf(groupId);
      if (partition === undefined) turn(undefined);
      else partition.afterWrites(groupId, () => turn(this.#partitionOf(groupId)));
    });
  }

  #partitionOf(groupId: string): GroupPartition | undefined {
    return this.#partitions.get(this.partitionFor(groupId));
  }
}

/** What hinders a request; where nothing of the partition does, what the second check says. */
function errorOf(partition: GroupPartition | undefined, andThen: () => number = () => ErrorCode.NONE): number {
  const errorCode = partition?.errorCode ?? ErrorCode.NOT_COORDINATOR;
  return errorCode === ErrorCode.NONE ? andThen() : errorCode;
}

/** Whether offsets of a group may be deleted at all: only consumers tell which topics they use. */
function deletable(group: ClassicGroup | undefined): number {
  if (group === undefined || group.state === 'Dead') return ErrorCode.GROUP_ID_NOT_FOUND;
  const knowsTopics = group.state === 'Empty' || group.protocolType === CONSUMER_PROTOCOL;
  return knowsTopics ? ErrorCode.NONE : ErrorCode.NON_EMPTY_GROUP;
}
