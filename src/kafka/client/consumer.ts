import type { Clock, Timer } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { ErrorCode, errorOf } from '../protocol/errors.ts';
import { assignors as knownAssignors } from './assignors.ts';
import { ClientClosedError, ClientUsageError, codeOf, NoOffsetForPartitionError } from './client-errors.ts';
import { type ClientOptions, Cluster } from './cluster.ts';
import { partitionKey, type TopicMetadata, type TopicPartition } from './cluster-metadata.ts';
import type { ConsumerRecord } from './fetched-records.ts';
import { Fetcher, FetchState } from './fetcher.ts';
import { GroupMembership } from './group-membership.ts';
import {
  type CommittedOffset,
  commitOffsets,
  EARLIEST,
  fetchOffsets,
  type IsolationLevel,
  LATEST,
  listOffsets,
} from './offsets.ts';

/** Names and defaults are those of Apache's consumer keys. */
export interface ConsumerOptions extends ClientOptions {
  readonly groupId?: string;
  /** Static membership: restarts within the session timeout cause no rebalance. */
  readonly groupInstanceId?: string;
  /** Where to begin without a committed offset; default latest. */
  readonly autoOffsetReset?: 'earliest' | 'latest' | 'none';
  /** Default: true with a group id. */
  readonly enableAutoCommit?: boolean;
  /** Default 5 s. */
  readonly autoCommitIntervalMs?: number;
  /** Default 45 s. */
  readonly sessionTimeoutMs?: number;
  /** Default 3 s. */
  readonly heartbeatIntervalMs?: number;
  /** A consumer that does not poll for so long leaves its group; default 5 minutes. */
  readonly maxPollIntervalMs?: number;
  /** Default 500. */
  readonly maxPollRecords?: number;
  /** By preference: `range`, `roundrobin`; default range. */
  readonly assignors?: readonly string[];
  readonly isolation?: IsolationLevel;
  /** Default 1. */
  readonly fetchMinBytes?: number;
  /** Default 50 MiB. */
  readonly fetchMaxBytes?: number;
  /** Default 500 ms. */
  readonly fetchMaxWaitMs?: number;
  /** Default 1 MiB. */
  readonly maxPartitionFetchBytes?: number;
  /** Default true. */
  readonly checkCrcs?: boolean;
  readonly allowAutoTopicCreation?: boolean;
}

/** Told of rebalances, within `poll`; partitions are given up before others are given. */
export interface RebalanceListener {
  assigned?(partitions: readonly TopicPartition[]): void | Promise<void>;
  /** Still ours: the last moment to commit. */
  revoked?(partitions: readonly TopicPartition[]): void | Promise<void>;
  /** Another's already. */
  lost?(partitions: readonly TopicPartition[]): void | Promise<void>;
}

type Subscription = readonly string[] | RegExp;

/** While a wanted topic does not exist or has no leader. */
const MISSING_TOPIC_RETRY_MS = 1_000;

/** Opens a consumer. */
export function createConsumer(runtime: Runtime, options: ConsumerOptions): Consumer {
  return new Consumer(runtime, options);
}

/**
 * Reads records: of partitions that it is given (`assign`), or that its group shares out (`subscribe`). Everything happens
 * within `poll` and the iterator, as in Apache's consumer, but for heartbeats and fetching ahead; calls do not overlap.
 */
export class Consumer implements AsyncIterable<ConsumerRecord> {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #cluster: Cluster;
  readonly #options: ConsumerOptions;
  readonly #fetcher: Fetcher;
  readonly #membership: GroupMembership | undefined;
  readonly #states = new Map<string, FetchState>();
  readonly #autoCommit: boolean;
  #subscription: Subscription | undefined;
  /** What the subscription comes to. */
  #topics: readonly string[] = [];
  #listener: RebalanceListener = {};
  #rejoinNeeded = false;
  #membershipLost = false;
  #joining: Promise<void> | undefined;
  #resolving: Promise<void> | undefined;
  /** As the group's leader: what the assignment was made of. */
  #leaderView: ReadonlyMap<string, number> | undefined;
  #refreshing = false;
  #metadataTimer: Timer | undefined;
  #commitAtMs = 0;
  #committing: Promise<void> | undefined;
  #pollTimer: Timer | undefined;
  #failure: unknown;
  #wake: (() => void) | undefined;
  #wakeups = 0;
  #closed = false;

  constructor(runtime: Runtime, options: ConsumerOptions) {
    this.#clock = runtime.clock;
    this.#log = runtime.log.named('org.apache.kafka.clients.consumer.KafkaConsumer');
    this.#options = options;
    const group = options.groupId === undefined ? '' : `, groupId=${options.groupId}`;
    this.#cluster = new Cluster(runtime, options, `Consumer clientId=${options.clientId ?? ''}${group}`);
    this.#autoCommit = options.enableAutoCommit ?? options.groupId !== undefined;
    if (this.#autoCommit && options.groupId === undefined) {
      throw new ClientUsageError('enable.auto.commit cannot be set to true when default group id (null) is used.');
    }
    this.#fetcher = new Fetcher(
      this.#cluster,
      {
        fetchMinBytes: options.fetchMinBytes ?? 1,
        fetchMaxBytes: options.fetchMaxBytes ?? 52_428_800,
        fetchMaxWaitMs: options.fetchMaxWaitMs ?? 500,
        maxPartitionFetchBytes: options.maxPartitionFetchBytes ?? 1_048_576,
        isolation: options.isolation ?? 'read_uncommitted',
        checkCrcs: options.checkCrcs ?? true,
      },
      {
        states: () => this.#states.values(),
        arrived: () => this.#woken(),
        outOfRange: (state) => this.#outOfRange(state),
        metadataNeeded: () => this.#refreshMetadata(),
        failed: (error) => this.#fail(error),
      },
    );
    this.#membership = options.groupId === undefined ? undefined : this.#newMembership(options.groupId);
  }

  #newMembership(groupId: string): GroupMembership {
    const { groupInstanceId, sessionTimeoutMs, heartbeatIntervalMs, maxPollIntervalMs } = this.#options;
    const wanted = this.#options.assignors ?? ['range'];
    return new GroupMembership(
      this.#cluster,
      {
        groupId,
        groupInstanceId: groupInstanceId ?? null,
        sessionTimeoutMs: sessionTimeoutMs ?? 45_000,
        rebalanceTimeoutMs: maxPollIntervalMs ?? 300_000,
        heartbeatIntervalMs: heartbeatIntervalMs ?? 3_000,
        assignors: wanted.map((name) => {
          const assignor = knownAssignors.get(name);
          if (assignor === undefined) throw new ClientUsageError(`no assignor is called ${name}`);
          return assignor;
        }),
      },
      {
        topics: () => this.#topics,
        owned: () => this.assignment,
        rejoinNeeded: () => this.#rejoin(),
        membershipLost: () => {
          this.#membershipLost = true;
          this.#rejoin();
        },
        fatal: (error) => this.#fail(error),
      },
    );
  }

  // ---- what to read

  /** The partitions that are read now. */
  get assignment(): TopicPartition[] {
    return [...this.#states.values()].map(({ topic, partition }) => ({ topic, partition }));
  }

  /** Shares the topics with the group; a pattern also finds topics that are made later. */
  subscribe(topics: readonly string[] | RegExp, listener: RebalanceListener = {}): void {
    if (this.#membership === undefined) {
      throw new ClientUsageError(
        'To use the group management or offset commit APIs, you must provide a valid group.id',
      );
    }
    this.#subscription = topics;
    this.#topics = topics instanceof RegExp ? [] : topics;
    this.#listener = listener;
    this.#rejoinNeeded = true;
  }

  /** Reads exactly these partitions, without a group's help. */
  assign(partitions: readonly TopicPartition[]): void {
    if (this.#subscription !== undefined)
      throw new ClientUsageError('Subscription to topics, partitions and pattern are mutually exclusive');
    this.#setAssignment(partitions);
  }

  #setAssignment(partitions: readonly TopicPartition[]): void {
    const kept = new Map(this.#states);
    this.#states.clear();
    for (const wanted of partitions) {
      const key = partitionKey(wanted.topic, wanted.partition);
      this.#states.set(key, kept.get(key) ?? new FetchState(wanted));
    }
  }

  #state({ topic, partition }: TopicPartition): FetchState {
    const state = this.#states.get(partitionKey(topic, partition));
    if (state === undefined) throw new ClientUsageError(`No current assignment for partition ${topic}-${partition}`);
    return state;
  }

  seek(partition: TopicPartition, offset: number): void {
    this.#state(partition).seek(offset);
  }

  /** The next offset that `poll` gives; undefined until it is known. */
  position(partition: TopicPartition): number | undefined {
    return this.#state(partition).position;
  }

  pause(partition: TopicPartition): void {
    this.#state(partition).isPaused = true;
  }

  resume(partition: TopicPartition): void {
    this.#state(partition).isPaused = false;
    this.#fetcher.pump();
  }

  async beginningOffsets(partitions: readonly TopicPartition[]): Promise<Map<string, number>> {
    return this.#offsetsAt(partitions, EARLIEST);
  }

  async endOffsets(partitions: readonly TopicPartition[]): Promise<Map<string, number>> {
    return this.#offsetsAt(partitions, LATEST);
  }

  /** By `partitionKey`. */
  async #offsetsAt(partitions: readonly TopicPartition[], timestamp: number): Promise<Map<string, number>> {
    const { isolation = 'read_uncommitted' } = this.#options;
    const wanted = partitions.map(({ topic, partition }) => ({ topic, partition, timestamp }));
    const found = await listOffsets(this.#cluster, wanted, { isolation });
    for (const { error } of found) if (error !== undefined) throw error;
    return new Map(found.map(({ topic, partition, offset }) => [partitionKey(topic, partition), offset]));
  }

  /** A topic as the cluster knows it now. @throws KafkaError when there is none */
  async partitionsOf(topic: string): Promise<TopicMetadata> {
    return (await this.#cluster.topics([topic])).get(topic)!;
  }

  // ---- reading

  /** Records as soon as there are any, none when the time is over. */
  async poll(options: { readonly timeoutMs?: number; readonly max?: number } = {}): Promise<ConsumerRecord[]> {
    const deadlineMs = this.#clock.monotonicMs() + (options.timeoutMs ?? 1_000);
    const max = options.max ?? this.#options.maxPollRecords ?? 500;
    const wakeups = this.#wakeups;
    this.#pollTimer?.cancel();
    try {
      return await this.#pollUntil(deadlineMs, max, wakeups);
    } finally {
      this.#armPollTimer();
    }
  }

  async #pollUntil(deadlineMs: number, max: number, wakeups: number): Promise<ConsumerRecord[]> {
    for (;;) {
      if (this.#closed) throw new ClientClosedError('consumer');
      this.#throwFailure();
      if (this.#rejoinNeeded && this.#joining === undefined) this.#beginJoining();
      if (this.#joining === undefined) {
        this.#autoCommitIfDue();
        this.#resolvePositions();
        const records = this.#fetcher.take(max);
        this.#fetcher.pump();
        if (records.length > 0) return records;
      }
      const leftMs = deadlineMs - this.#clock.monotonicMs();
      if (leftMs <= 0 || this.#wakeups !== wakeups) return [];
      await this.#sleep(leftMs);
    }
  }

  /** Record by record; the position counts a record once the next one is asked for. */
  async *[Symbol.asyncIterator](): AsyncIterator<ConsumerRecord> {
    while (!this.#closed) {
      const [record] = await this.poll({ timeoutMs: 60_000, max: 1 });
      if (record !== undefined) yield record;
    }
  }

  /** Ends a waiting `poll` with what it has. */
  wakeup(): void {
    this.#wakeups += 1;
    this.#woken();
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.after(ms, () => this.#woken());
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  #woken(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  #fail(error: unknown): void {
    if (this.#closed) return;
    this.#failure ??= error;
    this.#woken();
  }

  #throwFailure(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
  }

  /** A member that does not come back to poll does no work: the others take it over. */
  #armPollTimer(): void {
    if (this.#subscription === undefined || this.#closed) return;
    this.#pollTimer?.cancel();
    const { maxPollIntervalMs = 300_000 } = this.#options;
    this.#pollTimer = this.#clock.after(maxPollIntervalMs, () => {
      this.#log.warn('consumer poll timeout has expired: this member leaves its group');
      this.#membershipLost = true;
      this.#rejoinNeeded = true;
      void this.#membership?.leave('consumer poll timeout has expired.');
    });
  }

  // ---- the group

  #rejoin(): void {
    this.#rejoinNeeded = true;
    this.#woken();
  }

  #beginJoining(): void {
    this.#joining = this.#join()
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#joining = undefined;
        this.#woken();
      });
  }

  /** Gives up everything, then takes what the group decides (the eager protocol). */
  async #join(): Promise<void> {
    const given = this.assignment;
    if (this.#membershipLost) {
      this.#membershipLost = false;
      if (given.length > 0) await (this.#listener.lost ?? this.#listener.revoked)?.(given);
    } else if (given.length > 0) {
      if (this.#autoCommit) await this.#commitQuietly();
      await this.#listener.revoked?.(given);
    }
    this.#states.clear();
    await this.#cluster.retrying(() => this.#findTopics());
    this.#rejoinNeeded = false;
    const joined = await this.#membership!.join();
    if (this.#closed) return;
    this.#leaderView = joined.leaderView;
    this.#setAssignment(joined.assigned);
    this.#commitAtMs = this.#clock.monotonicMs() + (this.#options.autoCommitIntervalMs ?? 5_000);
    this.#watchMetadata();
    await this.#listener.assigned?.(joined.assigned);
  }

  async #findTopics(): Promise<void> {
    const { allowAutoTopicCreation = true } = this.#options;
    if (this.#subscription instanceof RegExp) {
      const pattern = this.#subscription;
      const { topics } = await this.#cluster.refresh('all');
      this.#topics = [...topics.values()]
        .filter((topic) => !topic.isInternal && matches(pattern, topic.name))
        .map(({ name }) => name);
    } else {
      const wanted = new Set([...this.#topics, ...[...this.#states.values()].map(({ topic }) => topic)]);
      const { topics } = await this.#cluster.refresh([...wanted], { allowAutoTopicCreation });
      this.#failForGood(topics);
    }
  }

  /** No permission, an illegal name: waiting does not help. */
  #failForGood(topics: ReadonlyMap<string, TopicMetadata>): void {
    for (const { errorCode } of topics.values()) {
      if (errorCode !== ErrorCode.NONE && !errorOf(errorCode).retriable) this.#fail(errorOf(errorCode));
    }
  }

  /** New topics that match, new partitions: the leader has the group share them out. */
  #watchMetadata(): void {
    this.#metadataTimer?.cancel();
    const isMissing = this.#topics.some((topic) => this.#partitionCount(topic) === 0);
    const { metadataMaxAgeMs = 300_000 } = this.#options;
    const delayMs = isMissing ? Math.min(MISSING_TOPIC_RETRY_MS, metadataMaxAgeMs) : metadataMaxAgeMs;
    this.#metadataTimer = this.#clock.after(delayMs, () => {
      const before = this.#topics;
      this.#findTopics()
        .then(() => this.#compareWithLeaderView(before))
        .catch((error: unknown) => this.#log.debug('no metadata', { error }))
        .finally(() => {
          if (!this.#closed) this.#watchMetadata();
        });
    });
  }

  #compareWithLeaderView(before: readonly string[]): void {
    const isSameList = before.length === this.#topics.length && before.every((topic) => this.#topics.includes(topic));
    const view = this.#leaderView;
    const isSameView =
      view === undefined || this.#topics.every((topic) => (view.get(topic) ?? 0) === this.#partitionCount(topic));
    if (!isSameList || !isSameView) this.#rejoin();
  }

  #partitionCount(topic: string): number {
    return this.#cluster.metadata.topics.get(topic)?.partitions.length ?? 0;
  }

  #refreshMetadata(): void {
    if (this.#refreshing || this.#closed) return;
    this.#refreshing = true;
    const refresh = async (): Promise<void> => {
      await this.#cluster.pause(this.#cluster.backoffMs(0));
      const topics = new Set([...this.#states.values()].map(({ topic }) => topic));
      await this.#cluster.retrying(() => this.#cluster.refresh([...topics]));
    };
    refresh()
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#refreshing = false;
        this.#fetcher.pump();
      });
  }

  // ---- positions

  /** Looks up where to begin: what the group committed, else what the policy says. */
  #resolvePositions(): void {
    if (this.#resolving !== undefined) return;
    const unknown = [...this.#states.values()].filter(({ position }) => position === undefined);
    if (unknown.length === 0) return;
    const seekCounts = unknown.map(({ seekCount }) => seekCount);
    const isCurrent = (state: FetchState): boolean => state.seekCount === seekCounts[unknown.indexOf(state)];
    this.#resolving = this.#findPositions(unknown, isCurrent)
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#resolving = undefined;
        this.#woken();
      });
  }

  async #findPositions(states: readonly FetchState[], isCurrent: (state: FetchState) => boolean): Promise<void> {
    let unknown = states;
    const never = states.filter(({ seekCount }) => seekCount === 0);
    if (this.#membership !== undefined && never.length > 0) {
      for (const { topic, partition, offset } of await this.committed(never)) {
        const state = never.find((each) => each.topic === topic && each.partition === partition);
        if (state !== undefined && isCurrent(state)) state.seek(offset);
      }
      unknown = states.filter(({ position }) => position === undefined);
    }
    const { autoOffsetReset = 'latest' } = this.#options;
    const [first] = unknown;
    if (first === undefined) return;
    if (autoOffsetReset === 'none') throw new NoOffsetForPartitionError(first.topic, first.partition);
    const offsets = await this.#offsetsAt(unknown, autoOffsetReset === 'earliest' ? EARLIEST : LATEST);
    for (const state of unknown) {
      const offset = offsets.get(partitionKey(state.topic, state.partition));
      if (offset !== undefined && isCurrent(state)) state.seek(offset);
    }
  }

  /** The log begins later or ends earlier than where we stand: the policy decides. */
  #outOfRange(state: FetchState): void {
    if (state.fetched !== undefined) return;
    const where = partitionKey(state.topic, state.partition);
    this.#log.info(`Fetch position ${state.position} is out of range for partition ${where}, resetting offset`);
    if (this.#options.autoOffsetReset === 'none')
      this.#fail(new NoOffsetForPartitionError(state.topic, state.partition));
    else state.seek(undefined);
  }

  // ---- committing

  /** What the group committed of these partitions; those without are left out. */
  async committed(partitions: readonly TopicPartition[]): Promise<CommittedOffset[]> {
    const membership = this.#requireMembership();
    return this.#cluster.retrying(async () => {
      try {
        return await fetchOffsets(this.#cluster, await membership.coordinator(), this.#options.groupId!, partitions);
      } catch (error) {
        membership.coordinatorFailed(error);
        throw error;
      }
    });
  }

  /** Commits these offsets, or every position. @throws KafkaError, REBALANCE_IN_PROGRESS among others */
  async commit(offsets: readonly CommittedOffset[] = this.#positions()): Promise<void> {
    const membership = this.#requireMembership();
    if (offsets.length === 0) return;
    await this.#cluster.retrying(async () => {
      try {
        const node = await membership.coordinator();
        const results = await commitOffsets(this.#cluster, node, membership.committer, offsets);
        for (const { error } of results) if (error !== undefined) throw error;
      } catch (error) {
        const code = codeOf(error);
        membership.coordinatorFailed(error);
        if (code === ErrorCode.UNKNOWN_MEMBER_ID || code === ErrorCode.ILLEGAL_GENERATION) membership.generationLost();
        throw error;
      }
    });
  }

  #requireMembership(): GroupMembership {
    if (this.#membership === undefined) {
      throw new ClientUsageError(
        'To use the group management or offset commit APIs, you must provide a valid group.id',
      );
    }
    return this.#membership;
  }

  #positions(): CommittedOffset[] {
    return [...this.#states.values()].flatMap(({ topic, partition, position }) =>
      position === undefined ? [] : [{ topic, partition, offset: position }],
    );
  }

  /** At the start of a poll: all that earlier polls gave is done. */
  #autoCommitIfDue(): void {
    if (!this.#autoCommit || this.#committing !== undefined || this.#clock.monotonicMs() < this.#commitAtMs) return;
    this.#commitAtMs = this.#clock.monotonicMs() + (this.#options.autoCommitIntervalMs ?? 5_000);
    this.#committing = this.#commitQuietly().finally(() => {
      this.#committing = undefined;
    });
  }

  async #commitQuietly(): Promise<void> {
    try {
      await this.commit();
    } catch (error) {
      if (!this.#closed) this.#log.warn('the automatic commit failed', { error: (error as Error).message });
    }
  }

  // ---- the end

  /** Commits where that is automatic, leaves the group, closes every connection. */
  async close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#woken();
    this.#pollTimer?.cancel();
    this.#metadataTimer?.cancel();
    this.#fetcher.close();
    await this.#cluster.within(this.#leave(), options.timeoutMs ?? 30_000);
    this.#membership?.close();
    this.#cluster.close();
  }

  async #leave(): Promise<void> {
    const isMember = this.#subscription === undefined || this.#membership?.state === 'stable';
    if (this.#autoCommit && isMember) await this.#commitQuietly();
    const given = this.assignment;
    if (this.#subscription !== undefined && given.length > 0) await this.#listener.revoked?.(given);
    await this.#membership?.leave('the consumer is being closed');
  }
}

/** The whole name, as Java's `matches`. */
function matches(pattern: RegExp, topic: string): boolean {
  return new RegExp(`^(?:${pattern.source})$`, pattern.flags).test(topic);
}
