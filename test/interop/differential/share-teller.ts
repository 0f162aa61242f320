/** Tells one broker a story about share groups, and writes down what it answers. */
import { connect, type Socket } from 'node:net';
import { flatten, type Slices, slicesOf } from '../../../src/base/slices.ts';
import { encodeRequest } from '../../../src/kafka/broker/testkit/raw-client.ts';
import { apis } from '../../../src/kafka/protocol/apis.ts';
import { batchesOf } from '../../../src/kafka/records/batch.ts';
import { buildBatch } from '../../../src/kafka/records/builder.ts';
import { codecFor } from '../../../src/wire/codec.ts';
import { FrameSplitter } from '../../../src/wire/framing.ts';
import { Reader } from '../../../src/wire/reader.ts';
import { ZERO_UUID } from '../../../src/wire/schema.ts';
import { until } from '../peers/process.ts';
import { configureGroup } from './group-configs.ts';
import { ask } from './raw-client.ts';

type Fields = Record<string, unknown>;
/** What comes back is looked into as it is. */
type Loose = ReturnType<typeof JSON.parse>;

/** A connection that stays: share sessions live as long as theirs. */
export class Line {
  readonly #socket: Socket;
  readonly #splitter = new FrameSplitter(100 << 20);
  readonly #waiting: ((frame: Slices | undefined) => void)[] = [];

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1' });
    this.#socket.on('data', (chunk) =>
      this.#splitter.push(chunk, (frame) => {
        this.#waiting.shift()?.(frame);
        return true;
      }),
    );
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => {
      for (const answer of this.#waiting.splice(0)) answer(undefined);
    });
  }

  async ask(apiKey: number, version: number, fields: Fields): Promise<Loose> {
    const api = apis.get(apiKey)!;
    this.#socket.write(encodeRequest(api.request, version, fields as never));
    const frame = await new Promise<Slices | undefined>((resolve) => this.#waiting.push(resolve));
    if (frame === undefined) return 'closed';
    const reader = new Reader(frame);
    reader.int32();
    reader.uvarint();
    return codecFor(api.response, version).read(reader);
  }

  close(): Promise<void> {
    if (this.#socket.closed) return Promise.resolve();
    return new Promise((resolve) => this.#socket.once('close', () => resolve()).destroy());
  }
}

export class Teller {
  readonly port: number;
  readonly topic: string;
  readonly group: string;
  topicId = ZERO_UUID;
  /** What was answered, step by step. */
  readonly told: [string, unknown][] = [];

  constructor(port: number, topic: string) {
    this.port = port;
    this.topic = topic;
    this.group = `group-of-${topic}`;
  }

  ask(apiKey: number, version: number, fields: Fields): Promise<Loose> {
    return ask(this.port, apiKey, version, fields);
  }

  line(): Line {
    return new Line(this.port);
  }

  /**
   * Until the broker knows that these are gone: with one thread for its network it hears of that no later than of the next request, and
   * answers then.
   */
  async leave(...lines: readonly Line[]): Promise<void> {
    for (const line of lines) await line.close();
    await this.ask(18, 0, {});
  }

  tell(step: string, answer: unknown): void {
    this.told.push([step, JSON.parse(JSON.stringify(answer, (name, value) => this.#plain(name, value)))]);
  }

  #plain(name: string, value: Loose): unknown {
    if (name === 'throttleTimeMs' || name === 'nodeEndpoints' || name === 'authorizedOperations') return undefined;
    if (value === this.topicId) return 'the topic';
    const batches = value?.chunks === undefined ? undefined : [...batchesOf(value as Slices)];
    return batches?.map(({ header }) => [header.baseOffset, header.lastOffset]) ?? value;
  }

  /** The topic and both coordinators are there. */
  async begin(partitions: number): Promise<void> {
    const { topic, group } = this;
    const topics = [{ name: topic, numPartitions: partitions, replicationFactor: 1, assignments: [], configs: [] }];
    await this.ask(19, 7, { topics, timeoutMs: 60_000 });
    this.topicId = await until('the topic', async () => {
      const { topics: found } = await this.ask(3, 12, { topics: [{ topicId: ZERO_UUID, name: topic }] });
      return found[0]?.errorCode === 0 ? (found[0].topicId as string) : undefined;
    });
    const share = `${group}:${this.topicId}:0`;
    for (const [keyType, key] of [
      [0, group],
      [2, share],
    ]) {
      await until('a coordinator', async () => {
        const { coordinators } = await this.ask(10, 6, { keyType, coordinatorKeys: [key] });
        return coordinators[0]?.errorCode === 0 ? true : undefined;
      });
    }
    await until('loaded coordinators', async () => {
      const { results } = await this.ask(87, 0, this.ofPartitions([0], { leaderEpoch: 0 }));
      const listed = await this.ask(16, 5, { statesFilter: [], typesFilter: [] });
      const errors = results[0].partitions.map((one: Loose) => one.errorCode);
      return listed.errorCode === 0 && errors.every((code: number) => code === 0) ? true : undefined;
    });
  }

  /** A request to the share coordinator. */
  ofPartitions(partitions: readonly number[], fields: Fields, over: Fields = {}): Fields {
    const topic = { topicId: this.topicId, partitions: partitions.map((partition) => ({ partition, ...fields })) };
    return { groupId: this.group, topics: [{ ...topic, ...over }] };
  }

  async produce(count: number, batches: number, index = 0): Promise<void> {
    const value = Buffer.from('v');
    for (let batch = 0; batch < batches; batch += 1) {
      const records = Array.from({ length: count }, () => ({
        timestamp: 1_700_000_000_000,
        key: null,
        value,
        headers: [],
      }));
      const bytes = slicesOf(Buffer.from(flatten(buildBatch({ magic: 2, records }))));
      const partitionData = [{ index, records: bytes }];
      await this.ask(0, 9, {
        acks: -1,
        timeoutMs: 5000,
        topicData: [{ name: this.topic, topicId: ZERO_UUID, partitionData }],
      });
    }
  }

  /** Where delivery starts, and how many records above it are done. */
  async summary(partition = 0): Promise<number[]> {
    const { results } = await this.ask(87, 1, this.ofPartitions([partition], { leaderEpoch: 0 }));
    const { startOffset, deliveryCompleteCount } = results[0].partitions[0];
    return [startOffset, deliveryCompleteCount];
  }

  /** Until the group’s share partitions have states: that is done beside the heartbeats that ask for it. */
  async initialised(count: number): Promise<void> {
    await until(`${count} share partitions of ${this.group}`, async () => {
      const { groups } = await this.ask(90, 1, { groups: [{ groupId: this.group, topics: null }] });
      return groups[0].topics[0]?.partitions.length === count || undefined;
    });
  }

  configure(values: Readonly<Record<string, string>>): Promise<void> {
    return configureGroup(this.port, this.group, values);
  }
}
