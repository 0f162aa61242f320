import type { Log } from '../../runtime/log.ts';
import { ZERO_UUID } from '../../wire/schema.ts';
import { ErrorCode, errorOf } from '../protocol/errors.ts';
import { FetchRequest, FetchResponse } from '../protocol/messages/01-fetch.ts';
import { isRetriable } from './client-errors.ts';
import type { Cluster } from './cluster.ts';
import { partitionKey, type TopicPartition } from './cluster-metadata.ts';
import { type ConsumerRecord, FetchedRecords } from './fetched-records.ts';
import type { IsolationLevel } from './offsets.ts';

export interface FetcherOptions {
  readonly fetchMinBytes: number;
  readonly fetchMaxBytes: number;
  readonly fetchMaxWaitMs: number;
  readonly maxPartitionFetchBytes: number;
  readonly isolation: IsolationLevel;
  readonly checkCrcs: boolean;
}

/** One partition that the consumer reads. */
export class FetchState {
  readonly topic: string;
  readonly partition: number;
  /** Of the next record that the user gets; undefined until it is known. */
  position: number | undefined;
  isPaused = false;
  /** What came and is not yet taken. */
  fetched: FetchedRecords | undefined;
  highWatermark = -1;
  /** An answer to a question from before a seek is nobody's. */
  seekCount = 0;

  constructor({ topic, partition }: TopicPartition) {
    this.topic = topic;
    this.partition = partition;
  }

  /** Undefined: to be found out. */
  seek(position: number | undefined): void {
    this.position = position;
    this.fetched = undefined;
    this.seekCount += 1;
  }
}

export interface FetcherOwner {
  /** The partitions to read now. */
  states(): Iterable<FetchState>;
  /** Records came. */
  arrived(): void;
  /** The log does not have the position. */
  outOfRange(state: FetchState): void;
  /** Leaders have changed. */
  metadataNeeded(): void;
  /** @throws in the next poll */
  failed(error: unknown): void;
}

/** Asks each leader for the partitions of which nothing is left to take; one request at a time to each broker. */
export class Fetcher {
  readonly #cluster: Cluster;
  readonly #log: Log;
  readonly #options: FetcherOptions;
  readonly #owner: FetcherOwner;
  readonly #asking = new Set<number>();
  #closed = false;
  #failures = 0;

  constructor(cluster: Cluster, options: FetcherOptions, owner: FetcherOwner) {
    this.#cluster = cluster;
    this.#log = cluster.runtime.log;
    this.#options = options;
    this.#owner = owner;
  }

  /** Takes what came: of one partition after the other. */
  take(max: number): ConsumerRecord[] {
    const records: ConsumerRecord[] = [];
    for (const state of this.#owner.states()) {
      while (records.length < max && state.fetched !== undefined && !state.isPaused) {
        const record = state.fetched.next();
        state.position = state.fetched.position;
        if (record === undefined) state.fetched = undefined;
        else records.push(record);
      }
    }
    return records;
  }

  /** Asks for more where nothing is left. */
  pump(): void {
    if (this.#closed) return;
    const byLeader = new Map<number, FetchState[]>();
    for (const state of this.#owner.states()) {
      if (state.position === undefined || state.fetched !== undefined || state.isPaused) continue;
      const leader = this.#cluster.leaderOf(state.topic, state.partition);
      const group = byLeader.get(leader);
      if (group === undefined) byLeader.set(leader, [state]);
      else group.push(state);
    }
    if (byLeader.delete(-1)) this.#owner.metadataNeeded();
    for (const [leader, states] of byLeader) {
      if (!this.#asking.has(leader)) this.#ask(leader, states);
    }
  }

  close(): void {
    this.#closed = true;
  }

  #ask(leader: number, states: readonly FetchState[]): void {
    this.#asking.add(leader);
    const asked = new Map(
      states.map((state) => [partitionKey(state.topic, state.partition), { state, seekCount: state.seekCount }]),
    );
    this.#cluster
      .request({ node: leader, lane: 'fetch' }, FetchRequest, FetchResponse, this.#request(states))
      .then(
        (response) => {
          this.#failures = 0;
          return this.#answered(response, asked);
        },
        (error: unknown) => this.#askFailed(error),
      )
      .finally(() => {
        this.#asking.delete(leader);
        this.pump();
      });
  }

  #request(states: readonly FetchState[]): Partial<FetchRequest> {
    const { fetchMaxWaitMs, fetchMinBytes, fetchMaxBytes, maxPartitionFetchBytes, isolation } = this.#options;
    const topics = [...Map.groupBy(states, ({ topic }) => topic)].map(([topic, group]) => ({
      topic,
      topicId: ZERO_UUID,
      partitions: group.map(({ partition, position }) => ({
        partition,
        currentLeaderEpoch: -1,
        fetchOffset: position!,
        lastFetchedEpoch: -1,
        logStartOffset: -1,
        partitionMaxBytes: maxPartitionFetchBytes,
        replicaDirectoryId: ZERO_UUID,
        highWatermark: Number.POSITIVE_INFINITY,
      })),
    }));
    return {
      maxWaitMs: fetchMaxWaitMs,
      minBytes: fetchMinBytes,
      maxBytes: fetchMaxBytes,
      isolationLevel: isolation === 'read_committed' ? 1 : 0,
      topics,
    };
  }

  async #askFailed(error: unknown): Promise<void> {
    if (this.#closed) return;
    if (!isRetriable(error)) this.#owner.failed(error);
    this.#owner.metadataNeeded();
    this.#failures += 1;
    await this.#cluster.pause(this.#cluster.backoffMs(this.#failures - 1));
  }

  async #answered(
    response: FetchResponse,
    asked: ReadonlyMap<string, { readonly state: FetchState; readonly seekCount: number }>,
  ): Promise<void> {
    if (this.#closed) return;
    if (response.errorCode !== ErrorCode.NONE) return this.#askFailed(errorOf(response.errorCode));
    let isStale = false;
    for (const { topic, partitions } of response.responses) {
      for (const answer of partitions) {
        const question = asked.get(partitionKey(topic, answer.partitionIndex));
        if (question === undefined || question.state.seekCount !== question.seekCount) continue;
        if (answer.errorCode === ErrorCode.NONE) this.#keep(question.state, answer);
        else if (answer.errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) this.#owner.outOfRange(question.state);
        else isStale = this.#partitionFailed(question.state, answer.errorCode) || isStale;
      }
    }
    this.#owner.arrived();
    if (isStale) await this.#cluster.pause(this.#cluster.backoffMs(0));
  }

  #keep(state: FetchState, answer: FetchResponse['responses'][number]['partitions'][number]): void {
    const { isolation, checkCrcs } = this.#options;
    state.highWatermark = answer.highWatermark;
    if (answer.records === null || answer.records.size === 0) return;
    state.fetched = new FetchedRecords(answer, {
      topic: state.topic,
      position: state.position!,
      readCommitted: isolation === 'read_committed',
      checkCrcs,
    });
  }

  /** Answers whether it is worth a pause: the next answer would be the same at once. */
  #partitionFailed(state: FetchState, errorCode: number): boolean {
    const error = errorOf(errorCode);
    this.#log.debug(`Received ${error.name} in fetch for partition ${partitionKey(state.topic, state.partition)}`);
    if (error.retriable) this.#owner.metadataNeeded();
    else this.#owner.failed(error);
    return true;
  }
}
