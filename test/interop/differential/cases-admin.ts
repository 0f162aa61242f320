/** Requests of administrators, and of whoever creates, grows and deletes topics: what they are refused, and what changes nothing. */
import { ZERO_UUID } from '../../../src/wire/schema.ts';
import type { Case } from './cases.ts';

const NO_ID = ZERO_UUID;
const UNKNOWN_ID = 'AAAAAAAAAAAAAAAAAAAAZg';

const topic = (name: string, fields: object = {}): object => ({
  name,
  numPartitions: 1,
  replicationFactor: 1,
  assignments: [],
  configs: [],
  ...fields,
});

const byHand = (name: string, replicas: readonly (readonly number[])[], fields: object = {}): object =>
  topic(name, {
    numPartitions: -1,
    replicationFactor: -1,
    assignments: replicas.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds })),
    ...fields,
  });

const partitionsByHand = (name: string, partitions: readonly number[]): object =>
  topic(name, {
    numPartitions: -1,
    replicationFactor: -1,
    assignments: partitions.map((partitionIndex) => ({ partitionIndex, brokerIds: [0] })),
  });

const withConfig = (name: string, configs: Readonly<Record<string, string | null>>): object =>
  topic(name, { configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })) });

/** Before v1 topics could not be validated only. */
const validated = (name: string, ...topics: readonly object[]): Case => ({
  apiKey: 19,
  name,
  request: (version) => ({ validateOnly: version >= 1, timeoutMs: 10_000, topics: version >= 1 ? topics : [] }),
});

const grown = (name: string, ...topics: readonly object[]): Case => ({
  apiKey: 37,
  name,
  request: () => ({ validateOnly: true, timeoutMs: 10_000, topics }),
});

const growth = (name: string, count: number, replicas: readonly (readonly number[])[] | null = null): object => ({
  name,
  count,
  assignments: replicas?.map((brokerIds) => ({ brokerIds })) ?? null,
});

const topicCases: readonly Case[] = [
  validated(
    'by hand',
    byHand('unknown-broker', [[7], [0]]),
    byHand('uneven', [[0], [0, 1]]),
    byHand('duplicate', [
      [0, 1],
      [1, 1],
    ]),
    partitionsByHand('gap', [0, 2]),
    partitionsByHand('named-twice', [0, 0]),
    byHand('both', [[0]], { numPartitions: 1 }),
    byHand('both-too', [[0]], { replicationFactor: 1 }),
  ),
  validated(
    'with impossible counts, or names besides',
    topic('no-partition', { numPartitions: 0 }),
    topic('no-replica', { replicationFactor: 0 }),
    topic('negative', { numPartitions: -2 }),
    topic('negative-too', { replicationFactor: -2 }),
    topic('too-many', { replicationFactor: 2 }),
    topic('defaults', { numPartitions: -1, replicationFactor: -1 }),
    topic('bad name', { numPartitions: 0 }),
    withConfig('bad name too', { x: null }),
  ),
  validated('twice in a request', topic('twice'), topic('twice'), topic('once')),
  validated(
    'with names that may not be, and internal ones',
    ...['', '.', '..', 'a'.repeat(250), 'ü', '__cluster_metadata', '__transaction_state'].map((name) => topic(name)),
  ),
  validated(
    'with configurations that may not be',
    withConfig('c1', { 'retention.ms': null, other: null }),
    withConfig('c2', { 'retention.ms': 'abc' }),
    withConfig('c3', { nope: '1' }),
    withConfig('c4', { 'min.insync.replicas': '0' }),
    withConfig('c5', { 'cleanup.policy': 'x' }),
    withConfig('c6', { 'min.compaction.lag.ms': '10', 'max.compaction.lag.ms': '5' }),
    withConfig('c7', { 'remote.storage.enable': 'true' }),
    withConfig('c8', { 'compression.gzip.level': '99' }),
    withConfig('c9', { 'segment.bytes': '1' }),
  ),
  grown('by one, by none and by less', growth('diff', 2), growth('diff2', 0)),
  grown('to what it has', growth('diff', 1), growth('diff2', -1)),
  grown('a topic that is not there', growth('missing', 3)),
  grown('twice in a request', growth('diff', 2), growth('diff', 3), growth('diff2', 2)),
  grown('by hand', growth('diff', 3, [[0], [0]]), growth('diff2', 2, [[0, 0]])),
  grown('to unknown brokers', growth('diff', 3, [[0], [7]]), growth('diff2', 3, [[7], [8], [9]])),
  grown('by too few, or without replicas', growth('diff', 3, [[0]]), growth('diff2', 3, [[0], []])),
  {
    apiKey: 20,
    name: 'by an unknown id, by nothing, and twice',
    request: (version) =>
      version >= 6
        ? {
            topics: [
              { name: null, topicId: UNKNOWN_ID },
              { name: null, topicId: NO_ID },
              { name: 'missing', topicId: NO_ID },
              { name: 'missing', topicId: NO_ID },
            ],
            timeoutMs: 1000,
          }
        : { topicNames: ['missing', 'missing', 'bad name', ''], timeoutMs: 1000 },
  },
  {
    apiKey: 20,
    name: 'by a name and an id at once',
    request: (version) => ({
      ...(version >= 6 ? { topics: [{ name: 'diff', topicId: UNKNOWN_ID }] } : { topicNames: [] }),
      timeoutMs: 1000,
    }),
  },
  {
    apiKey: 3,
    name: 'names twice, unknown and illegal',
    request: (version) => ({
      allowAutoTopicCreation: version < 4,
      topics: ['diff', 'diff', ...(version < 4 ? [] : ['missing']), '.', '__cluster_metadata '].map((name) => ({
        name,
        topicId: NO_ID,
      })),
    }),
  },
  {
    apiKey: 3,
    name: 'an unknown id, beside a name',
    request: (version) => ({
      allowAutoTopicCreation: version < 4,
      topics:
        version >= 10
          ? [
              { name: 'diff', topicId: NO_ID },
              { name: null, topicId: UNKNOWN_ID },
            ]
          : [{ name: 'diff', topicId: NO_ID }],
    }),
  },
  {
    apiKey: 3,
    name: 'neither name nor id',
    request: (version) => ({
      allowAutoTopicCreation: version < 4,
      topics: version >= 10 ? [{ name: null, topicId: NO_ID }] : [{ name: 'diff', topicId: NO_ID }],
    }),
  },
  {
    apiKey: 3,
    name: 'with what may be done',
    request: (version) => ({
      allowAutoTopicCreation: version < 4,
      topics: [{ name: 'diff', topicId: NO_ID }],
      ...(version >= 8 ? { includeTopicAuthorizedOperations: true } : {}),
      ...(version >= 8 && version <= 10 ? { includeClusterAuthorizedOperations: true } : {}),
    }),
  },
  ...[1, 2, 0, 7].map(
    (endpointType): Case => ({
      apiKey: 60,
      name: `endpoints of type ${endpointType}`,
      request: (version) => ({
        includeClusterAuthorizedOperations: true,
        ...(version >= 1 ? { endpointType } : {}),
      }),
    }),
  ),
];

const aclFilter = {
  resourceTypeFilter: 1,
  resourceNameFilter: null,
  patternTypeFilter: 3,
  principalFilter: null,
  hostFilter: null,
  operation: 1,
  permissionType: 1,
};

const aclCreation = {
  resourceType: 2,
  resourceName: 'diff',
  resourcePatternType: 3,
  principal: 'User:ann',
  host: '*',
  operation: 3,
  permissionType: 3,
};

const withoutSecurity: readonly Case[] = [
  { apiKey: 17, name: 'on a listener without SASL', request: () => ({ mechanism: 'PLAIN' }) },
  { apiKey: 36, name: 'on a listener without SASL', request: () => ({ authBytes: Buffer.from('a') }) },
  { apiKey: 29, name: 'without an authorizer', request: () => aclFilter },
  { apiKey: 30, name: 'without an authorizer', request: () => ({ creations: [aclCreation, aclCreation] }) },
  { apiKey: 30, name: 'of nothing', request: () => ({ creations: [] }) },
  { apiKey: 31, name: 'without an authorizer', request: () => ({ filters: [aclFilter, aclFilter] }) },
  {
    apiKey: 38,
    name: 'without authentication',
    request: (version) => ({
      ...(version >= 3 ? { ownerPrincipalType: null, ownerPrincipalName: null } : {}),
      renewers: [],
      maxLifetimeMs: 1000,
    }),
  },
  {
    apiKey: 38,
    name: 'for somebody else',
    request: (version) => ({
      ...(version >= 3 ? { ownerPrincipalType: 'User', ownerPrincipalName: 'ann' } : {}),
      renewers: [{ principalType: 'User', principalName: 'bob' }],
      maxLifetimeMs: 1000,
    }),
  },
  { apiKey: 39, name: 'without authentication', request: () => ({ hmac: Buffer.from('a'), renewPeriodMs: 1 }) },
  { apiKey: 40, name: 'without authentication', request: () => ({ hmac: Buffer.from('a'), expiryTimePeriodMs: 1 }) },
  { apiKey: 41, name: 'without authentication', request: () => ({ owners: null }) },
];

const deletions = (...asked: readonly (readonly [string, number, number])[]): object => ({
  timeoutMs: 30_000,
  topics: asked.map(([name, partitionIndex, offset]) => ({ name, partitions: [{ partitionIndex, offset }] })),
});

const epochs = (...asked: readonly (readonly [string, number, number, number])[]): object => ({
  replicaId: -1,
  topics: asked.map(([name, partition, currentLeaderEpoch, leaderEpoch]) => ({
    topic: name,
    partitions: [{ partition, currentLeaderEpoch, leaderEpoch }],
  })),
});

const elections = (electionType: number, ...asked: readonly (readonly [string, readonly number[]])[]): object => ({
  electionType,
  topicPartitions: asked.map(([name, partitions]) => ({ topic: name, partitions })),
  timeoutMs: 30_000,
});

const moves = (...asked: readonly (readonly [string, number, readonly number[] | null])[]): object => ({
  timeoutMs: 30_000,
  topics: asked.map(([name, partitionIndex, replicas]) => ({ name, partitions: [{ partitionIndex, replicas }] })),
});

const partitionCases: readonly Case[] = [
  {
    apiKey: 21,
    name: 'of nothing, beyond the end, of what is not there and of an internal topic',
    request: () => deletions(['diff2', 0, 0], ['missing', 0, 1], ['diff2', 9, 1], ['__consumer_offsets', 0, 0]),
  },
  { apiKey: 21, name: 'beyond the end', request: () => deletions(['diff2', 0, 5]) },
  { apiKey: 21, name: 'below nothing', request: () => deletions(['diff2', 0, -2]) },
  {
    apiKey: 23,
    name: 'known, unknown and none',
    request: () => epochs(['diff', 0, -1, 0], ['diff', 0, -1, 1], ['diff', 0, -1, -1], ['diff', 9, -1, 0]),
  },
  { apiKey: 23, name: 'of a leader of the future', request: () => epochs(['diff', 0, 7, 0], ['missing', 0, -1, 0]) },
  { apiKey: 23, name: 'of a replica', request: () => ({ ...epochs(['diff', 0, 0, 0]), replicaId: 5 }) },
  { apiKey: 43, name: 'of preferred leaders', request: () => elections(0, ['diff', [0, 0, 7]], ['missing', [0]]) },
  {
    apiKey: 43,
    name: 'unclean, of an unknown kind',
    request: (version) => elections(version >= 1 ? 1 : 0, ['diff', [0]], ['missing', [0]]),
  },
  {
    apiKey: 43,
    name: 'of an unknown kind',
    request: (version) => elections(version >= 1 ? 5 : 0, ['diff', [0]]),
  },
  { apiKey: 43, name: 'of all', request: () => ({ electionType: 0, topicPartitions: null, timeoutMs: 30_000 }) },
  {
    apiKey: 45,
    name: 'refused for seven reasons',
    request: () =>
      moves(
        ['diff', 0, []],
        ['diff2', 0, [0, 0]],
        ['produced', 0, [-1]],
        ['diff', 1, [0, 7]],
        ['diff', 2, [7, 8]],
        ['diff', 3, [0]],
        ['missing', 0, [0]],
      ),
  },
  { apiKey: 45, name: 'cancelled without one', request: () => moves(['diff', 0, null], ['missing', 0, null]) },
  { apiKey: 45, name: 'of nothing', request: () => moves() },
  { apiKey: 46, name: 'all', request: () => ({ timeoutMs: 1000, topics: null }) },
  {
    apiKey: 46,
    name: 'of partitions that stay',
    request: () => ({
      timeoutMs: 1000,
      topics: [
        { name: 'diff', partitionIndexes: [0, 9] },
        { name: 'missing', partitionIndexes: [0] },
      ],
    }),
  },
  {
    apiKey: 56,
    name: 'from a broker of the past',
    request: () => ({ brokerId: 0, brokerEpoch: 1, topics: [] }),
  },
  { apiKey: 56, name: 'from an unknown broker', request: () => ({ brokerId: 9, brokerEpoch: -1, topics: [] }) },
];

const feature = (name: string, maxVersionLevel: number, version: number, upgradeType: number): object => ({
  feature: name,
  maxVersionLevel,
  ...(version === 0 ? { allowDowngrade: upgradeType > 1 } : { upgradeType }),
});

/** Two of those that have no configuration: one that nobody knows, one that KRaft alone has. */
const oddResources: readonly Case[] = [3, 16].flatMap((resourceType): Case[] => {
  const name = `of a resource of type ${resourceType}`;
  const resource = { resourceType, resourceName: 'x' };
  const change = { name: 'a', configOperation: 0, value: 'b' };
  return [
    { apiKey: 32, name, request: () => ({ resources: [{ ...resource, configurationKeys: null }] }) },
    { apiKey: 33, name, request: () => ({ validateOnly: true, resources: [{ ...resource, configs: [change] }] }) },
    { apiKey: 44, name, request: () => ({ validateOnly: true, resources: [{ ...resource, configs: [change] }] }) },
  ];
});

const clusterCases: readonly Case[] = [
  ...oddResources,
  {
    apiKey: 50,
    name: 'of nobody, twice and without a name',
    request: () => ({ users: ['nobody', 'twice', 'twice', ''].map((name) => ({ name })) }),
  },
  { apiKey: 50, name: 'of all', request: () => ({ users: null }) },
  {
    apiKey: 51,
    name: 'refused for six reasons',
    request: () => {
      const salted = { salt: Buffer.from('salt'), saltedPassword: Buffer.alloc(32, 1) };
      const upsertion = (name: string, iterations = 4096, mechanism = 1): object => ({
        name,
        mechanism,
        iterations,
        ...salted,
      });
      return {
        deletions: [{ name: 'nobody', mechanism: 1 }],
        upsertions: [
          upsertion(''),
          upsertion('few', 4095),
          upsertion('many', 16_385),
          upsertion('odd', 4096, 7),
          upsertion('twice'),
          upsertion('twice'),
        ],
      };
    },
  },
  {
    apiKey: 57,
    name: 'refused for five reasons',
    request: (version) => ({
      featureUpdates: [
        feature('metadata.version', 7, version, 1),
        feature('', 7, version, 1),
        feature('not-deleted', 0, version, 1),
        feature('deleted', 0, version, 2),
        feature('odd', 1, version, version === 0 ? 1 : 9),
      ],
    }),
  },
  { apiKey: 57, name: 'of nothing', request: () => ({ featureUpdates: [] }) },
  {
    apiKey: 58,
    name: 'without forwarding',
    request: () => ({
      requestData: Buffer.from('a'),
      requestPrincipal: null,
      clientHostAddress: Buffer.from([127, 0, 0, 1]),
    }),
    closes: true,
  },
  { apiKey: 67, name: 'for an unknown broker', request: () => ({ brokerId: 99, brokerEpoch: 1 }) },
  { apiKey: 67, name: 'for a broker of the past', request: () => ({ brokerId: 0, brokerEpoch: 1 }) },
  { apiKey: 71, name: 'of a new client', request: () => ({ clientInstanceId: NO_ID }) },
  {
    apiKey: 72,
    name: 'without a subscription',
    request: () => ({ clientInstanceId: UNKNOWN_ID, subscriptionId: 0, metrics: Buffer.from('') }),
  },
  { apiKey: 74, name: 'all', request: () => ({}) },
  { apiKey: 75, name: 'a topic', request: () => ({ topics: [{ name: 'diff' }], responsePartitionLimit: 10 }) },
];

export const adminCases: readonly Case[] = [...topicCases, ...withoutSecurity, ...partitionCases, ...clusterCases];
