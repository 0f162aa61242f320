import assert from 'node:assert/strict';
import type { TlsMaterial } from '../../../runtime/tls.ts';
import {
  type ConfigKeys,
  SimulatedNode,
  Simulation,
  simulateZookeeper,
  testKafkaConfig,
} from '../../../testing/index.ts';
import { connectZookeeper, type ZookeeperClient } from '../../../zookeeper/client/client.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { ProduceRequest, ProduceResponse } from '../../protocol/messages/00-produce.ts';
import { FetchRequest, FetchResponse } from '../../protocol/messages/01-fetch.ts';
import { MetadataRequest, MetadataResponse } from '../../protocol/messages/03-metadata.ts';
import { CreateTopicsRequest, CreateTopicsResponse } from '../../protocol/messages/19-create-topics.ts';
import { batchesOf } from '../../records/batch.ts';
import { type KafkaBroker, startKafka } from '../kafka-broker.ts';
import { RawClient } from './raw-client.ts';
import { batchOf, fetchRequest, produceRequest } from './requests.ts';

export interface ClusterOptions {
  readonly brokers?: number;
  readonly seed?: number;
  readonly kafka?: ConfigKeys;
}

/** ZooKeeper and some brokers (ids from 0) in one simulated world, with a client machine and an eye on the znodes. */
export class ClusterWorld {
  readonly sim: Simulation;
  readonly zookeeper: ReturnType<typeof simulateZookeeper>;
  readonly brokers: SimulatedNode<KafkaBroker>[] = [];
  /** Brokers that ended by themselves, with their reason. */
  readonly failures: unknown[] = [];
  readonly logLines: string[] = [];
  readonly #client;
  #zk: ZookeeperClient | undefined;

  constructor({ brokers = 1, seed = 17, kafka = {} }: ClusterOptions = {}) {
    this.sim = new Simulation({ seed, onLog: (line) => this.logLines.push(line) });
    this.zookeeper = simulateZookeeper(this.sim);
    this.#client = this.sim.machine('client');
    for (let id = 0; id < brokers; id += 1) this.#addBroker(id, kafka);
  }

  #addBroker(id: number, kafka: ConfigKeys): void {
    const machine = this.sim.machine(`broker-${id}`);
    const listener = `PLAINTEXT://${machine.host}:9092`;
    const keys = {
      'broker.id': id,
      'zookeeper.session.timeout.ms': 6000,
      // Little, so that memory is used again all the time.
      'odradek.recent.batches.bytes': 65_536,
      ...kafka,
    };
    const config = testKafkaConfig('/kafka', this.connect, listener, keys);
    const node = new SimulatedNode(this.sim, machine, async (runtime) => {
      const broker = await startKafka(runtime, config);
      void broker.failed.then((error) => this.failures.push(error));
      return broker;
    });
    this.brokers.push(node);
  }

  get connect(): string {
    return `${this.zookeeper.machine.host}:2181`;
  }

  async start(): Promise<this> {
    if (this.zookeeper.server === undefined) await this.zookeeper.start();
    for (const broker of this.brokers) if (broker.server === undefined) await broker.start();
    return this;
  }

  broker(id: number): SimulatedNode<KafkaBroker> {
    const found = this.brokers[id];
    assert.ok(found, `broker ${id}`);
    return found;
  }

  run<T>(promise: Promise<T>, limitMs?: number): Promise<T> {
    return this.sim.complete(promise, limitMs);
  }

  /** The test's own session. */
  get zk(): ZookeeperClient {
    this.#zk ??= connectZookeeper(this.#client.runtime, { connect: this.connect, sessionTimeoutMs: 30_000 });
    return this.#zk;
  }

  async json(path: string): Promise<Record<string, unknown>> {
    return JSON.parse(String((await this.run(this.zk.getData(path))).data));
  }

  async exists(path: string): Promise<boolean> {
    return (await this.run(this.zk.exists(path))) !== undefined;
  }

  /** Where the test's connections come from. */
  get clientHost(): string {
    return this.#client.host;
  }

  connectTo(id: number, port = 9092, tls?: TlsMaterial): RawClient {
    return new RawClient(this.#client.runtime, `${this.broker(id).machine.host}:${port}`, tls);
  }

  /** One request on a connection of its own. */
  async ask<T>(id: number, request: (client: RawClient) => Promise<T>): Promise<T> {
    const client = this.connectTo(id);
    const answer = await this.run(request(client));
    client.close();
    return answer;
  }

  async createTopic(name: string, assignment: readonly (readonly number[])[], at = 0): Promise<void> {
    const assignments = assignment.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds: [...brokerIds] }));
    const topic = { name, numPartitions: -1, replicationFactor: -1, assignments, configs: [] };
    const answer = await this.ask(at, (client) =>
      client.ask(CreateTopicsRequest, CreateTopicsResponse, 4, { topics: [topic], timeoutMs: 5000 }),
    );
    assert.equal(answer.topics[0]?.errorCode, ErrorCode.NONE, answer.topics[0]?.errorMessage ?? '');
  }

  /** Answers the base offset. @throws KafkaError */
  async produce(at: number, topic: string, value: string, partition = 0, acks = -1): Promise<number> {
    const request = produceRequest(topic, batchOf([value]), acks);
    for (const { partitionData } of request.topicData ?? []) for (const data of partitionData) data.index = partition;
    const answer = await this.ask(at, (client) => client.ask(ProduceRequest, ProduceResponse, 8, request));
    const result = answer.responses[0]?.partitionResponses[0];
    assert.ok(result);
    if (result.errorCode !== ErrorCode.NONE) throw new KafkaError(result.errorCode);
    return result.baseOffset;
  }

  /** How many records consumers see, from the first on. @throws KafkaError */
  async count(at: number, topic: string, partition = 0): Promise<number> {
    let count = 0;
    let offset = 0;
    for (;;) {
      const request = fetchRequest(topic, offset);
      for (const { partitions } of request.topics ?? []) for (const one of partitions) one.partition = partition;
      const answer = await this.ask(at, (client) =>
        client.ask(FetchRequest, FetchResponse, 11, { ...request, sessionEpoch: -1 }),
      );
      const result = answer.responses[0]?.partitions[0];
      assert.ok(result);
      if (result.errorCode !== ErrorCode.NONE) throw new KafkaError(result.errorCode);
      if (result.records === null || result.records.size === 0) return count;
      for (const { header } of batchesOf(result.records)) {
        count += header.recordCount;
        offset = header.lastOffset + 1;
      }
    }
  }

  metadata(at: number): Promise<MetadataResponse> {
    return this.ask(at, (client) => client.ask(MetadataRequest, MetadataResponse, 7, { topics: null }));
  }

  /** A partition's leader as a broker tells it; undefined for what it does not know. */
  async leaderOf(at: number, topic: string, partition = 0): Promise<number | undefined> {
    const found = (await this.metadata(at)).topics.find(({ name }) => name === topic);
    return found?.partitions.find(({ partitionIndex }) => partitionIndex === partition)?.leaderId;
  }

  /** Runs the world until something that takes requests to find out is so. */
  async until(what: string, holds: () => Promise<boolean>, limitMs = 60_000): Promise<void> {
    const endMs = this.sim.nowMs + limitMs;
    while (!(await holds())) {
      assert.ok(this.sim.nowMs < endMs, `${what}, not within ${limitMs} ms`);
      await this.sim.runFor(250);
    }
  }

  async controller(): Promise<number> {
    return (await this.json('/controller')).brokerid as number;
  }
}

/** Asserts the protocol's error of a refusal. */
export function refused(code: number): (error: unknown) => boolean {
  return (error) => error instanceof KafkaError && error.code === code;
}
