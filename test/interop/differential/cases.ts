/** One request of each API key, in a form that every version can carry. */
import { flatten, slicesOf } from '../../../src/base/slices.ts';
import { buildBatch } from '../../../src/kafka/records/builder.ts';
import { ZERO_UUID } from '../../../src/wire/schema.ts';
import { adminCases } from './cases-admin.ts';
import { logDirCases } from './cases-logdirs.ts';
import { quotaCases } from './cases-quotas.ts';
import { transactionCases } from './cases-transactions.ts';
import { txnlogCases } from './cases-txnlog.ts';
import { PARTITION_FIELDS } from './fetch-fields.ts';

export interface World {
  /** Of the topic `diff`, which has one partition and three records of magic 2, and what a group `group` committed. */
  readonly topicId: string;
  /** Of the topic `produced`, which the cases write to. */
  readonly producedId: string;
}

export interface Case {
  readonly apiKey: number;
  readonly name: string;
  readonly request: (version: number, world: World) => object;
  /** Versions that Apache 3.9.1 answers in its own way; why stands beside the case. */
  readonly except?: readonly number[];
  /** The broker answers by closing the connection. */
  readonly closes?: boolean;
}

const NO_ID = ZERO_UUID;

function records(magic: 0 | 1 | 2) {
  const record = { timestamp: magic === 0 ? -1 : 1_700_000_000_000, key: Buffer.from('k'), value: Buffer.from('v') };
  return slicesOf(Buffer.from(flatten(buildBatch({ magic, records: [record] }))));
}

const topicRef = (
  version: number,
  firstWithId: number,
  world: World,
): { topic: string; name: string; topicId: string } => ({
  topic: version >= firstWithId ? '' : 'diff',
  name: version >= firstWithId ? '' : 'diff',
  topicId: version >= firstWithId ? world.topicId : NO_ID,
});

const fetch = (version: number, world: World, fetchOffset: number, partition = 0): object => ({
  maxWaitMs: 0,
  minBytes: 1,
  maxBytes: 1_000_000,
  topics: [
    {
      ...topicRef(version, 13, world),
      partitions: [{ ...PARTITION_FIELDS, partition, fetchOffset, partitionMaxBytes: 1_000_000 }],
    },
  ],
});

const listOffsets = (timestamp: number, version: number): object => ({
  replicaId: -1,
  topics: [
    {
      name: 'diff',
      partitions: [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp, maxNumOffsets: version === 0 ? 5 : 1 }],
    },
  ],
});

export const cases: readonly Case[] = [
  ...transactionCases,
  ...txnlogCases,
  {
    apiKey: 0,
    name: 'a record',
    request: (version, world) => ({
      acks: 1,
      timeoutMs: 10_000,
      topicData: [
        {
          ...topicRef(version, 13, world),
          name: version >= 13 ? '' : 'produced',
          topicId: version >= 13 ? world.producedId : NO_ID,
          partitionData: [{ index: 0, records: records(version >= 3 ? 2 : version === 2 ? 1 : 0) }],
        },
      ],
    }),
  },
  {
    apiKey: 0,
    name: 'a partition that is not there',
    request: (version) => ({
      acks: -1,
      timeoutMs: 10_000,
      topicData: [
        { name: 'missing', topicId: NO_ID, partitionData: [{ index: 7, records: records(version >= 3 ? 2 : 0) }] },
      ],
    }),
  },
  {
    apiKey: 0,
    name: 'acks of nonsense',
    request: (version) => ({
      acks: 5,
      timeoutMs: 1,
      topicData: [
        { name: 'diff', topicId: NO_ID, partitionData: [{ index: 0, records: records(version >= 3 ? 2 : 0) }] },
      ],
    }),
  },
  { apiKey: 1, name: 'from the beginning', request: (version, world) => fetch(version, world, 0) },
  { apiKey: 1, name: 'from the end', request: (version, world) => fetch(version, world, 3) },
  { apiKey: 1, name: 'beyond the end', request: (version, world) => fetch(version, world, 99) },
  { apiKey: 1, name: 'an unknown partition', request: (version, world) => fetch(version, world, 0, 9) },
  { apiKey: 2, name: 'latest', request: (version) => listOffsets(-1, version) },
  { apiKey: 2, name: 'earliest', request: (version) => listOffsets(-2, version) },
  { apiKey: 2, name: 'by timestamp', request: (version) => listOffsets(1_700_000_000_001, version), except: [0] },
  {
    apiKey: 2,
    name: 'an unknown topic',
    request: () => ({
      replicaId: -1,
      topics: [
        {
          name: 'missing',
          partitions: [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: -1, maxNumOffsets: 1 }],
        },
      ],
    }),
  },
  {
    apiKey: 3,
    name: 'one topic',
    request: (version, world) => ({
      allowAutoTopicCreation: version < 4,
      topics: [{ name: 'diff', topicId: NO_ID }],
      ...(world.topicId === '' ? {} : {}),
    }),
  },
  { apiKey: 3, name: 'an illegal name', request: () => ({ topics: [{ name: 'bad name', topicId: NO_ID }] }) },
  {
    apiKey: 3,
    name: 'a name that may not come to be',
    request: (version) => ({
      allowAutoTopicCreation: version < 4,
      topics: version < 4 ? [] : [{ name: 'missing', topicId: NO_ID }],
    }),
    except: [0],
  },
  {
    apiKey: 4,
    name: 'from a controller of the past',
    request: () => ({ controllerId: 9, controllerEpoch: 0, brokerEpoch: -1 }),
  },
  {
    apiKey: 5,
    name: 'from a controller of the past',
    request: () => ({ controllerId: 9, controllerEpoch: 0, brokerEpoch: -1 }),
  },
  {
    apiKey: 6,
    name: 'from a controller of the past',
    request: () => ({ controllerId: 9, controllerEpoch: 0, brokerEpoch: -1 }),
  },
  { apiKey: 7, name: 'of a broker that is not there', request: () => ({ brokerId: 99, brokerEpoch: -1 }) },
  {
    apiKey: 7,
    name: 'of a broker that is not there, with an epoch',
    request: (version) => ({ brokerId: 99, brokerEpoch: version < 2 ? -1 : 5 }),
  },
  {
    apiKey: 8,
    name: 'a commit of a simple consumer',
    request: (version, world) => ({
      groupId: 'group',
      topics: [
        {
          ...topicRef(version, 10, world),
          partitions: [
            {
              partitionIndex: 0,
              committedOffset: 2,
              committedLeaderEpoch: -1,
              commitTimestamp: -1,
              committedMetadata: 'note',
            },
          ],
        },
      ],
    }),
  },
  {
    apiKey: 8,
    name: 'a commit that names partitions and a topic twice',
    request: (version, world) => ({
      groupId: 'twice',
      topics: [
        [0, 0, 99, 99],
        [1, 0],
      ].map((partitions) => ({
        ...topicRef(version, 10, world),
        partitions: partitions.map((partitionIndex, committedOffset) => ({
          partitionIndex,
          committedOffset,
          committedLeaderEpoch: -1,
          commitTimestamp: -1,
          committedMetadata: '',
        })),
      })),
    }),
  },
  {
    apiKey: 8,
    name: 'a commit of a stranger',
    request: (version) => ({
      groupId: 'group',
      generationIdOrMemberEpoch: version === 0 ? -1 : 4,
      memberId: version === 0 ? '' : 'nobody',
      topics: [
        {
          name: version >= 10 ? '' : 'diff',
          topicId: NO_ID,
          partitions: [
            {
              partitionIndex: 0,
              committedOffset: 2,
              committedLeaderEpoch: -1,
              commitTimestamp: -1,
              committedMetadata: '',
            },
          ],
        },
      ],
    }),
    except: [0],
  },
  {
    apiKey: 9,
    name: 'a commit and none',
    request: (version, world) =>
      version >= 8
        ? {
            groups: [
              {
                groupId: 'group',
                memberId: null,
                memberEpoch: -1,
                topics: [{ ...topicRef(version, 10, world), partitionIndexes: [0, 1] }],
              },
            ],
          }
        : { groupId: 'group', topics: [{ name: 'diff', partitionIndexes: [0, 1] }] },
  },
  {
    apiKey: 10,
    name: 'of a group',
    request: (version) => (version >= 4 ? { keyType: 0, coordinatorKeys: ['group'] } : { key: 'group', keyType: 0 }),
  },
  {
    apiKey: 11,
    name: 'with an impossible session timeout',
    request: (version) => ({
      groupId: 'join',
      sessionTimeoutMs: 1,
      rebalanceTimeoutMs: version === 0 ? -1 : 1000,
      memberId: '',
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.from('m') }],
    }),
  },
  {
    apiKey: 11,
    name: 'as an unknown member',
    request: (version) => ({
      groupId: 'join',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: version === 0 ? -1 : 1000,
      memberId: 'nobody',
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.from('m') }],
    }),
  },
  {
    apiKey: 11,
    name: 'without a group id',
    request: () => ({
      groupId: '',
      sessionTimeoutMs: 10_000,
      memberId: '',
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.from('m') }],
    }),
  },
  { apiKey: 12, name: 'of a stranger', request: () => ({ groupId: 'group', generationId: 1, memberId: 'nobody' }) },
  {
    apiKey: 13,
    name: 'of a stranger',
    request: (version) => ({
      groupId: 'group',
      ...(version >= 3
        ? { members: [{ memberId: 'nobody', groupInstanceId: null, reason: null }] }
        : { memberId: 'nobody' }),
    }),
  },
  {
    apiKey: 14,
    name: 'of a stranger',
    request: () => ({ groupId: 'group', generationId: 1, memberId: 'nobody', assignments: [] }),
  },
  { apiKey: 15, name: 'a group and a stranger', request: () => ({ groups: ['group', 'unheard-of'] }) },
  { apiKey: 16, name: 'all', request: () => ({}) },
  {
    apiKey: 19,
    name: 'only validated',
    request: (version) => ({
      validateOnly: version >= 1,
      topics: [
        {
          name: version >= 1 ? 'validated' : 'bad name',
          numPartitions: 2,
          replicationFactor: 1,
          assignments: [],
          configs: [{ name: 'retention.ms', value: '1000' }],
        },
      ],
      timeoutMs: 5000,
    }),
  },
  {
    apiKey: 19,
    name: 'refused for four reasons',
    request: () => ({
      timeoutMs: 5000,
      topics: [
        { name: 'diff', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] },
        { name: 'wide', numPartitions: 1, replicationFactor: 3, assignments: [], configs: [] },
        { name: 'bad name', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] },
        {
          name: 'odd',
          numPartitions: 1,
          replicationFactor: 1,
          assignments: [],
          configs: [{ name: 'no.such.key', value: '1' }],
        },
      ],
    }),
  },
  {
    apiKey: 20,
    name: 'an unknown topic',
    request: (version) =>
      version >= 6
        ? { topics: [{ name: 'missing', topicId: NO_ID }], timeoutMs: 1000 }
        : { topicNames: ['missing'], timeoutMs: 1000 },
  },
  {
    apiKey: 22,
    name: 'for an idempotent producer',
    request: (version) => ({
      transactionalId: null,
      transactionTimeoutMs: 60_000,
      ...(version >= 3 ? { producerId: -1, producerEpoch: -1 } : {}),
    }),
  },
  {
    apiKey: 32,
    name: 'of a topic',
    request: (version) => ({
      includeSynonyms: version >= 1,
      includeDocumentation: false,
      resources: [{ resourceType: 2, resourceName: 'diff', configurationKeys: null }],
    }),
  },
  {
    apiKey: 32,
    name: 'of what is not there',
    request: () => ({
      resources: [
        { resourceType: 2, resourceName: 'missing', configurationKeys: null },
        { resourceType: 4, resourceName: '77', configurationKeys: null },
      ],
    }),
  },
  {
    apiKey: 33,
    name: 'only validated',
    request: () => ({
      validateOnly: true,
      resources: [
        { resourceType: 2, resourceName: 'diff', configs: [{ name: 'retention.ms', value: '5' }] },
        { resourceType: 2, resourceName: 'missing', configs: [] },
        { resourceType: 2, resourceName: 'diff2', configs: [{ name: 'retention.ms', value: 'x' }] },
      ],
    }),
  },
  {
    apiKey: 37,
    name: 'refused',
    request: () => ({
      validateOnly: true,
      timeoutMs: 1000,
      topics: [
        { name: 'diff', count: 1, assignments: null },
        { name: 'missing', count: 5, assignments: null },
        { name: 'diff2', count: 0, assignments: null },
      ],
    }),
  },
  { apiKey: 42, name: 'what is not there', request: () => ({ groupsNames: ['unheard-of'] }) },
  {
    apiKey: 44,
    name: 'only validated',
    request: () => ({
      validateOnly: true,
      resources: [
        {
          resourceType: 2,
          resourceName: 'diff',
          configs: [
            { name: 'retention.ms', configOperation: 0, value: '5' },
            { name: 'cleanup.policy', configOperation: 2, value: 'compact' },
          ],
        },
        {
          resourceType: 2,
          resourceName: 'diff2',
          configs: [{ name: 'segment.bytes', configOperation: 2, value: '5' }],
        },
      ],
    }),
  },
  {
    apiKey: 47,
    name: 'of an unknown group',
    request: () => ({ groupId: 'unheard-of', topics: [{ name: 'diff', partitions: [{ partitionIndex: 0 }] }] }),
  },
  ...quotaCases,
  { apiKey: 60, name: 'the cluster', request: () => ({}) },
  ...logDirCases,
  ...adminCases,
];
