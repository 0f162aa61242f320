import type { Clock, Timer } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { ErrorCode, errorOf, KafkaError } from '../protocol/errors.ts';
import { JoinGroupRequest, JoinGroupResponse } from '../protocol/messages/11-join-group.ts';
import { HeartbeatRequest, HeartbeatResponse } from '../protocol/messages/12-heartbeat.ts';
import { LeaveGroupRequest, LeaveGroupResponse } from '../protocol/messages/13-leave-group.ts';
import { SyncGroupRequest, SyncGroupResponse } from '../protocol/messages/14-sync-group.ts';
import { ConsumerProtocolAssignment, ConsumerProtocolSubscription } from '../protocol/records/consumer-protocol.ts';
import { readVersionedOrNewer, writeVersioned } from '../protocol/records/versioned.ts';
import type { Assignor, GroupMember } from './assignors.ts';
import { ClientClosedError, codeOf, isRetriable } from './client-errors.ts';
import type { Cluster } from './cluster.ts';
import type { TopicPartition } from './cluster-metadata.ts';
import { findCoordinator } from './coordinator.ts';
import type { Committer } from './offsets.ts';

export interface MembershipOptions {
  readonly groupId: string;
  readonly groupInstanceId: string | null;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly assignors: readonly Assignor[];
}

export interface MembershipOwner {
  /** What this member wants. */
  topics(): readonly string[];
  owned(): readonly TopicPartition[];
  /** The generation ends: join again, after what is owned was given up. */
  rejoinNeeded(): void;
  /** The group went on without this member: what it owned may be another's already. */
  membershipLost(): void;
  fatal(error: unknown): void;
}

/** What the group decided for this member. */
export interface Joined {
  readonly assigned: readonly TopicPartition[];
  /** Partitions of every topic that the group wants: only its leader knows, and must tell when they change. */
  readonly leaderView: ReadonlyMap<string, number> | undefined;
}

type MemberState = 'unjoined' | 'joining' | 'stable';

/** Answering a join takes as long as the slowest member; then the network has this long. */
const JOIN_TIMEOUT_EXTRA_MS = 5_000;

/**
 * The classic protocol of consumer groups.
 *
 *   unjoined ── join ──▶ joining ── JoinGroup, SyncGroup ──▶ stable ── REBALANCE_IN_PROGRESS ──▶ unjoined (same member id)
 *                                                              └─ UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION ──▶ unjoined (nobody)
 */
export class GroupMembership {
  readonly #cluster: Cluster;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #options: MembershipOptions;
  readonly #owner: MembershipOwner;
  #state: MemberState = 'unjoined';
  #memberId = '';
  #generation = -1;
  #coordinator: number | undefined;
  #heartbeat: Timer | undefined;
  #closed = false;

  constructor(cluster: Cluster, options: MembershipOptions, owner: MembershipOwner) {
    this.#cluster = cluster;
    this.#clock = cluster.runtime.clock;
    this.#log = cluster.runtime.log;
    this.#options = options;
    this.#owner = owner;
  }

  get state(): MemberState {
    return this.#state;
  }

  get memberId(): string {
    return this.#memberId;
  }

  get committer(): Committer {
    const { groupId, groupInstanceId } = this.#options;
    return { groupId, generation: this.#generation, memberId: this.#memberId, groupInstanceId };
  }

  /** The broker that keeps this group; asked for when unknown. @throws KafkaError */
  async coordinator(): Promise<number> {
    if (this.#coordinator === undefined) {
      const node = await findCoordinator(this.#cluster, this.#options.groupId, 'group');
      this.#coordinator = node.id;
    }
    return this.#coordinator;
  }

  /** The answer to a request showed that another broker keeps the group, or that this one cannot be reached. */
  coordinatorFailed(error: unknown): void {
    const code = codeOf(error);
    const isElsewhere =
      code === ErrorCode.NOT_COORDINATOR ||
      code === ErrorCode.COORDINATOR_NOT_AVAILABLE ||
      code === ErrorCode.NETWORK_EXCEPTION ||
      code === ErrorCode.REQUEST_TIMED_OUT;
    if (isElsewhere) this.#coordinator = undefined;
  }

  /** Until a generation stands that this member is part of. */
  async join(): Promise<Joined> {
    this.#state = 'joining';
    this.#heartbeat?.cancel();
    for (let failures = 0; ; ) {
      if (this.#closed) throw new ClientClosedError('consumer');
      try {
        const joined = await this.#joinOnce();
        this.#state = 'stable';
        this.#armHeartbeat();
        return joined;
      } catch (error) {
        if (this.#closed) throw new ClientClosedError('consumer');
        const code = codeOf(error);
        this.coordinatorFailed(error);
        if (code === ErrorCode.MEMBER_ID_REQUIRED || code === ErrorCode.REBALANCE_IN_PROGRESS) continue;
        if (code === ErrorCode.UNKNOWN_MEMBER_ID || code === ErrorCode.ILLEGAL_GENERATION) {
          this.#forget();
          this.#state = 'joining';
        } else if (!isRetriable(error)) {
          this.#state = 'unjoined';
          throw error;
        }
        await this.#cluster.pause(this.#cluster.backoffMs(failures));
        failures += 1;
      }
    }
  }

  async #joinOnce(): Promise<Joined> {
    const { groupId, groupInstanceId, sessionTimeoutMs, rebalanceTimeoutMs } = this.#options;
    const coordinator = { node: await this.coordinator(), lane: 'group' } as const;
    const joined = await this.#cluster.request(
      coordinator,
      JoinGroupRequest,
      JoinGroupResponse,
      {
        groupId,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        memberId: this.#memberId,
        groupInstanceId,
        protocolType: 'consumer',
        protocols: this.#options.assignors.map(({ name }) => ({ name, metadata: this.#subscription() })),
      },
      { timeoutMs: Math.max(rebalanceTimeoutMs, sessionTimeoutMs) + JOIN_TIMEOUT_EXTRA_MS },
    );
    if (joined.errorCode === ErrorCode.MEMBER_ID_REQUIRED) this.#memberId = joined.memberId;
    if (joined.errorCode !== ErrorCode.NONE) throw errorOf(joined.errorCode);
    this.#memberId = joined.memberId;
    this.#generation = joined.generationId;
    const isLeader = joined.leader === joined.memberId && !joined.skipAssignment;
    const decided = isLeader ? await this.#decide(joined) : undefined;
    const synced = await this.#cluster.request(coordinator, SyncGroupRequest, SyncGroupResponse, {
      groupId,
      generationId: joined.generationId,
      memberId: joined.memberId,
      groupInstanceId,
      protocolType: 'consumer',
      protocolName: joined.protocolName,
      assignments: decided?.assignments ?? [],
    });
    if (synced.errorCode !== ErrorCode.NONE) throw errorOf(synced.errorCode);
    return { assigned: assignmentOf(synced.assignment), leaderView: decided?.partitionCounts };
  }

  #subscription(): Uint8Array {
    const ownedPartitions = [...Map.groupBy(this.#owner.owned(), ({ topic }) => topic)].map(([topic, partitions]) => ({
      topic,
      partitions: partitions.map(({ partition }) => partition),
    }));
    return writeVersioned(ConsumerProtocolSubscription, 3, {
      topics: [...this.#owner.topics()].sort(),
      userData: null,
      ownedPartitions,
      generationId: this.#generation,
      rackId: null,
    });
  }

  /** As the leader: everybody's partitions. */
  async #decide(joined: JoinGroupResponse): Promise<{
    assignments: { memberId: string; assignment: Uint8Array }[];
    partitionCounts: ReadonlyMap<string, number>;
  }> {
    const assignor = this.#options.assignors.find(({ name }) => name === joined.protocolName);
    if (assignor === undefined) throw new KafkaError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
    const members = joined.members.map(({ memberId, groupInstanceId, metadata }): GroupMember => {
      const { topics } = readVersionedOrNewer(ConsumerProtocolSubscription, metadata);
      return { memberId, groupInstanceId, topics };
    });
    const partitionCounts = await this.#partitionCounts([...new Set(members.flatMap(({ topics }) => topics))]);
    const assignments = [...assignor.assign(members, partitionCounts)].map(([memberId, partitions]) => ({
      memberId,
      assignment: assignmentBytes(partitions),
    }));
    return { assignments, partitionCounts };
  }

  async #partitionCounts(topics: readonly string[]): Promise<Map<string, number>> {
    const metadata = await this.#cluster.refresh(topics);
    const counts = new Map<string, number>();
    for (const topic of topics) {
      const count = metadata.topics.get(topic)?.partitions.length ?? 0;
      if (count > 0) counts.set(topic, count);
    }
    return counts;
  }

  #armHeartbeat(): void {
    this.#heartbeat?.cancel();
    this.#heartbeat = this.#clock.after(this.#options.heartbeatIntervalMs, () => {
      this.#beat().then(
        () => this.#continueIfStable(),
        (error: unknown) => this.#beatFailed(error),
      );
    });
  }

  #continueIfStable(): void {
    if (this.#state === 'stable' && !this.#closed) this.#armHeartbeat();
  }

  async #beat(): Promise<void> {
    const { groupId, groupInstanceId, sessionTimeoutMs } = this.#options;
    const node = await this.coordinator();
    if (this.#state !== 'stable' || this.#closed) return;
    const { errorCode } = await this.#cluster.request(
      { node, lane: 'group' },
      HeartbeatRequest,
      HeartbeatResponse,
      { groupId, generationId: this.#generation, memberId: this.#memberId, groupInstanceId },
      { timeoutMs: sessionTimeoutMs },
    );
    if (errorCode !== ErrorCode.NONE) throw errorOf(errorCode);
  }

  #beatFailed(error: unknown): void {
    if (this.#closed || this.#state !== 'stable') return;
    this.coordinatorFailed(error);
    const code = codeOf(error);
    if (code === ErrorCode.REBALANCE_IN_PROGRESS) {
      this.#log.info(
        `[Consumer groupId=${this.#options.groupId}] Request joining group due to: group is already rebalancing`,
      );
      this.#owner.rejoinNeeded();
      this.#armHeartbeat(); // what is owned stays ours until we join again
    } else if (code === ErrorCode.UNKNOWN_MEMBER_ID || code === ErrorCode.ILLEGAL_GENERATION) {
      this.#forget();
      this.#owner.membershipLost();
    } else if (isRetriable(error)) {
      this.#armHeartbeat();
    } else {
      this.#forget();
      this.#owner.fatal(error);
    }
  }

  /** A commit's answer: the group went on without us. */
  generationLost(): void {
    if (this.#state !== 'stable') return;
    this.#forget();
    this.#owner.membershipLost();
  }

  #forget(): void {
    this.#heartbeat?.cancel();
    this.#memberId = '';
    this.#generation = -1;
    this.#state = 'unjoined';
  }

  /** Tells the group, so that it need not wait for the session to end. Static members stay. */
  async leave(reason: string): Promise<void> {
    const { groupId, groupInstanceId } = this.#options;
    const memberId = this.#memberId;
    const coordinator = this.#coordinator;
    this.#forget();
    if (memberId === '' || coordinator === undefined || groupInstanceId !== null) return;
    const left = this.#cluster.request(
      { node: coordinator, lane: 'group' },
      LeaveGroupRequest,
      LeaveGroupResponse,
      (version) =>
        version >= 3 ? { groupId, members: [{ memberId, groupInstanceId: null, reason }] } : { groupId, memberId },
    );
    await left.catch(() => undefined); // the session's end says the same
  }

  close(): void {
    this.#closed = true;
    this.#heartbeat?.cancel();
  }
}

/** Version 1 says all that there is, and every client reads it. */
function assignmentBytes(partitions: readonly TopicPartition[]): Uint8Array {
  const assignedPartitions = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, group]) => ({
    topic,
    partitions: group.map(({ partition }) => partition),
  }));
  return writeVersioned(ConsumerProtocolAssignment, 1, { assignedPartitions, userData: null });
}

function assignmentOf(bytes: Uint8Array): TopicPartition[] {
  if (bytes.length === 0) return [];
  const { assignedPartitions } = readVersionedOrNewer(ConsumerProtocolAssignment, bytes);
  return assignedPartitions.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })));
}
