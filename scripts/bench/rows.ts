/** Kafka's rows under load. */
import { type CodecName, readBatchHeader } from '../../src/kafka/records/batch.ts';
import { allRecordsOf } from '../../src/kafka/records/iterate.ts';
import { createTopic, endOffset, fetchedBytes, fetchedRecords, fillTopic } from './kafka-admin.ts';
import { fetchErrorAt, fetchFrame, produceErrorAt, produceFrame } from './kafka-frames.ts';
import type { Comparison, LoadRow } from './load-row.ts';
import { countRecords } from './verify.ts';
import { zookeeperRows } from './zookeeper-rows.ts';

interface ProduceRow {
  readonly name: string;
  readonly goal: number;
  readonly topic: string;
  readonly connections: number;
  readonly inFlight: number;
  readonly records: number;
  readonly valueBytes: number;
  /** Default 1; each request goes to `perRequest` of them. */
  readonly partitions?: number;
  readonly perRequest?: number;
  readonly compares?: Comparison;
}

function produceRow(row: ProduceRow): LoadRow {
  const { topic, connections, inFlight, partitions = 1, perRequest = 1 } = row;
  return {
    name: row.name,
    goal: row.goal,
    ...(row.compares === undefined ? {} : { compares: row.compares }),
    system: 'kafka',
    perRequest: row.records * perRequest,
    unit: 'records/s',
    answerBytes: 50 + topic.length + 35 * perRequest,
    topic,
    async prepare({ kafkaPort }) {
      await createTopic(kafkaPort, topic, partitions);
      const frames: string[] = [];
      for (let first = 0; first < partitions; first += perRequest) {
        const indexes = Array.from({ length: perRequest }, (_, index) => first + index);
        const shape = { topic, partitions: indexes, recordsPerPartition: row.records, valueBytes: row.valueBytes };
        frames.push(produceFrame(shape).toString('hex'));
      }
      return { connections, inFlight, frames, errorAt: produceErrorAt(topic) };
    },
    found: ({ logDir }) => countRecords(logDir, topic),
  };
}

const MIB = 1_048_576;
/** One batch of fillTopic, so that every fetch answers the same bytes. */
const BATCH_RECORDS = 900;
/** More than our memory for recent batches, which the last bytes therefore fill and the first have left. */
const FETCH_TOPIC_BYTES = 256 * MIB;
const FETCH_TOPIC = 'fetch';

function fetchRow(name: string, goal: number, connections: number, from: 'tail' | 'head'): LoadRow {
  return {
    name,
    goal,
    system: 'kafka',
    perRequest: 1,
    unit: 'MB/s',
    answerBytes: MIB,
    async prepare({ kafkaPort }) {
      await createTopic(kafkaPort, FETCH_TOPIC);
      if ((await endOffset(kafkaPort, FETCH_TOPIC)) <= 0) await fillTopic(kafkaPort, FETCH_TOPIC, FETCH_TOPIC_BYTES);
      const end = await endOffset(kafkaPort, FETCH_TOPIC);
      const frames: string[] = [];
      for (let place = 0; place < 32; place += 1) {
        const offset = from === 'tail' ? end - (2 + (place % 8)) * BATCH_RECORDS : place * BATCH_RECORDS;
        if ((await fetchedBytes(kafkaPort, FETCH_TOPIC, offset, MIB)) < 0.85 * MIB) {
          throw new RangeError(`a fetch at ${offset} answers less than it should`);
        }
        frames.push(fetchFrame(FETCH_TOPIC, offset, MIB).toString('hex'));
      }
      return { connections, inFlight: 1, frames, errorAt: fetchErrorAt(FETCH_TOPIC) };
    },
  };
}

/**
 * What a consumer of before 0.11 gets: Fetch v3 of stored batches of magic 2, answered in magic 1. Records count, not bytes: Apache
 * fills an answer up with zeros where its records became smaller.
 */
function downConversionRow(name: string, topic: string, codec: CodecName, recordsPerAnswer: number): LoadRow {
  return {
    name,
    goal: 1,
    system: 'kafka',
    perRequest: recordsPerAnswer,
    unit: 'records/s',
    answerBytes: DOWN_CONVERSION_BYTES,
    topic,
    async prepare({ kafkaPort }) {
      await fillTopic(kafkaPort, topic, 8 * MIB, { recordsPerPartition: 1_000, valueBytes: 100, codec });
      const offsets = Array.from({ length: 16 }, (_, place) => place * 1_000);
      for (const offset of offsets) {
        const answer = await fetchedRecords(kafkaPort, topic, offset, DOWN_CONVERSION_BYTES, OLD_FETCH_VERSION);
        const magic = readBatchHeader(answer)?.magic;
        const count = [...allRecordsOf(answer)].length;
        if (magic !== 1 || count !== recordsPerAnswer) {
          throw new RangeError(`${count} records of magic ${magic} for an old consumer`);
        }
      }
      const frames = offsets.map((offset) =>
        fetchFrame(topic, offset, DOWN_CONVERSION_BYTES, OLD_FETCH_VERSION).toString('hex'),
      );
      return { connections: 4, inFlight: 1, frames, errorAt: fetchErrorAt(topic) };
    },
  };
}

const OLD_FETCH_VERSION = 3;
const DOWN_CONVERSION_BYTES = 262_144;

const shape = (connections: number, inFlight: number, records: number, valueBytes: number) => ({
  connections,
  inFlight,
  records,
  valueBytes,
});

export const loadRows: readonly LoadRow[] = [
  produceRow({ name: 'produce 1x1, 1 record', goal: 1.6, topic: 'single', ...shape(1, 1, 1, 100) }),
  produceRow({ name: 'produce 8x5, 1 record', goal: 4, topic: 'piped', ...shape(8, 5, 1, 100) }),
  produceRow({ name: 'produce 8x5, 100 x 100 B', goal: 1.3, topic: 'batches', ...shape(8, 5, 100, 100) }),
  produceRow({ name: 'produce 4x5, 100 x 1,000 B', goal: 1.3, topic: 'large', ...shape(4, 5, 100, 1_000) }),
  produceRow({
    name: 'produce 8x5, 100 partitions',
    goal: 1.3,
    topic: 'many',
    ...shape(8, 5, 1, 100),
    partitions: 100,
    perRequest: 10,
  }),
  fetchRow('fetch tail 1 MiB, 1 client', 1.2, 1, 'tail'),
  fetchRow('fetch tail 1 MiB, 4 clients', 1.2, 4, 'tail'),
  fetchRow('fetch cold 1 MiB, 4 clients', 0.8, 4, 'head'),
  downConversionRow('down-conversion, 1,000 x 100 B', 'plain-batches', 'none', 1_956),
  downConversionRow('down-conversion, 1,000 x 100 B, lz4', 'lz4-batches', 'lz4', 2_000),
  produceRow({ name: 'produce 1,000x1, 1 record', goal: 1, topic: 'crowd', ...shape(1_000, 1, 1, 100) }),
  ...([1, 100] as const).map((records) =>
    produceRow({
      name: `same load: produce 8x5, ${records} x 100 B`,
      goal: 2,
      compares: 'p99 at half load',
      topic: `paced-${records}`,
      ...shape(8, 5, records, 100),
    }),
  ),
  ...zookeeperRows,
];
