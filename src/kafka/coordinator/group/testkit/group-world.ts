import { silent } from '../../../../runtime/log.ts';
import { Scheduler, SimProcess } from '../../../../runtime/sim/scheduler.ts';
import { SimClock } from '../../../../runtime/sim/sim-clock.ts';
import { SimRandom } from '../../../../runtime/sim/sim-random.ts';
import { build } from '../../../../wire/schema.ts';
import { ErrorCode, errorInfo } from '../../../protocol/errors.ts';
import { OffsetCommitRequest } from '../../../protocol/messages/08-offset-commit.ts';
import { JoinGroupRequest, type JoinGroupResponse } from '../../../protocol/messages/11-join-group.ts';
import { HeartbeatRequest } from '../../../protocol/messages/12-heartbeat.ts';
import type { LeaveGroupResponse } from '../../../protocol/messages/13-leave-group.ts';
import { SyncGroupRequest, type SyncGroupResponse } from '../../../protocol/messages/14-sync-group.ts';
import { TxnOffsetCommitRequest } from '../../../protocol/messages/28-txn-offset-commit.ts';
import { ConsumerProtocolSubscription } from '../../../protocol/records/consumer-protocol.ts';
import { writeVersioned } from '../../../protocol/records/versioned.ts';
import type { TransactionOperation } from '../../../replication/transaction-verifier.ts';
import { MemoryTopic } from '../../testkit/memory-topic.ts';
import type { ConsumerConfig } from '../consumer/consumer-config.ts';
import type { DescribedGroup, ListedGroup } from '../describe.ts';
import type { FetchedOffsets, WantedTopics } from '../fetch-offsets.ts';
import type { GroupConfig } from '../group-config.ts';
import { GroupCoordinator } from '../group-coordinator.ts';
import type { EnterTransaction } from '../group-host.ts';
import { decodeRecord, encodeRecord, type GroupRecord } from '../group-records.ts';
import type { StreamsConfig } from '../streams/streams-config.ts';
import { groupClient } from './group-client.ts';
import { SharesInMemory } from './shares-in-memory.ts';
import { streamsDefaults } from './streams-defaults.ts';
import { consumerDefaults, TopicsInMemory } from './topics-in-memory.ts';

export const GROUP = 'g';
export const SHARES = {
  groupSizeMax: 3,
  sessionTimeoutMs: 45_000,
  heartbeatIntervalMs: 5000,
  assignmentIntervalMs: 1000,
};
export const WALL_START_MS = 1_790_000_000_000;
export const SESSION_MS = 10_000;
export const REBALANCE_MS = 30_000;

/** An answer that may not be there yet. */
export interface Pending<T> {
  answer: T | undefined;
  count: number;
  /** How often the log had been read when the answer came. */
  loadCount: number;
}

function unanswered<T>(): Pending<T> {
  return { answer: undefined, count: 0, loadCount: 0 };
}

export interface Joining {
  readonly memberId?: string;
  readonly instanceId?: string | null;
  readonly group?: string;
  readonly version?: number;
  readonly protocolType?: string;
  /** By name; default one protocol that subscribes to topic `t`. */
  readonly protocols?: { readonly [name: string]: Uint8Array };
  readonly sessionTimeoutMs?: number;
  readonly rebalanceTimeoutMs?: number;
  readonly clientId?: string;
  readonly host?: string;
}

const quickConfig: GroupConfig = {
  sessionTimeoutMinMs: 6000,
  sessionTimeoutMaxMs: 1_800_000,
  groupSizeMax: 2_147_483_647,
  initialRebalanceDelayMs: 0,
  offsetMetadataLengthMax: 4096,
  offsetsRetentionMs: 10_080 * 60_000,
  retentionCheckIntervalMs: 600_000,
};

export function subscription(...topics: string[]): Uint8Array {
  return writeVersioned(ConsumerProtocolSubscription, 1, build(ConsumerProtocolSubscription, { topics }));
}

export const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
export const text = (value: Uint8Array | undefined): string | undefined => value && Buffer.from(value).toString();

/** A coordinator on a topic in memory, in virtual time. */
export class GroupWorld {
  readonly topic: MemoryTopic<GroupRecord>;
  readonly clock: SimClock;
  readonly config: GroupConfig;
  readonly consumers: ConsumerConfig;
  streams: StreamsConfig = streamsDefaults;
  readonly image = new TopicsInMemory();
  readonly keeper = new SharesInMemory();
  readonly #scheduler = new Scheduler();
  readonly #process = new SimProcess('broker', 0, () => false);
  readonly #random = new SimRandom('groups');
  readonly #wall = { offsetMs: WALL_START_MS };
  /** Whether transactions may write; all of them, unless a test says otherwise. */
  entrance: EnterTransaction = (_partition, _writer, _operation, done) =>
    done({ errorCode: ErrorCode.NONE, verification: undefined });
  coordinator: GroupCoordinator;

  constructor(config: Partial<GroupConfig> = {}, partitionCount = 1, consumers: Partial<ConsumerConfig> = {}) {
    this.consumers = { ...consumerDefaults, ...consumers };
    this.topic = new MemoryTopic(partitionCount, { encode: encodeRecord, decode: decodeRecord });
    this.clock = new SimClock(this.#scheduler, this.#process, this.#wall);
    this.config = { ...quickConfig, ...config };
    this.coordinator = this.#newCoordinator();
    this.electAll();
  }

  #newCoordinator(): GroupCoordinator {
    const { clock, config } = this;
    const random = this.#random;
    const { consumers, image } = this;
    return new GroupCoordinator({
      coordinatorLog: this.topic,
      clock,
      random,
      log: silent,
      config,
      enterTransaction: (...asked) => this.entrance(...asked),
      consumers,
      image,
      shares: { groupSizeMax: SHARES.groupSizeMax, times: () => SHARES },
      keeper: this.keeper,
      streams: this.streams,
    });
  }

  electAll(): void {
    for (let partition = 0; partition < this.topic.partitionCount(); partition += 1) {
      this.coordinator.onElected(partition, 0);
    }
    this.run(100);
  }

  /** The process is killed and comes back on what its log holds. */
  restart(): void {
    this.coordinator = this.#newCoordinator();
    this.electAll();
  }

  /** Lets so much time pass. */
  run(ms: number): void {
    const untilMs = this.#scheduler.nowMs + ms;
    for (let next = this.#scheduler.nextMs; next !== undefined && next <= untilMs; next = this.#scheduler.nextMs) {
      this.#scheduler.runNext();
      if (this.#scheduler.failure !== undefined) throw this.#scheduler.failure.error;
    }
    this.#scheduler.skipTo(untilMs);
  }

  get nowMs(): number {
    return this.#scheduler.nowMs;
  }

  /** The process does not run for so long; then its late timers come first, and what waited in the sockets after them. */
  stall(ms: number, waiting: () => void): void {
    this.#process.stalled = true;
    this.run(ms);
    this.#scheduler.after(0, 'data', 0, this.#process, waiting);
    this.run(0);
    this.#scheduler.wake(this.#process);
  }

  #answers<T>(pending: Pending<T>): (answer: T) => void {
    return (answer) => {
      pending.answer = answer;
      pending.count += 1;
      pending.loadCount = this.topic.loadCount;
    };
  }

  join(given: Joining = {}): Pending<JoinGroupResponse> {
    const pending = unanswered<JoinGroupResponse>();
    const protocols = given.protocols ?? { range: subscription('t') };
    const request = build(JoinGroupRequest, {
      groupId: given.group ?? GROUP,
      memberId: given.memberId ?? '',
      groupInstanceId: given.instanceId ?? null,
      protocolType: given.protocolType ?? 'consumer',
      protocols: Object.entries(protocols).map(([name, metadata]) => ({ name, metadata })),
      sessionTimeoutMs: given.sessionTimeoutMs ?? SESSION_MS,
      rebalanceTimeoutMs: given.rebalanceTimeoutMs ?? REBALANCE_MS,
    });
    const client = groupClient({
      id: given.clientId ?? 'c',
      host: given.host ?? '127.0.0.1',
      apiVersion: given.version ?? 9,
    });
    this.coordinator.joinGroup(request, client, this.#answers(pending));
    return pending;
  }

  sync(
    memberId: string,
    generationId: number,
    assignments: { readonly [memberId: string]: string } = {},
    given: Partial<SyncGroupRequest> = {},
  ): Pending<SyncGroupResponse> {
    const pending = unanswered<SyncGroupResponse>();
    const request = build(SyncGroupRequest, {
      groupId: GROUP,
      memberId,
      generationId,
      assignments: Object.entries(assignments).map(([id, part]) => ({ memberId: id, assignment: bytes(part) })),
      ...given,
    });
    this.coordinator.syncGroup(request, this.#answers(pending));
    return pending;
  }

  heartbeat(memberId: string, generationId: number, groupInstanceId: string | null = null): number {
    let answer = Number.NaN;
    const request = build(HeartbeatRequest, { groupId: GROUP, memberId, generationId, groupInstanceId });
    this.coordinator.heartbeat(request, (errorCode) => {
      answer = errorCode;
    });
    return answer;
  }

  leave(...members: { memberId?: string; groupInstanceId?: string | null }[]): LeaveGroupResponse {
    let answer: LeaveGroupResponse | undefined;
    const leaving = members.map(({ memberId = '', groupInstanceId = null }) => ({
      memberId,
      groupInstanceId,
      reason: null,
    }));
    this.coordinator.leaveGroup(GROUP, leaving, (response) => {
      answer = response;
    });
    return answer as LeaveGroupResponse;
  }

  /** Commits one offset of partition 0 of topic `t`; the answer is its error code. */
  commit(
    offset: number,
    given: Partial<OffsetCommitRequest> & { topic?: string; partition?: number; metadata?: string | null } = {},
  ): Pending<number> {
    const pending = unanswered<number>();
    const { topic = 't', partition = 0, metadata = 'm', ...rest } = given;
    const committed = {
      partitionIndex: partition,
      committedOffset: offset,
      committedLeaderEpoch: -1,
      commitTimestamp: -1,
      committedMetadata: metadata,
    };
    const request = build(OffsetCommitRequest, {
      groupId: GROUP,
      topics: [{ name: topic, topicId: '', partitions: [committed] }],
      ...rest,
    });
    const answer = this.#answers(pending);
    this.coordinator.offsets.commit(request, (errors) => answer(errors[0]?.[0] ?? Number.NaN));
    return pending;
  }

  /** Commits one offset of partition 0 of topic `t` within a transaction of producer 9. */
  commitWithin(
    offset: number,
    given: Partial<TxnOffsetCommitRequest> & { partition?: number; operation?: TransactionOperation } = {},
  ): Pending<number> {
    const pending = unanswered<number>();
    const { partition = 0, operation = 'verify', ...rest } = given;
    const committed = {
      partitionIndex: partition,
      committedOffset: offset,
      committedLeaderEpoch: -1,
      committedMetadata: 'm',
    };
    const request = build(TxnOffsetCommitRequest, {
      transactionalId: 'x',
      groupId: GROUP,
      producerId: 9,
      topics: [{ name: 't', topicId: '', partitions: [committed] }],
      ...rest,
    });
    const answer = this.#answers(pending);
    this.coordinator.offsets.commitTransactional(request, operation, (errors) => answer(errors[0]?.[0] ?? Number.NaN));
    return pending;
  }

  endTransaction(committed: boolean, producerId = 9, partition = 0): Pending<number> {
    const pending = unanswered<number>();
    const marker = { producerId, producerEpoch: 0, committed, coordinatorEpoch: 0, transactionVersion: 0 };
    this.coordinator.endTransaction(partition, marker, this.#answers(pending));
    return pending;
  }

  /** What OffsetFetch says of partition 0 of topic `t` that must not change any more: the offset, or the error by its name. */
  stableOffset(): number | string {
    const found = this.fetch(undefined, { requireStable: true }).topics[0]?.partitions[0];
    if (found === undefined) return 'nothing';
    return found.errorCode === ErrorCode.NONE ? found.committedOffset : errorInfo(found.errorCode).name;
  }

  fetch(
    topics: WantedTopics | null = [{ name: 't', partitionIndexes: [0] }],
    { group = GROUP, requireStable = false }: { group?: string; requireStable?: boolean } = {},
  ): FetchedOffsets {
    let answer: FetchedOffsets | undefined;
    this.coordinator.offsets.fetch(group, topics, requireStable, (fetched) => {
      answer = fetched;
    });
    return answer as FetchedOffsets;
  }

  /** The committed offset of partition 0 of topic `t`; -1 without one. */
  offset(topic = 't', partition = 0, group = GROUP): number | undefined {
    return this.fetch([{ name: topic, partitionIndexes: [partition] }], { group }).topics[0]?.partitions[0]
      ?.committedOffset;
  }

  describe(group = GROUP): DescribedGroup {
    let answer: DescribedGroup | undefined;
    this.coordinator.admin.describe(group, (described) => {
      answer = described;
    });
    return answer as DescribedGroup;
  }

  get state(): string {
    return this.describe().groupState;
  }

  list(states: string[] = [], types: string[] = []): { errorCode: number; groups: readonly ListedGroup[] } {
    let answer: { errorCode: number; groups: readonly ListedGroup[] } | undefined;
    this.coordinator.admin.list({ states, types }, (errorCode, groups) => {
      answer = { errorCode, groups };
    });
    return answer as { errorCode: number; groups: readonly ListedGroup[] };
  }

  deleteGroup(group = GROUP): Pending<number> {
    const pending = unanswered<number>();
    this.coordinator.admin.delete(group, this.#answers(pending));
    return pending;
  }

  deleteOffsets(...partitions: { topic: string; partition: number }[]): {
    errorCode: number;
    errors: readonly number[];
  } {
    let answer: { errorCode: number; errors: readonly number[] } | undefined;
    this.coordinator.offsets.delete(GROUP, partitions, (errorCode, errors) => {
      answer = { errorCode, errors };
    });
    return answer as { errorCode: number; errors: readonly number[] };
  }

  // ---- whole steps

  /** A dynamic member's two steps into the group; answers its id and the second step's answer. */
  enter(given: Joining = {}): { id: string; joined: Pending<JoinGroupResponse> } {
    const { memberId = '' } = this.join(given).answer ?? {};
    return { id: memberId, joined: this.join({ ...given, memberId }) };
  }

  /** A stable group of dynamic members, the first of which leads. */
  stable(count = 1, given: Joining = {}): { ids: string[]; generation: number; leader: string } {
    const entered = Array.from({ length: count }, () => this.enter(given));
    this.run(100);
    // Whoever came after the first rebalance had begun makes the others join again.
    let answers = entered.map(({ joined }) => joined);
    const ids = entered.map(({ id }) => id);
    if (answers.some(({ answer }) => answer === undefined)) {
      answers = ids.map((memberId, index) =>
        answers[index]?.answer === undefined
          ? (answers[index] as Pending<JoinGroupResponse>)
          : this.join({ ...given, memberId }),
      );
    }
    const generation = answers[0]?.answer?.generationId ?? -1;
    const leader = answers[0]?.answer?.leader ?? '';
    const parts = Object.fromEntries(ids.map((id, index) => [id, `part ${index}`]));
    this.sync(leader, generation, parts);
    for (const id of ids) if (id !== leader) this.sync(id, generation);
    return { ids, generation, leader };
  }
}
