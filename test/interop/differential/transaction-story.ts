/** Transactions told to one broker by raw requests; what it answers, and what readers see, without what is its own. */
import { flatten, type Slices } from '../../../src/base/slices.ts';
import { decodeRecord } from '../../../src/kafka/coordinator/group/group-records.ts';
import { partitionFor } from '../../../src/kafka/coordinator/partition-for.ts';
import { batchesOf } from '../../../src/kafka/records/batch.ts';
import { buildBatch } from '../../../src/kafka/records/builder.ts';
import { readControlRecord } from '../../../src/kafka/records/control.ts';
import { recordsOf } from '../../../src/kafka/records/iterate.ts';
import { ZERO_UUID } from '../../../src/wire/schema.ts';
import { until } from '../peers/process.ts';
import { PARTITION_FIELDS } from './fetch-fields.ts';
import { type Answer, ask } from './raw-client.ts';

export const OFFSETS_PARTITIONS = 3;

export interface Writing {
  readonly producerId?: number;
  readonly epoch?: number;
  readonly sequence?: number;
  readonly count?: number;
  readonly transactional?: boolean;
  /** Null: the request names no transaction although its records belong to one. */
  readonly transactionalId?: string | null;
  readonly version?: number;
  readonly acks?: number;
  readonly topic?: string;
  readonly partition?: number;
}

export interface Marking {
  readonly producerId?: number;
  readonly epoch?: number;
  readonly coordinatorEpoch?: number;
  readonly committed?: boolean;
  readonly version?: number;
  readonly partitions?: readonly number[];
  readonly topic?: string;
}

export interface Committing {
  readonly producerId?: number;
  readonly epoch?: number;
  readonly version?: number;
  readonly group?: string;
  readonly topic?: string;
  readonly partition?: number;
  readonly generationId?: number;
  readonly memberId?: string;
  readonly instanceId?: string | null;
  readonly metadata?: string;
  /** Other offsets of the same partition in the same request: first beside it, then in a topic of their own. */
  readonly again?: readonly [number, number];
}

export class TransactionStory {
  readonly topic: string;
  readonly group: string;
  readonly port: number;
  readonly transcript: unknown[] = [];
  readonly #startedMs: number;
  #topicId = '';

  constructor(port: number, name: string, startedMs: number) {
    this.port = port;
    this.topic = name;
    this.group = `group-${name}`;
    this.#startedMs = startedMs;
  }

  async createTopic(configs: Readonly<Record<string, string>> = {}): Promise<void> {
    const topic = {
      name: this.topic,
      numPartitions: 2,
      replicationFactor: 1,
      assignments: [],
      configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
    };
    await ask(this.port, 19, 4, { topics: [topic], timeoutMs: 60_000 });
    await until(`${this.topic} is led`, async () => {
      const answer = (await ask(this.port, 3, 12, { topics: [{ name: this.topic, topicId: ZERO_UUID }] })) as {
        topics: { errorCode: number; topicId: string; partitions: { errorCode: number }[] }[];
      };
      const [found] = answer.topics;
      const isLed = found?.errorCode === 0 && found.partitions.every(({ errorCode }) => errorCode === 0);
      this.#topicId = found?.topicId ?? '';
      const fetched = await this.#fetch(4, { topic: this.topic, partition: 0, isolation: 0, offset: 0 });
      const read = fetched as unknown as Read;
      return isLed && read.responses[0]?.partitions[0]?.errorCode === 0 ? true : undefined;
    });
  }

  async #tell(what: string, apiKey: number, version: number, fields: object): Promise<Answer> {
    const answer = await ask(this.port, apiKey, version, fields);
    this.transcript.push([what, version, plain(answer)]);
    return answer as Answer;
  }

  write(given: Writing = {}): Promise<Answer> {
    const { producerId = 1000, epoch = 0, sequence = 0, count = 1, transactional = true, version = 9 } = given;
    const name = given.topic ?? this.topic;
    const records = buildBatch({
      producerId,
      producerEpoch: epoch,
      baseSequence: sequence,
      isTransactional: transactional,
      records: Array.from({ length: count }, (_, index) => ({
        // Close together, or segments would be rolled by time.
        timestamp: this.#startedMs + (sequence % 1000) + index,
        key: null,
        value: Buffer.from(`${producerId}/${epoch}/${sequence + index}`),
      })),
    });
    return this.#tell('write', 0, version, {
      transactionalId: given.transactionalId === undefined ? `t-${producerId}` : given.transactionalId,
      acks: given.acks ?? -1,
      timeoutMs: 10_000,
      topicData: [{ name, topicId: ZERO_UUID, partitionData: [{ index: given.partition ?? 0, records }] }],
    });
  }

  mark(given: Marking = {}): Promise<Answer> {
    const { producerId = 1000, epoch = 0, coordinatorEpoch = 0, committed = true, version = 1 } = given;
    const topics = [{ name: given.topic ?? this.topic, partitionIndexes: [...(given.partitions ?? [0])] }];
    const marker = { producerId, producerEpoch: epoch, transactionResult: committed, coordinatorEpoch, topics };
    return this.#tell('mark', 27, version, { markers: [{ ...marker, transactionVersion: 0 }] });
  }

  markAll(markers: readonly object[], version = 1): Promise<Answer> {
    return this.#tell('mark all', 27, version, { markers });
  }

  commit(offset: number, given: Committing = {}): Promise<Answer> {
    const { producerId = 1000, epoch = 0, version = 3, generationId = -1, memberId = '', instanceId = null } = given;
    return this.#tell('commit', 28, version, {
      transactionalId: `t-${producerId}`,
      groupId: given.group ?? this.group,
      producerId,
      producerEpoch: epoch,
      ...(version >= 3 ? { generationIdOrMemberEpoch: generationId, memberId, groupInstanceId: instanceId } : {}),
      topics: commitTopics(given.topic ?? this.topic, [offset, ...(given.again ?? [])], given),
    });
  }

  /** A commit outside any transaction. */
  commitPlainly(offset: number): Promise<Answer> {
    return this.#tell('commit plainly', 8, 8, {
      groupId: this.group,
      topics: [
        {
          name: this.topic,
          topicId: ZERO_UUID,
          partitions: [
            {
              partitionIndex: 0,
              committedOffset: offset,
              committedLeaderEpoch: -1,
              commitTimestamp: -1,
              committedMetadata: 'plain',
            },
          ],
        },
      ],
    });
  }

  async offsets(): Promise<void> {
    const topics = [{ name: this.topic, topicId: ZERO_UUID, partitionIndexes: [0, 1] }];
    const groups = [{ groupId: this.group, memberId: null, memberEpoch: -1, topics }];
    for (const requireStable of [false, true]) await this.#tell('offsets', 9, 8, { groups, requireStable });
  }

  endOffsets(given: { committed: boolean; producerId?: number; epoch?: number }): Promise<Answer> {
    const partition = partitionFor(this.group, OFFSETS_PARTITIONS);
    return this.mark({ ...given, topic: '__consumer_offsets', partitions: [partition] });
  }

  /** As `endOffsets`, until the coordinator of the group shows it for a partition: Apache's tells it a little later. */
  async endOffsetsAndWait(given: { committed: boolean; producerId?: number; partition?: number }): Promise<void> {
    await this.endOffsets(given);
    await until('the end of the transaction is seen', async () => {
      const topics = [{ name: this.topic, topicId: ZERO_UUID, partitionIndexes: [given.partition ?? 0] }];
      const groups = [{ groupId: this.group, memberId: null, memberEpoch: -1, topics }];
      const answer = (await ask(this.port, 9, 8, { groups, requireStable: true })) as {
        groups: { topics: { partitions: { errorCode: number }[] }[] }[];
      };
      const partitions = answer.groups[0]?.topics[0]?.partitions ?? [];
      return partitions.every(({ errorCode }) => errorCode === 0) ? true : undefined;
    });
  }

  deleteOffsets(): Promise<Answer> {
    const topics = [{ name: this.topic, partitions: [{ partitionIndex: 0 }] }];
    return this.#tell('delete offsets', 47, 0, { groupId: this.group, topics });
  }

  deleteGroup(): Promise<Answer> {
    return this.#tell('delete group', 42, 2, { groupsNames: [this.group] });
  }

  describeGroup(): Promise<Answer> {
    return this.#tell('describe group', 15, 5, { groups: [this.group] });
  }

  producers(topic = this.topic, ...partitions: number[]): Promise<Answer> {
    const partitionIndexes = partitions.length === 0 ? [0, 1] : partitions;
    return this.#tell('producers', 61, 0, { topics: [{ name: topic, partitionIndexes }] });
  }

  #fetch(
    version: number,
    { topic, partition, isolation, offset, maxBytes = 1_000_000 }: Reading & { topic: string; partition: number },
  ): Promise<Answer | 'closed'> {
    return ask(this.port, 1, version, {
      replicaId: -1,
      maxWaitMs: 0,
      minBytes: 1,
      ...(version >= 3 ? { maxBytes: 1_000_000 } : {}),
      isolationLevel: version >= 4 ? isolation : 0,
      ...(version >= 7 ? { sessionId: 0, sessionEpoch: -1 } : {}),
      topics: [
        {
          topic: version >= 13 ? '' : topic,
          topicId: version >= 13 ? this.#topicId : ZERO_UUID,
          partitions: [{ ...PARTITION_FIELDS, partition, fetchOffset: offset, partitionMaxBytes: maxBytes }],
        },
      ],
    });
  }

  /** What a reader sees from an offset on. */
  async read(offset: number, { version = 11, isolation = 1, maxBytes = 1_000_000 }: Partial<Reading> = {}) {
    const reading = { topic: this.topic, partition: 0, isolation, offset, maxBytes };
    this.transcript.push(['read', version, isolation, offset, readOf(await this.#fetch(version, reading))]);
  }

  async readAll(from = 0): Promise<void> {
    for (const isolation of [0, 1]) await this.read(from, { isolation });
    for (const isolation of [0, 1]) {
      for (const timestamp of [-1, -2, -3, this.#startedMs, this.#startedMs + 1]) await this.ends(timestamp, isolation);
    }
  }

  async ends(timestamp: number, isolation: number, version = 7): Promise<void> {
    const partitions = [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp, maxNumOffsets: 1 }];
    const topics = [{ name: this.topic, partitions }];
    const answer = (await ask(this.port, 2, version, { replicaId: -1, isolationLevel: isolation, topics })) as {
      topics: { partitions: { errorCode: number; offset: number; timestamp: number }[] }[];
    };
    const found = answer.topics[0]!.partitions[0]!;
    // The time of a marker is its broker's own.
    this.transcript.push(['ends', timestamp - this.#startedMs, isolation, found.errorCode, found.offset]);
  }

  /** What stands in the group's partition of `__consumer_offsets` of this group, with whose transaction it is. */
  async records(): Promise<unknown[]> {
    const partition = partitionFor(this.group, OFFSETS_PARTITIONS);
    const reading = { topic: '__consumer_offsets', partition, isolation: 0, offset: 0, maxBytes: 10_000_000 };
    const read = (await this.#fetch(4, reading)) as unknown as Read;
    const found: unknown[] = [];
    for (const batch of batchesOf(flatten(read.responses[0]!.partitions[0]!.records!))) {
      const { header } = batch;
      if (header.isControl) continue;
      for (const { key, value } of recordsOf(batch)) {
        const record = decodeRecord(key!, value);
        if (record?.group !== this.group) continue;
        found.push([plain(record), header.producerId, header.producerEpoch, header.baseSequence, header.attributes]);
      }
    }
    return found;
  }
}

interface Reading {
  readonly version?: number;
  readonly isolation: number;
  readonly offset: number;
  readonly maxBytes?: number;
}

interface Read {
  readonly responses: readonly {
    readonly partitions: readonly {
      readonly errorCode: number;
      readonly highWatermark: number;
      readonly lastStableOffset: number;
      readonly logStartOffset: number;
      readonly abortedTransactions: unknown;
      readonly records: Slices | null;
    }[];
  }[];
}

function readOf(answer: Answer | 'closed'): unknown {
  if (answer === 'closed') return answer;
  const found = (answer as unknown as Read).responses[0]!.partitions[0]!;
  const batches = [...batchesOf(found.records ?? new Uint8Array(0))].map((batch) => {
    const { header } = batch;
    const content = header.isControl
      ? readControlRecord(batch)
      : [...recordsOf(batch)].map(({ offset, value }) => [
          offset,
          value === null ? null : Buffer.from(value).toString(),
        ]);
    const { baseOffset, lastOffset, magic, producerId, producerEpoch, baseSequence, attributes } = header;
    return [baseOffset, lastOffset, magic, producerId, producerEpoch, baseSequence, attributes, content];
  });
  const { errorCode, highWatermark, lastStableOffset, logStartOffset, abortedTransactions } = found;
  return { errorCode, highWatermark, lastStableOffset, logStartOffset, abortedTransactions, batches };
}

/** Lists in an order of their own, times only as set or not. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(plain).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== 'throttleTimeMs')
      .map(([key, item]) => [key, /timestamp/i.test(key) && typeof item === 'number' ? Math.sign(item) : plain(item)]),
  );
}

/** One topic for all offsets but the third. */
function commitTopics(
  name: string,
  offsets: readonly number[],
  { partition = 0, metadata = '' }: Committing,
): object[] {
  const entry = (committedOffset: number) => ({
    partitionIndex: partition,
    committedOffset,
    committedLeaderEpoch: -1,
    committedMetadata: metadata,
  });
  return [offsets.slice(0, 2), offsets.slice(2)]
    .filter(({ length }) => length > 0)
    .map((some) => ({ name, topicId: ZERO_UUID, partitions: some.map(entry) }));
}
