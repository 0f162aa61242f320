import { Cluster } from '../../src/kafka/client/cluster.ts';
import { createConsumer } from '../../src/kafka/client/consumer.ts';
import { createProducer, type Producer } from '../../src/kafka/client/producer.ts';
import { ErrorCode, errorOf, KafkaError } from '../../src/kafka/protocol/errors.ts';
import { FetchRequest, FetchResponse } from '../../src/kafka/protocol/messages/01-fetch.ts';
import { batchesOf, hasValidCrc } from '../../src/kafka/records/batch.ts';
import { allRecordsOf } from '../../src/kafka/records/iterate.ts';
import type { SimMachine } from '../../src/runtime/sim/sim-machine.ts';
import type { SimRandom } from '../../src/runtime/sim/sim-random.ts';
import { ZERO_UUID } from '../../src/wire/schema.ts';
import type { Found, PartitionHistory } from './partition-history.ts';
import { must } from './violation.ts';

export interface KafkaActorOptions {
  readonly machine: SimMachine;
  readonly bootstrap: string;
  readonly topic: string;
  readonly partitions: readonly PartitionHistory[];
  readonly random: SimRandom;
  readonly violated: (error: unknown) => void;
}

export const clientOptions = { requestTimeoutMs: 3000, connectTimeoutMs: 2000, apiTimeoutMs: 8000 };

export function pause(machine: SimMachine, ms: number): Promise<void> {
  return new Promise((resolve) => machine.runtime.clock.after(ms, resolve));
}

/** Sends numbered records. An idempotent one is named `i…`, a plain one `p…`, with one request under way at a time. */
export class ProducerActor {
  readonly #options: KafkaActorOptions;
  readonly #name: string;
  readonly #producer: Producer;
  #isStopping = false;
  #serial = 0;
  #inFlight = 0;
  failed = 0;

  constructor(name: string, options: KafkaActorOptions) {
    this.#options = options;
    this.#name = name;
    const isIdempotent = name.startsWith('i');
    this.#producer = createProducer(options.machine.runtime, {
      bootstrapServers: options.bootstrap,
      clientId: name,
      enableIdempotence: isIdempotent,
      maxInFlight: isIdempotent ? 5 : 1,
      deliveryTimeoutMs: 20_000,
      maxBlockMs: 20_000,
      lingerMs: options.random.pick([0, 5]),
      ...clientOptions,
    });
  }

  get isDone(): boolean {
    return this.#isStopping && this.#inFlight === 0;
  }

  stop(): void {
    this.#isStopping = true;
  }

  async run(): Promise<void> {
    const { machine, random } = this.#options;
    while (!this.#isStopping) {
      await pause(machine, random.between(1, 60));
      const burst = 1 + random.below(6);
      for (let count = 0; count < burst && this.#inFlight < 40; count += 1) this.#send();
    }
  }

  #send(): void {
    const { random, topic, partitions, violated } = this.#options;
    this.#serial += 1;
    const partition = random.below(partitions.length);
    const label = `${this.#name}.${this.#serial} `;
    // Mostly small; some span pages, so that a power failure can take the middle of one.
    const value = random.chance(0.1) ? label.padEnd(3000 + random.below(9000), '~') : label;
    this.#inFlight += 1;
    this.#producer
      .send({ topic, partition, value })
      .then(({ offset }) => partitions[partition]!.acked(offset, value))
      .catch((error) => {
        this.failed += 1;
        if (!(error instanceof KafkaError)) violated(error);
      })
      .finally(() => {
        this.#inFlight -= 1;
      });
  }
}

/** Reads each partition by plain fetches, from its start, again and again. */
export class FetchActor {
  readonly #options: KafkaActorOptions;
  readonly #cluster: Cluster;
  #isStopping = false;
  read = 0;

  constructor(options: KafkaActorOptions) {
    this.#options = options;
    this.#cluster = new Cluster(options.machine.runtime, { bootstrapServers: options.bootstrap, ...clientOptions });
  }

  stop(): void {
    this.#isStopping = true;
  }

  async run(): Promise<void> {
    const { machine, random, partitions } = this.#options;
    const positions = partitions.map(() => 0);
    while (!this.#isStopping) {
      const index = random.below(partitions.length);
      const history = partitions[index]!;
      const { era } = history;
      try {
        const { records, isAtEnd } = await this.fetch(index, positions[index]!);
        if (history.era !== era) {
          positions[index] = 0;
          continue;
        }
        for (const record of records) history.saw(record);
        this.read += records.length;
        positions[index] = positions[index]! + records.length;
        if (isAtEnd) await pause(machine, random.between(1, 100));
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error;
        // The log ends before where we were: a power failure took its end.
        if (error.code === ErrorCode.OFFSET_OUT_OF_RANGE) {
          must(history.era > 0, () => `${history.name} ends before ${positions[index]}, which was read`);
          positions[index] = 0;
        }
        await pause(machine, 100);
      }
    }
  }

  /** All records of a partition, once nothing is written any more. */
  async readAll(index: number): Promise<Found[]> {
    const found: Found[] = [];
    for (;;) {
      const { records, isAtEnd } = await this.#cluster.retrying(() => this.fetch(index, found.length));
      found.push(...records);
      if (records.length === 0 && isAtEnd) return found;
    }
  }

  /** One fetch at an offset; what it brings must begin there and have no gap. @throws KafkaError */
  async fetch(index: number, position: number): Promise<{ records: Found[]; isAtEnd: boolean }> {
    const { topic, partitions } = this.#options;
    const name = partitions[index]!.name;
    if (this.#cluster.leaderOf(topic, index) < 0) await this.#cluster.topics([topic]);
    const node = this.#cluster.leaderOf(topic, index);
    const asked = {
      partition: index,
      currentLeaderEpoch: -1,
      fetchOffset: position,
      lastFetchedEpoch: -1,
      logStartOffset: -1,
      partitionMaxBytes: 20_000,
      replicaDirectoryId: ZERO_UUID,
      highWatermark: Number.POSITIVE_INFINITY,
    };
    const answer = await this.#cluster.request({ node, lane: 'fetch' }, FetchRequest, FetchResponse, {
      maxWaitMs: 200,
      minBytes: 1,
      topics: [{ topic, topicId: ZERO_UUID, partitions: [asked] }],
    });
    if (answer.errorCode !== ErrorCode.NONE) throw errorOf(answer.errorCode);
    const got = answer.responses[0]?.partitions[0];
    if (got === undefined) return { records: [], isAtEnd: true };
    if (got.errorCode !== ErrorCode.NONE) throw errorOf(got.errorCode);
    const records: Found[] = [];
    if (got.records !== null) {
      for (const batch of batchesOf(got.records)) {
        must(hasValidCrc(batch), () => `${name}: the batch at ${batch.header.baseOffset} was answered damaged`);
      }
      for (const { offset, value } of allRecordsOf(got.records)) {
        if (offset < position) continue;
        must(
          offset === position + records.length,
          () => `${name}: asked for ${position}, offset ${offset} is the next`,
        );
        records.push({ offset, value: Buffer.from(value ?? []).toString() });
      }
    }
    return { records, isAtEnd: position + records.length >= got.highWatermark };
  }
}

/**
 * Commits growing offsets for a group; what was acknowledged is what is answered, until the power fails. But a connection that was
 * given up unanswered may still deliver its commit when a partition heals, behind later ones, and nothing in the protocol tells
 * the broker that it is old: Apache's stores it too.
 */
export class CommitActor {
  readonly #options: KafkaActorOptions;
  #isStopping = false;
  #next = 0;
  #acked = { offset: 0, era: 0 };
  /** Commits of which an attempt was given up. */
  readonly #overdue = new Set<number>();
  commits = 0;

  constructor(options: KafkaActorOptions) {
    this.#options = options;
  }

  stop(): void {
    this.#isStopping = true;
  }

  async run(): Promise<void> {
    const { machine, random } = this.#options;
    while (!this.#isStopping) {
      await this.#ignoringFailures(() => (random.chance(0.7) ? this.#commit() : this.check()));
      await pause(machine, random.between(20, 400));
    }
  }

  #opened: ReturnType<typeof createConsumer> | undefined;

  get #consumer(): ReturnType<typeof createConsumer> {
    const { machine, bootstrap } = this.#options;
    this.#opened ??= createConsumer(machine.runtime, {
      bootstrapServers: bootstrap,
      groupId: 'auditors',
      enableAutoCommit: false,
      ...clientOptions,
    });
    return this.#opened;
  }

  get #era(): number {
    return this.#options.partitions[0]!.era;
  }

  async #commit(): Promise<void> {
    this.#next += 1;
    const offset = this.#next;
    const { clock } = this.#options.machine.runtime;
    const beganMs = clock.monotonicMs();
    try {
      await this.#consumer.commit([{ topic: this.#options.topic, partition: 0, offset }]);
    } finally {
      if (clock.monotonicMs() - beganMs >= clientOptions.requestTimeoutMs) this.#overdue.add(offset);
    }
    this.#acked = { offset, era: this.#era };
    this.commits += 1;
  }

  /** @throws KafkaError */
  async check(): Promise<void> {
    const acked = this.#acked;
    const [found] = await this.#consumer.committed([{ topic: this.#options.topic, partition: 0 }]);
    if (acked.era < this.#era) return;
    const offset = found?.offset ?? 0;
    must(
      offset >= acked.offset || this.#overdue.has(offset),
      () => `the group committed ${acked.offset} and is told ${found?.offset}`,
    );
  }

  async #ignoringFailures(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
    }
  }
}
