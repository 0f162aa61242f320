/** The life of one transactional id, told to the transaction coordinator of a broker by raw requests. */
import { flatten, type Slices } from '../../../src/base/slices.ts';
import { partitionFor } from '../../../src/kafka/coordinator/partition-for.ts';
import { decodeRecord } from '../../../src/kafka/coordinator/transaction/transaction-records.ts';
import { batchesOf } from '../../../src/kafka/records/batch.ts';
import { buildBatch } from '../../../src/kafka/records/builder.ts';
import { readControlRecord } from '../../../src/kafka/records/control.ts';
import { allRecordsOf, recordsOf } from '../../../src/kafka/records/iterate.ts';
import { ZERO_UUID } from '../../../src/wire/schema.ts';
import { until } from '../peers/process.ts';
import { type Answer, ask } from './raw-client.ts';

export const PARTITIONS = 3;
export const LONG_MS = 60_000;

/** Whom a producer takes itself for. */
export interface Producer {
  readonly producerId: number;
  readonly producerEpoch: number;
}

export interface Initiated extends Producer {
  readonly errorCode: number;
}

interface Described {
  readonly errorCode: number;
  readonly transactionState: string;
  readonly producerEpoch: number;
}

const NOBODY: Producer = { producerId: -1, producerEpoch: -1 };

export interface PortAndId {
  readonly port: number;
  readonly id: string;
  /** Where the transaction writes; two partitions. */
  readonly topic: string;
}

export class CoordinatorStory {
  readonly id: string;
  readonly topic: string;
  readonly #port: number;
  readonly #answers: (readonly [what: string, answer: unknown])[] = [];
  readonly #producerIds = new Map<number, string>();

  constructor({ port, id, topic }: PortAndId) {
    this.#port = port;
    this.id = id;
    this.topic = topic;
  }

  get transcript(): readonly unknown[] {
    return this.#answers;
  }

  async #tell(what: string, apiKey: number, version: number, fields: object): Promise<Answer> {
    const answer = await ask(this.#port, apiKey, version, fields);
    this.#answers.push([`${what} v${version}`, this.#plain(answer)]);
    return answer as Answer;
  }

  /** Producer ids by the order in which they appeared; lists in an order of their own. */
  #plain(value: unknown, name = ''): unknown {
    if (/^(producerId|previousProducerId|nextProducerId)$/.test(name)) return this.#producerName(value as number);
    if (/time(stamp)?Ms|startMs|lastUpdateMs/i.test(name) && !/timeout/i.test(name)) return Math.sign(value as number);
    if (name === 'throttleTimeMs') return 0;
    if (value instanceof Map) {
      return this.#plain([...value].map(([topic, partitions]) => [topic, [...(partitions as Set<number>)]]));
    }
    if (Array.isArray(value)) {
      const items = value.map((item) => this.#plain(item));
      return items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    }
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.#plain(item, key)]));
  }

  #producerName(id: number): unknown {
    if (id < 0) return id;
    let name = this.#producerIds.get(id);
    if (name === undefined) {
      name = `producer ${this.#producerIds.size}`;
      this.#producerIds.set(id, name);
    }
    return name;
  }

  init(given: { as?: Producer; version?: number; timeoutMs?: number; id?: string } = {}): Promise<Initiated> {
    const { as = NOBODY, version = 4, timeoutMs = LONG_MS, id = this.id } = given;
    const fields = { transactionalId: id, transactionTimeoutMs: timeoutMs, ...(version >= 3 ? as : {}) };
    return this.#tell('init', 22, version, fields) as Promise<object> as Promise<Initiated>;
  }

  add(
    as: Producer,
    given: { partitions?: readonly number[]; version?: number; topic?: string; id?: string } = {},
  ): Promise<Answer> {
    const { partitions = [0], version = 3, topic = this.topic, id = this.id } = given;
    const topics = [{ name: topic, partitions: [...partitions] }];
    if (version >= 4) return this.addBatch([{ as, topics, id }], version);
    return this.#tell('add', 24, version, {
      v3AndBelowTransactionalId: id,
      v3AndBelowProducerId: as.producerId,
      v3AndBelowProducerEpoch: as.producerEpoch,
      v3AndBelowTopics: topics,
    });
  }

  addBatch(
    batch: readonly {
      as: Producer;
      topics?: { name: string; partitions: number[] }[];
      verifyOnly?: boolean;
      id?: string;
    }[],
    version = 5,
  ): Promise<Answer> {
    return this.#tell('add batch', 24, version, {
      transactions: batch.map(({ as, topics, verifyOnly = false, id = this.id }) => ({
        transactionalId: id,
        producerId: as.producerId,
        producerEpoch: as.producerEpoch,
        verifyOnly,
        topics: topics ?? [{ name: this.topic, partitions: [0] }],
      })),
    });
  }

  verify(as: Producer, partitions: readonly number[] = [0], version = 4): Promise<Answer> {
    const topics = [{ name: this.topic, partitions: [...partitions] }];
    return this.addBatch([{ as, topics, verifyOnly: true }], version);
  }

  addOffsets(as: Producer, given: { group?: string; version?: number; id?: string } = {}): Promise<Answer> {
    const { group = 'some group', version = 3, id = this.id } = given;
    return this.#tell('add offsets', 25, version, {
      transactionalId: id,
      producerId: as.producerId,
      producerEpoch: as.producerEpoch,
      groupId: group,
    });
  }

  end(as: Producer, committed: boolean, given: { version?: number; id?: string } = {}): Promise<Answer> {
    const { version = 3, id = this.id } = given;
    return this.#tell(committed ? 'commit' : 'abort', 26, version, {
      transactionalId: id,
      producerId: as.producerId,
      producerEpoch: as.producerEpoch,
      committed,
    });
  }

  /** One record of the transaction. */
  write(as: Producer, sequence: number, given: { partition?: number; version?: number } = {}): Promise<Answer> {
    const records = buildBatch({
      producerId: as.producerId,
      producerEpoch: as.producerEpoch,
      baseSequence: sequence,
      isTransactional: true,
      // Not long before the marker, or that would begin another segment.
      records: [{ timestamp: Date.now(), key: null, value: Buffer.from(`${sequence}`) }],
    });
    return this.#tell('write', 0, given.version ?? 9, {
      transactionalId: this.id,
      acks: -1,
      timeoutMs: 10_000,
      topicData: [{ name: this.topic, topicId: ZERO_UUID, partitionData: [{ index: given.partition ?? 0, records }] }],
    });
  }

  describe(...ids: string[]): Promise<Answer> {
    return this.#tell('describe', 65, 0, { transactionalIds: ids.length === 0 ? [this.id] : ids });
  }

  /** Only of this id: others live on the same broker. */
  async list(filters: object = {}, version = 1): Promise<void> {
    const answer = (await ask(this.#port, 66, version, filters)) as {
      transactionStates: { transactionalId: string }[];
    };
    const own = answer.transactionStates.filter(({ transactionalId }) => transactionalId === this.id);
    this.#answers.push(['list', this.#plain({ ...answer, transactionStates: own })]);
  }

  /** Until the id is in a state; an end is answered before its markers are written. */
  waitFor(state: string): Promise<Described> {
    return until(`${this.id} is ${state}`, async () => {
      const answer = (await ask(this.#port, 65, 0, { transactionalIds: [this.id] })) as {
        transactionStates: Described[];
      };
      const [described] = answer.transactionStates;
      return described?.transactionState === state ? described : undefined;
    });
  }

  /** Until the id is forgotten. */
  async waitForgotten(): Promise<void> {
    const TRANSACTIONAL_ID_NOT_FOUND = 105;
    await until(`${this.id} is forgotten`, async () => {
      const answer = (await ask(this.#port, 65, 0, { transactionalIds: [this.id] })) as {
        transactionStates: Described[];
      };
      return answer.transactionStates[0]?.errorCode === TRANSACTIONAL_ID_NOT_FOUND ? true : undefined;
    });
  }

  /** Repeats a request while the coordinator is at work; the transcript has only the last answer. */
  async initWhenReady(given: Parameters<CoordinatorStory['init']>[0] = {}): Promise<Initiated> {
    const CONCURRENT_TRANSACTIONS = 51;
    return until('the coordinator has done its work', async () => {
      const answer = await this.init(given);
      if (answer.errorCode !== CONCURRENT_TRANSACTIONS) return answer;
      this.#answers.pop();
      return undefined;
    });
  }

  async #read(topic: string, partition: number): Promise<Uint8Array> {
    const wanted = { partition, fetchOffset: 0, partitionMaxBytes: 10_000_000, logStartOffset: -1 };
    const answer = (await ask(this.#port, 1, 4, {
      replicaId: -1,
      maxWaitMs: 100,
      minBytes: 1,
      maxBytes: 10_000_000,
      topics: [{ topic, topicId: ZERO_UUID, partitions: [wanted] }],
    })) as unknown as { responses: { partitions: { records: Slices }[] }[] };
    return flatten(answer.responses[0]!.partitions[0]!.records);
  }

  /** What the coordinator has written of the id, in order. */
  async records(): Promise<unknown[]> {
    const found: unknown[] = [];
    const bytes = await this.#read('__transaction_state', partitionFor(this.id, PARTITIONS));
    for (const { key, value } of allRecordsOf(bytes)) {
      const record = decodeRecord(key!, value);
      if (record?.id !== this.id) continue;
      const version = value === null ? null : Buffer.from(value).readInt16BE(0);
      found.push([version, this.#plain(record)]);
    }
    return found;
  }

  /** What stands in the partitions of the transaction, markers among it. */
  async written(): Promise<unknown[]> {
    const found: unknown[] = [];
    for (const partition of [0, 1]) {
      for (const batch of batchesOf(await this.#read(this.topic, partition))) {
        const { baseOffset, producerId, producerEpoch, isControl } = batch.header;
        const content = isControl ? readControlRecord(batch) : [...recordsOf(batch)].length;
        found.push([partition, baseOffset, this.#plain({ producerId, producerEpoch, content })]);
      }
    }
    return found;
  }
}
