import { build } from '../../../wire/schema.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import type { JoinGroupRequest } from '../../protocol/messages/11-join-group.ts';
import type { HeartbeatRequest } from '../../protocol/messages/12-heartbeat.ts';
import { type LeaveGroupRequest, LeaveGroupResponse } from '../../protocol/messages/13-leave-group.ts';
import type { SyncGroupRequest } from '../../protocol/messages/14-sync-group.ts';
import type { ConsumerGroupHeartbeatRequest } from '../../protocol/messages/68-consumer-group-heartbeat.ts';
import { CoordinatedPartitions } from '../coordinated-partitions.ts';
import type { EndTxnMarker } from '../coordinator-log.ts';
import { partitionFor } from '../partition-for.ts';
import { Turns } from '../turns.ts';
import type { TopicPartition } from './clean-up.ts';
import { writeError } from './consumer/consumer-groups.ts';
import {
  attempt,
  consumerHeartbeat,
  type HeartbeatAnswer,
  heartbeatError,
  joinConsumerGroup,
  leaveConsumerGroup,
  syncConsumerGroup,
} from './consumer/consumer-requests.ts';
import { checkHeartbeat } from './consumer/heartbeat.ts';
import { GroupAdmin } from './group-admin.ts';
import { countGroups, type GroupCounts } from './group-counts.ts';
import { errorOf, type GroupCoordinatorOptions, type GroupHost } from './group-host.ts';
import type { GroupKind } from './group-kind.ts';
import { GroupOffsets } from './group-offsets.ts';
import { GroupPartition } from './group-partition.ts';
import { type GroupClient, joinGroup } from './join.ts';
import { heartbeat, leaveGroup } from './leave.ts';
import { type JoinAnswer, joinError, NO_MEMBER_ID, type SyncAnswer, syncError } from './member.ts';
import { OffsetExpiry } from './offset-expiry.ts';
import type { ShareGroups } from './share/share-groups.ts';
import type { StreamsGroups } from './streams/streams-groups.ts';
import { syncGroup } from './sync.ts';

/**
 * Coordinates the groups whose partition of `__consumer_offsets` this broker leads: membership, and committed offsets.
 * Every method answers through its callback exactly once, now or later.
 */
export class GroupCoordinator {
  readonly #options: GroupCoordinatorOptions;
  readonly #turns = new Turns();
  readonly #partitions: CoordinatedPartitions<GroupPartition>;
  /** What groups have committed. */
  readonly offsets: GroupOffsets;
  readonly admin: GroupAdmin;
  readonly #expiry: OffsetExpiry;

  constructor(options: GroupCoordinatorOptions) {
    this.#options = options;
    const turns = this.#turns;
    this.#partitions = new CoordinatedPartitions({
      log: options.log,
      turns,
      role: 'group coordinator',
      newPartition: (partition) => new GroupPartition({ ...options, partition, turns }),
    });
    const host: GroupHost = {
      options,
      turns,
      isClosed: () => this.#partitions.isClosed,
      partitions: () => this.#partitions.values(),
      partitionFor: (groupId) => this.partitionFor(groupId),
      partitionOf: (groupId) => this.#partitionOf(groupId),
      onGroup: (groupId, turn) => this.#onGroup(groupId, turn),
    };
    this.offsets = new GroupOffsets(host);
    this.admin = new GroupAdmin(host);
    this.#expiry = new OffsetExpiry(host);
  }

  /** Begins to look for expired offsets from time to time. */
  start(): void {
    this.#expiry.start();
  }

  /** Everybody who waits is sent to the next coordinator. */
  close(): void {
    this.#expiry.close();
    this.#partitions.close();
  }

  count(): GroupCounts {
    return countGroups(this.#partitions.values());
  }

  /** The partition of `__consumer_offsets` that keeps a group. */
  partitionFor(groupId: string): number {
    return partitionFor(groupId, this.#options.coordinatorLog.partitionCount());
  }

  // ---- leadership

  /** This broker leads a partition of `__consumer_offsets` now. A later epoch of a leader that stays changes nothing. */
  onElected(partition: number, leaderEpoch: number): void {
    this.#partitions.onElected(partition, leaderEpoch);
  }

  /** Another broker leads the partition, or none. */
  onResigned(partition: number): void {
    this.#partitions.onResigned(partition);
  }

  /**
   * Committed offsets of partitions that are gone are forgotten in every group. As Apache's does, each group without members
   * and offsets ends at this, of whatever partitions its offsets were (`GroupCoordinator.handleDeletedPartitions`).
   */
  onPartitionsDeleted(partitions: readonly TopicPartition[]): void {
    if (partitions.length > 0) this.#turns.run(() => this.#expiry.forgetPartitions(partitions));
  }

  /** Delivery state of topics that are gone belongs to no share group. */
  onTopicIdsDeleted(topicIds: ReadonlySet<string>): void {
    this.#turns.run(() => {
      for (const partition of this.#partitions.values()) {
        if (partition.errorCode === ErrorCode.NONE) partition.shareGroups.topicsDeleted(topicIds);
      }
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
          else if (isOfOtherKind(partition.kindOf(request.groupId))) {
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

  /** In a turn of the group's own, where this broker coordinates it and serves streams groups. */
  onStreams(groupId: string, refuse: (errorCode: number) => void, work: (streams: StreamsGroups) => void): void {
    if (!this.#options.streams.isEnabled) return refuse(ErrorCode.UNSUPPORTED_VERSION);
    this.#onGroup(groupId, (partition) => {
      const errorCode = groupId === '' ? ErrorCode.INVALID_GROUP_ID : errorOf(partition);
      if (errorCode !== ErrorCode.NONE || partition === undefined) refuse(errorCode);
      else work(partition.streamsGroups);
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
        const owner = partition.offsetOwner(groupId);
        if (owner === undefined) this.#joinClassic(partition, request, client, answer);
        else if (owner.memberCount > 0) {
          if (group === undefined) answer(joinError(NO_MEMBER_ID, ErrorCode.INCONSISTENT_GROUP_PROTOCOL));
          else joinConsumerGroup(partition.consumers, group, request, client, answer);
        } else if (memberId !== NO_MEMBER_ID) answer(joinError(memberId, ErrorCode.UNKNOWN_MEMBER_ID));
        else {
          // Nobody is left in it: it makes room for a classic one.
          partition.appendAlone(groupId, owner.tombstones(), (appended) => {
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

  /** Writes the end of a transaction into a partition of `__consumer_offsets`; what it committed there counts from then on. */
  endTransaction(partitionIndex: number, marker: EndTxnMarker, answer: (errorCode: number) => void): void {
    this.#turns.run(() => {
      const partition = this.#partitions.get(partitionIndex);
      const errorCode = errorOf(partition);
      if (errorCode !== ErrorCode.NONE || partition === undefined) answer(errorCode);
      else partition.endTransaction(marker, answer);
    });
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

/** A group that cannot become one of the consumer protocol. */
function isOfOtherKind(kind: GroupKind | undefined): boolean {
  return kind === 'share' || kind === 'streams';
}
