/** Requests in versions that Apache 3.9.1 does not serve, for Apache's broker 4.4.0: each of them alone, apart from any life of a group. */
import { slicesOf } from '../../../src/base/slices.ts';
import { buildBatch } from '../../../src/kafka/records/builder.ts';
import { ZERO_UUID } from '../../../src/wire/schema.ts';
import { PARTITION_FIELDS } from './fetch-fields.ts';

export interface NewestWorld {
  /** Of the topic `t`, which has four partitions. */
  readonly topicId: string;
}

export interface NewestCase {
  readonly apiKey: number;
  readonly name: string;
  readonly versions: readonly number[];
  readonly request: (version: number, world: NewestWorld) => object;
}

const UNKNOWN_ID = 'AAAAAAAAAAAAAAAAAAAAMQ';

function batch(...values: string[]) {
  const records = values.map((value, index) => ({ timestamp: 1_700_000_000_000 + index, value: Buffer.from(value) }));
  return slicesOf(...buildBatch({ records }).chunks);
}

const produce = (topic: { name?: string; topicId?: string }, index: number, acks = -1): object => ({
  acks,
  timeoutMs: 10_000,
  topicData: [{ name: '', topicId: ZERO_UUID, ...topic, partitionData: [{ index, records: batch('one', 'two') }] }],
});

const fetch = (topicId: string, partition: number, fetchOffset: number, more: object = {}): object => ({
  maxWaitMs: 0,
  minBytes: 1,
  maxBytes: 1_000_000,
  topics: [
    {
      topic: '',
      topicId,
      partitions: [{ ...PARTITION_FIELDS, partition, fetchOffset, partitionMaxBytes: 1_000_000, ...more }],
    },
  ],
});

const listOffsets = (...timestamps: number[]): object => ({
  replicaId: -1,
  timeoutMs: 5_000,
  topics: [
    {
      name: 't',
      partitions: timestamps.map((timestamp, index) => ({
        partitionIndex: index % 4,
        currentLeaderEpoch: -1,
        timestamp,
        maxNumOffsets: 1,
      })),
    },
  ],
});

const updateFeatures = (...updates: readonly (readonly [string, number, number?])[]): object => ({
  featureUpdates: updates.map(([feature, maxVersionLevel, upgradeType = 1]) => ({
    feature,
    maxVersionLevel,
    upgradeType,
  })),
});

export const newestCases: readonly NewestCase[] = [
  {
    apiKey: 0,
    name: 'records',
    versions: [12, 13],
    request: (version, { topicId }) => produce(version < 13 ? { name: 't' } : { topicId }, 0),
  },
  {
    apiKey: 0,
    name: 'a topic that is not there',
    versions: [12, 13],
    request: (version) => produce(version < 13 ? { name: 'missing' } : { topicId: UNKNOWN_ID }, 0),
  },
  {
    apiKey: 0,
    name: 'a partition that is not there',
    versions: [12, 13],
    request: (version, { topicId }) => produce(version < 13 ? { name: 't' } : { topicId }, 9),
  },
  {
    apiKey: 0,
    name: 'acks of nonsense',
    versions: [12, 13],
    request: (version, { topicId }) => produce(version < 13 ? { name: 't' } : { topicId }, 0, 5),
  },
  { apiKey: 1, name: 'from the beginning', versions: [18], request: (_, { topicId }) => fetch(topicId, 0, 0) },
  {
    apiKey: 1,
    name: 'with a high watermark',
    versions: [18],
    request: (_, { topicId }) => fetch(topicId, 0, 0, { highWatermark: 1 }),
  },
  { apiKey: 1, name: 'beyond the end', versions: [18], request: (_, { topicId }) => fetch(topicId, 0, 99) },
  { apiKey: 1, name: 'a topic that is not there', versions: [18], request: () => fetch(UNKNOWN_ID, 0, 0) },
  { apiKey: 2, name: 'by special timestamps', versions: [10, 11], request: () => listOffsets(-1, -2, -3, -4) },
  { apiKey: 2, name: 'of tiers', versions: [10, 11], request: () => listOffsets(-5, -6, -7, -8) },
  { apiKey: 2, name: 'by time', versions: [10, 11], request: () => listOffsets(1_700_000_000_001, 0, 4e12) },
  {
    apiKey: 3,
    name: 'by id, and by an unknown one',
    versions: [13],
    request: (_, { topicId }) => ({
      topics: [
        { topicId, name: null },
        { topicId: UNKNOWN_ID, name: null },
      ],
      allowAutoTopicCreation: false,
    }),
  },
  {
    apiKey: 26,
    name: 'of an unknown id',
    versions: [5],
    request: () => ({ transactionalId: 'unknown', producerId: 1, producerEpoch: 0, committed: true }),
  },
  { apiKey: 27, name: 'none', versions: [2], request: () => ({ markers: [] }) },
  {
    apiKey: 27,
    name: 'into what is not there',
    versions: [2],
    request: (version) => ({
      markers: [
        {
          producerId: 4_000,
          producerEpoch: 1,
          transactionResult: true,
          topics: [{ name: 'missing', partitionIndexes: [0] }],
          coordinatorEpoch: 0,
          ...(version >= 2 ? { transactionVersion: 2 } : {}),
        },
      ],
    }),
  },
  {
    apiKey: 28,
    name: 'within a transaction that nobody knows',
    versions: [5, 6],
    request: (version, { topicId }) => ({
      transactionalId: 'unknown',
      groupId: 'g',
      producerId: 4_000,
      producerEpoch: 0,
      generationId: -1,
      memberId: '',
      groupInstanceId: null,
      topics: [
        {
          ...(version < 6 ? { name: 't', topicId: ZERO_UUID } : { name: '', topicId }),
          partitions: [{ partitionIndex: 0, committedOffset: 1, committedLeaderEpoch: -1, committedMetadata: '' }],
        },
      ],
    }),
  },
  {
    apiKey: 35,
    name: 'of a topic',
    versions: [5],
    request: () => ({ topics: [{ topic: 't', partitions: [1, 9] }] }),
  },
  { apiKey: 45, name: 'of nothing', versions: [1], request: () => ({ timeoutMs: 5_000, topics: [] }) },
  { apiKey: 57, name: 'of nothing', versions: [2], request: () => ({ featureUpdates: [] }) },
  { apiKey: 57, name: 'to an unknown feature', versions: [2], request: () => updateFeatures(['unknown', 1]) },
  {
    apiKey: 57,
    name: 'only validated',
    versions: [2],
    request: () => ({ ...updateFeatures(['unknown', 1]), validateOnly: true }),
  },
  { apiKey: 57, name: 'to no name', versions: [2], request: () => updateFeatures(['', 1]) },
  { apiKey: 57, name: 'below nothing', versions: [2], request: () => updateFeatures(['unknown', -1]) },
  { apiKey: 57, name: 'back to nothing', versions: [2], request: () => updateFeatures(['unknown', 0, 2]) },
  { apiKey: 57, name: 'back to more', versions: [2], request: () => updateFeatures(['unknown', 2, 3]) },
  { apiKey: 57, name: 'of an unknown type', versions: [2], request: () => updateFeatures(['unknown', 1, 0]) },
  {
    apiKey: 57,
    name: 'of many unknown features',
    versions: [2],
    request: () =>
      updateFeatures(...Array.from({ length: 13 }, (_, index) => [`f${9 - index}.version`, index] as const)),
  },
  {
    apiKey: 57,
    name: 'of a feature twice',
    versions: [2],
    request: () => updateFeatures(['unknown', -1], ['unknown', 3]),
  },
  {
    apiKey: 60,
    name: 'the cluster',
    versions: [2],
    request: () => ({ includeClusterAuthorizedOperations: true, endpointType: 1, includeFencedBrokers: true }),
  },
  {
    apiKey: 66,
    name: 'by patterns',
    versions: [2],
    request: () => ({ stateFilters: [], producerIdFilters: [], durationFilter: -1, transactionalIdPattern: 'no.*' }),
  },
  {
    apiKey: 66,
    name: 'by a pattern that is none',
    versions: [2],
    request: () => ({ stateFilters: [], producerIdFilters: [], durationFilter: -1, transactionalIdPattern: '(' }),
  },
  {
    apiKey: 74,
    name: 'of client metrics, and of topics',
    versions: [0, 1],
    request: (version) => (version === 0 ? {} : { resourceTypes: [2] }),
  },
  {
    apiKey: 75,
    name: 'of topics that are there, and one that is not',
    versions: [0],
    request: () => ({
      topics: [{ name: 'u' }, { name: 't' }, { name: 'missing' }],
      responsePartitionLimit: 3,
      cursor: null,
    }),
  },
  {
    apiKey: 75,
    name: 'from a place on',
    versions: [0],
    request: () => ({
      topics: [{ name: 't' }, { name: 'u' }],
      responsePartitionLimit: 2,
      cursor: { topicName: 't', partitionIndex: 1 },
    }),
  },
  {
    apiKey: 75,
    name: 'from a place that is not there',
    versions: [0],
    request: () => ({
      topics: [{ name: 't' }],
      responsePartitionLimit: 2000,
      cursor: { topicName: 'u', partitionIndex: 1 },
    }),
  },
];
