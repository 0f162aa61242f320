/** What the benchmark asks of a broker, ours or Apache's, beside load. */
import { noSlices, type Slices } from '../../src/base/slices.ts';
import { FetchRequest, FetchResponse } from '../../src/kafka/protocol/messages/01-fetch.ts';
import { ListOffsetsRequest, ListOffsetsResponse } from '../../src/kafka/protocol/messages/02-list-offsets.ts';
import { MetadataRequest, MetadataResponse } from '../../src/kafka/protocol/messages/03-metadata.ts';
import {
  FindCoordinatorRequest,
  FindCoordinatorResponse,
} from '../../src/kafka/protocol/messages/10-find-coordinator.ts';
import { CreateTopicsRequest, CreateTopicsResponse } from '../../src/kafka/protocol/messages/19-create-topics.ts';
import { DeleteTopicsRequest, DeleteTopicsResponse } from '../../src/kafka/protocol/messages/20-delete-topics.ts';
import {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../src/kafka/protocol/messages/44-incremental-alter-configs.ts';
import { PeerError, until } from '../../test/interop/peers/process.ts';
import { ask, exchange, type ProduceShape, produceFrame } from './kafka-frames.ts';

const TOPIC_ALREADY_EXISTS = 36;
/** What a fresh broker answers until it is elected and knows itself alive: NOT_CONTROLLER, INVALID_REPLICATION_FACTOR. */
const NOT_YET: readonly number[] = [41, 38];

/** The topic is there and every partition has a leader. */
export async function createTopic(
  port: number,
  name: string,
  partitions = 1,
  config: Readonly<Record<string, string>> = {},
): Promise<void> {
  const configs = Object.entries(config).map(([key, value]) => ({ name: key, value }));
  const topic = { name, numPartitions: partitions, replicationFactor: 1, assignments: [], configs };
  await until(`controller to create ${name}`, async () => {
    const { topics } = await ask(port, [CreateTopicsRequest, CreateTopicsResponse], 4, { topics: [topic] });
    const code = topics[0]?.errorCode ?? -1;
    if (NOT_YET.includes(code)) return undefined;
    if (code !== 0 && code !== TOPIC_ALREADY_EXISTS) throw new PeerError(`CreateTopics of ${name}: error ${code}`);
    return true;
  });
  await until(`leaders of ${name}`, async () => ((await leadersOf(port, name)) === partitions ? true : undefined));
}

/** Many at once, as nobody would wait for each; resolves when the last partition has a leader. */
export async function createTopics(port: number, names: readonly string[], partitions: number): Promise<void> {
  const [one, ...others] = names;
  if (one === undefined) return;
  await createTopic(port, one, partitions);
  for (let first = 0; first < others.length; first += TOPICS_AT_ONCE) {
    const some = others.slice(first, first + TOPICS_AT_ONCE);
    const topics = some.map((name) => ({
      name,
      numPartitions: partitions,
      replicationFactor: 1,
      assignments: [],
      configs: [],
    }));
    const answer = await ask(port, [CreateTopicsRequest, CreateTopicsResponse], 4, { topics, timeoutMs: 60_000 });
    const refused = answer.topics.find(({ errorCode }) => errorCode !== 0);
    if (refused !== undefined) throw new PeerError(`CreateTopics of ${refused.name}: error ${refused.errorCode}`);
  }
  for (const name of names) {
    await until(`leaders of ${name}`, async () => ((await leadersOf(port, name)) === partitions ? true : undefined));
  }
}

const TOPICS_AT_ONCE = 50;

/** How many partitions of a topic have a leader; 0 also while there is no controller. */
export async function leadersOf(port: number, name: string): Promise<number> {
  const answer = await ask(port, [MetadataRequest, MetadataResponse], 4, {
    topics: [{ topicId: 'AAAAAAAAAAAAAAAAAAAAAA', name }],
    allowAutoTopicCreation: false,
  });
  if (answer.controllerId < 0 || answer.brokers.length === 0) return 0;
  const [topic] = answer.topics;
  if (topic === undefined || topic.errorCode !== 0) return 0;
  return topic.partitions.filter(({ errorCode, leaderId }) => errorCode === 0 && leaderId >= 0).length;
}

const TOPIC = 2;
const SET = 0;

export async function setTopicConfig(port: number, name: string, key: string, value: string): Promise<void> {
  const configs = [{ name: key, configOperation: SET, value }];
  const { responses } = await ask(port, [IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse], 1, {
    resources: [{ resourceType: TOPIC, resourceName: name, configs }],
    validateOnly: false,
  });
  const code = responses[0]?.errorCode ?? -1;
  if (code !== 0) throw new PeerError(`IncrementalAlterConfigs of ${name}: error ${code}`);
}

export async function deleteTopic(port: number, name: string): Promise<void> {
  await ask(port, [DeleteTopicsRequest, DeleteTopicsResponse], 3, { topicNames: [name], timeoutMs: 30_000 });
}

/** Asking for a group's coordinator creates `__consumer_offsets`. */
export async function createOffsetsTopic(port: number): Promise<void> {
  await until('group coordinator', async () => {
    const answer = await ask(port, [FindCoordinatorRequest, FindCoordinatorResponse], 2, { key: 'bench', keyType: 0 });
    return answer.errorCode === 0 ? true : undefined;
  });
}

export async function endOffset(port: number, topic: string): Promise<number> {
  const partitions = [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: -1, maxNumOffsets: 1 }];
  const { topics } = await ask(port, [ListOffsetsRequest, ListOffsetsResponse], 4, {
    replicaId: -1,
    topics: [{ name: topic, partitions }],
  });
  return topics[0]?.partitions[0]?.offset ?? -1;
}

const largeBatches: BatchShape = { recordsPerPartition: 900, valueBytes: 1_000 };
type BatchShape = Omit<ProduceShape, 'topic' | 'partitions'>;

/** Appends batches, by default of 900 records of 1,000 bytes, until that many bytes were sent to the topic. */
export async function fillTopic(port: number, topic: string, bytes: number, batch = largeBatches): Promise<void> {
  await createTopic(port, topic);
  const frame = produceFrame({ topic, partitions: [0], ...batch });
  for (let sent = 0; sent < bytes; sent += frame.length) await exchange(port, frame);
}

/** Bytes of records that one fetch answers; proves that a fetch row reads what it says. */
export async function fetchedBytes(
  port: number,
  topic: string,
  fetchOffset: number,
  maxBytes: number,
): Promise<number> {
  return (await fetchedRecords(port, topic, fetchOffset, maxBytes, 4)).size;
}

/** @param version below 4 the broker has to convert what it stores */
export async function fetchedRecords(
  port: number,
  topic: string,
  fetchOffset: number,
  maxBytes: number,
  version: number,
): Promise<Slices> {
  const { responses } = await ask(port, [FetchRequest, FetchResponse], version, {
    replicaId: -1,
    maxWaitMs: 500,
    minBytes: 1,
    maxBytes,
    topics: [
      {
        topic,
        topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
        partitions: [
          {
            partition: 0,
            currentLeaderEpoch: -1,
            fetchOffset,
            lastFetchedEpoch: -1,
            logStartOffset: -1,
            partitionMaxBytes: maxBytes,
            replicaDirectoryId: 'AAAAAAAAAAAAAAAAAAAAAA',
            highWatermark: Infinity,
          },
        ],
      },
    ],
  });
  return responses[0]?.partitions[0]?.records ?? noSlices;
}
