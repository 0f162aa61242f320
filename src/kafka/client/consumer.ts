import type { Clock, Timer } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { assignors as knownAssignors } from './assignors.ts';
import { ClientClosedError, ClientUsageError } from './client-errors.ts';
import { Cluster } from './cluster.ts';
import { partitionKey, type TopicMetadata, type TopicPartition } from './cluster-metadata.ts';
import type { ConsumerOptions, RebalanceListener } from './consumer-options.ts';
import type { ConsumerRecord } from './fetched-records.ts';
import { Fetcher, FetchState } from './fetcher.ts';
import { GroupMembership } from './group-membership.ts';
import { OffsetCommits } from './offset-commits.ts';
import { type CommittedOffset, type Committer, EARLIEST, LATEST } from './offsets.ts';
import { StartPositions } from './start-positions.ts';
import { SubscribedTopics } from './subscribed-topics.ts';

const NO_GROUP = 'To use the group management or offset commit APIs, you must provide a valid group.id';

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
  readonly #topics: SubscribedTopics;
  readonly #starts: StartPositions;
  /** Both undefined without a group. */
  readonly #membership: GroupMembership | undefined;
  readonly #commits: OffsetCommits | undefined;
  readonly #states = new Map<string, FetchState>();
  #listener: RebalanceListener = {};
  #rejoinNeeded = false;
  #membershipLost = false;
  #joining: Promise<void> | undefined;
  #refreshing = false;
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
    const isAutomatic = options.enableAutoCommit ?? options.groupId !== undefined;
    if (isAutomatic && options.groupId === undefined) {
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
        outOfRange: (state) => this.#starts.outOfRange(state),
        metadataNeeded: () => this.#refreshMetadata(),
        failed: (error) => this.#fail(error),
      },
    );
    const { groupId } = options;
    if (groupId !== undefined) {
      this.#membership = this.#newMembership(groupId);
      this.#commits = new OffsetCommits(
        { clock: this.#clock, log: this.#log },
        this.#cluster,
        this.#membership,
        { groupId, isAutomatic, autoCommitIntervalMs: options.autoCommitIntervalMs ?? 5_000 },
        () => this.#positions(),
      );
    }
    this.#topics = this.#newTopics();
    this.#starts = this.#newStarts();
  }

  #newTopics(): SubscribedTopics {
    const { allowAutoTopicCreation = true, metadataMaxAgeMs = 300_000 } = this.#options;
    return new SubscribedTopics(
      { clock: this.#clock, log: this.#log },
      this.#cluster,
      { allowAutoTopicCreation, metadataMaxAgeMs },
      {
        assignedTopics: () => this.#assignedTopics(),
        changed: () => this.#rejoin(),
        failed: (error) => this.#fail(error),
      },
    );
  }

  #newStarts(): StartPositions {
    const { autoOffsetReset = 'latest', isolation = 'read_uncommitted' } = this.#options;
    const commits = this.#commits;
    return new StartPositions(
      this.#log,
      this.#cluster,
      { autoOffsetReset, isolation },
      {
        states: () => this.#states.values(),
        committed: commits && ((partitions) => commits.committed(partitions)),
        resolved: () => this.#woken(),
        failed: (error) => this.#fail(error),
      },
    );
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
        topics: () => this.#topics.names,
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
    if (this.#membership === undefined) throw new ClientUsageError(NO_GROUP);
    this.#topics.subscribe(topics);
    this.#listener = listener;
    this.#rejoinNeeded = true;
  }

  /** Reads exactly these partitions, without a group's help. */
  assign(partitions: readonly TopicPartition[]): void {
    if (this.#topics.subscription !== undefined)
      throw new ClientUsageError('Subscription to topics, partitions and pattern are mutually exclusive');
    this.#setAssignment(partitions);
  }

  #assignedTopics(): Set<string> {
    return new Set([...this.#states.values()].map(({ topic }) => topic));
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
    return this.#starts.offsetsAt(partitions, EARLIEST);
  }

  async endOffsets(partitions: readonly TopicPartition[]): Promise<Map<string, number>> {
    return this.#starts.offsetsAt(partitions, LATEST);
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
        this.#commits?.commitIfDue();
        this.#starts.resolve();
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
    if (this.#topics.subscription === undefined || this.#closed) return;
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
      await this.#commits?.commitAutomatically();
      await this.#listener.revoked?.(given);
    }
    this.#states.clear();
    await this.#cluster.retrying(() => this.#topics.find());
    this.#rejoinNeeded = false;
    const joined = await this.#membership!.join();
    if (this.#closed) return;
    this.#setAssignment(joined.assigned);
    this.#commits?.postpone();
    this.#topics.watch(joined.leaderView);
    await this.#listener.assigned?.(joined.assigned);
  }

  #refreshMetadata(): void {
    if (this.#refreshing || this.#closed) return;
    this.#refreshing = true;
    const refresh = async (): Promise<void> => {
      await this.#cluster.pause(this.#cluster.backoffMs(0));
      const topics = [...this.#assignedTopics()];
      await this.#cluster.retrying(() => this.#cluster.refresh(topics));
    };
    refresh()
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#refreshing = false;
        this.#fetcher.pump();
      });
  }

  // ---- committing

  /** What the group committed of these partitions; those without are left out. */
  async committed(partitions: readonly TopicPartition[]): Promise<CommittedOffset[]> {
    return this.#requireCommits().committed(partitions);
  }

  /** Commits these offsets, or every position. @throws KafkaError, REBALANCE_IN_PROGRESS among others */
  async commit(offsets?: readonly CommittedOffset[]): Promise<void> {
    await this.#requireCommits().commit(offsets);
  }

  /** Who this consumer is in its group now: for a producer that commits its offsets. */
  get groupMetadata(): Committer {
    if (this.#membership === undefined) throw new ClientUsageError(NO_GROUP);
    return this.#membership.committer;
  }

  #requireCommits(): OffsetCommits {
    if (this.#commits === undefined) throw new ClientUsageError(NO_GROUP);
    return this.#commits;
  }

  #positions(): CommittedOffset[] {
    return [...this.#states.values()].flatMap(({ topic, partition, position }) =>
      position === undefined ? [] : [{ topic, partition, offset: position }],
    );
  }

  // ---- the end

  /** Commits where that is automatic, leaves the group, closes every connection. */
  async close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#woken();
    this.#pollTimer?.cancel();
    this.#topics.close();
    this.#commits?.close();
    this.#fetcher.close();
    await this.#cluster.within(this.#leave(), options.timeoutMs ?? 30_000);
    this.#membership?.close();
    this.#cluster.close();
  }

  async #leave(): Promise<void> {
    const isMember = this.#topics.subscription === undefined || this.#membership?.state === 'stable';
    if (isMember) await this.#commits?.commitAutomatically();
    const given = this.assignment;
    if (this.#topics.subscription !== undefined && given.length > 0) await this.#listener.revoked?.(given);
    await this.#membership?.leave('the consumer is being closed');
  }
}
