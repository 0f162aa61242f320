/** Requests of a client that has no right at all, then one right after the other. */
import { buildBatch } from '../../../src/kafka/records/builder.ts';
import { AclOperation, AclResource, CLUSTER_NAME } from '../../../src/kafka/security/acl.ts';
import { ZERO_UUID } from '../../../src/wire/schema.ts';

const { read, write, create, describe, alter, describeConfigs, alterConfigs } = AclOperation;
const { clusterAction, idempotentWrite } = AclOperation;

/** What a client is given: an operation on something of a type. */
export interface Right {
  readonly resourceType: number;
  readonly name: string;
  readonly operation: number;
}

export interface AclCase {
  readonly apiKey: number;
  readonly name: string;
  /** Given one after the other; the request is repeated after each. */
  readonly rights: readonly Right[];
  readonly firstVersion?: number;
  readonly lastVersion?: number;
  request(version: number, world: AclWorld): object;
}

export interface AclWorld {
  readonly seenId: string;
  readonly otherId: string;
}

export const SEEN = 'seen';
export const OTHER = 'other';
const ABSENT = 'absent';
export const GROUP = 'group';
export const TRANSACTION = 'transaction';

const on = (resourceType: number, name: string) => (operation: number) => ({ resourceType, name, operation });
const seen = on(AclResource.topic, SEEN);
const absent = on(AclResource.topic, ABSENT);
const group = on(AclResource.group, GROUP);
const transaction = on(AclResource.transactionalId, TRANSACTION);
const cluster = on(AclResource.cluster, CLUSTER_NAME);

const producer = { producerId: 999_999, producerEpoch: 0 };
const names = [SEEN, OTHER, ABSENT];
const timeoutMs = 5000;

function produce(acks: number, transactionalId: string | null = null): object {
  const record = { timestamp: 1_700_000_000_000, key: null, value: Buffer.from('v') };
  const writer = { ...producer, baseSequence: 0, isTransactional: true };
  const records = buildBatch({ records: [record], ...(transactionalId === null ? {} : writer) });
  const topicData = names.map((name) => ({ name, topicId: ZERO_UUID, partitionData: [{ index: 0, records }] }));
  return { acks, timeoutMs, transactionalId, topicData };
}

function fetch(version: number, world: AclWorld, replicaId: number): object {
  const ids = [world.seenId, world.otherId, 'AAAAAAAAAAAAAAAAAAAAZg'];
  const one = { partition: 0, currentLeaderEpoch: -1, fetchOffset: 0, lastFetchedEpoch: -1, logStartOffset: -1 };
  const partitions = [{ ...one, partitionMaxBytes: 1_000_000, replicaDirectoryId: ZERO_UUID, highWatermark: Infinity }];
  const topics = names.map((name, index) => ({
    topic: version < 13 ? name : '',
    topicId: version < 13 ? ZERO_UUID : (ids[index] ?? ZERO_UUID),
    partitions,
  }));
  const replica = version < 15 ? { replicaId } : { replicaState: { replicaId, replicaEpoch: -1 } };
  return { ...replica, maxWaitMs: 0, minBytes: 0, maxBytes: 1_000_000, sessionEpoch: -1, topics };
}

const byName = (all: readonly string[]): object[] => all.map((name) => ({ name, topicId: ZERO_UUID }));

const reading: readonly AclCase[] = [
  { apiKey: 0, name: 'records', rights: [seen(write), absent(write)], firstVersion: 3, request: () => produce(1) },
  {
    apiKey: 0,
    name: 'records of a transaction',
    rights: [transaction(write), seen(write)],
    firstVersion: 3,
    request: () => produce(-1, TRANSACTION),
  },
  { apiKey: 1, name: 'of a consumer', rights: [seen(read), absent(read)], request: (v, world) => fetch(v, world, -1) },
  {
    apiKey: 1,
    name: 'of a follower',
    rights: [seen(read), cluster(clusterAction)],
    request: (v, world) => fetch(v, world, 7),
  },
  {
    apiKey: 2,
    name: 'of three topics',
    rights: [seen(describe), absent(read)],
    request: () => ({
      replicaId: -1,
      topics: names.map((name) => ({
        name,
        partitions: [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: -1, maxNumOffsets: 1 }],
      })),
    }),
  },
  {
    apiKey: 3,
    name: 'by name',
    rights: [seen(describe), absent(write), seen(alter), cluster(describe), cluster(alter)],
    request: (version) => ({
      topics: byName(names),
      allowAutoTopicCreation: version < 4,
      includeClusterAuthorizedOperations: version >= 8 && version <= 10,
      includeTopicAuthorizedOperations: version >= 8,
    }),
    firstVersion: 4,
  },
  {
    apiKey: 3,
    name: 'that would create a topic',
    rights: [absent(describe)],
    request: () => ({ topics: byName([ABSENT, SEEN]), allowAutoTopicCreation: true }),
  },
  {
    apiKey: 3,
    name: 'of all topics',
    rights: [seen(read)],
    request: (version) => ({ topics: version === 0 ? [] : null, allowAutoTopicCreation: false || version < 4 }),
  },
  {
    apiKey: 3,
    name: 'by id',
    firstVersion: 12,
    rights: [seen(describe)],
    request: (_, { seenId, otherId }) => ({
      topics: [seenId, otherId].map((topicId) => ({ topicId, name: null })),
      allowAutoTopicCreation: false,
      includeTopicAuthorizedOperations: true,
    }),
  },
  {
    apiKey: 23,
    name: 'of three topics',
    rights: [seen(describe), cluster(clusterAction)],
    request: (version) => ({
      replicaId: version >= 3 ? -1 : -2,
      topics: names.map((topic) => ({
        topic,
        partitions: [{ partition: 0, currentLeaderEpoch: -1, leaderEpoch: 0 }],
      })),
    }),
  },
  {
    apiKey: 61,
    name: 'of topics, one with a name that is none',
    rights: [seen(read), absent(read)],
    request: () => ({ topics: [...names, 'a/b'].map((name) => ({ name, partitionIndexes: [0] })) }),
  },
];

const member = { generationId: 1, memberId: 'nobody', groupInstanceId: null };
const committed = (partitionIndex: number) => ({
  partitionIndex,
  committedOffset: 1,
  committedLeaderEpoch: -1,
  commitTimestamp: -1,
  committedMetadata: '',
});

const groups: readonly AclCase[] = [
  {
    apiKey: 8,
    name: 'of two topics',
    rights: [group(read), seen(read), absent(read)],
    request: () => ({
      groupId: GROUP,
      generationIdOrMemberEpoch: -1,
      memberId: '',
      topics: names.map((name) => ({ name, partitions: [committed(0), committed(9), committed(9)] })),
    }),
  },
  {
    apiKey: 9,
    name: 'of named topics',
    rights: [group(describe), seen(describe), absent(describe)],
    request: (version) => {
      const topics = names.map((name) => ({ name, partitionIndexes: [0, 1] }));
      return version < 8
        ? { groupId: GROUP, topics }
        : { groups: [{ groupId: GROUP, memberId: null, memberEpoch: -1, topics }] };
    },
  },
  {
    apiKey: 9,
    name: 'of all topics',
    firstVersion: 2,
    rights: [group(read), seen(describe)],
    request: (version) =>
      version < 8
        ? { groupId: GROUP, topics: null }
        : { groups: [{ groupId: GROUP, memberId: null, memberEpoch: -1, topics: null }] },
  },
  {
    apiKey: 10,
    name: 'of a group',
    rights: [group(describe)],
    request: (version) => (version < 4 ? { key: GROUP } : { coordinatorKeys: [GROUP, 'hidden'] }),
  },
  {
    apiKey: 10,
    name: 'of a transactional id',
    firstVersion: 1,
    rights: [transaction(describe)],
    request: (version) =>
      version < 4 ? { key: TRANSACTION, keyType: 1 } : { coordinatorKeys: [TRANSACTION, 'hidden'], keyType: 1 },
  },
  {
    apiKey: 11,
    name: 'with a session that is too short',
    rights: [group(describe), group(read)],
    request: () => ({
      groupId: GROUP,
      sessionTimeoutMs: 1,
      rebalanceTimeoutMs: 1,
      memberId: '',
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: new Uint8Array() }],
    }),
  },
  { apiKey: 12, name: 'of nobody', rights: [group(read)], request: () => ({ groupId: GROUP, ...member }) },
  {
    apiKey: 13,
    name: 'of nobody',
    rights: [group(read)],
    request: (version) => ({
      groupId: GROUP,
      ...(version < 3
        ? { memberId: 'nobody' }
        : { members: [{ memberId: 'nobody', groupInstanceId: null, reason: null }] }),
    }),
  },
  {
    apiKey: 14,
    name: 'of nobody',
    rights: [group(read)],
    request: () => ({ groupId: GROUP, ...member, protocolType: 'consumer', protocolName: 'range', assignments: [] }),
  },
  {
    apiKey: 15,
    name: 'of two groups',
    rights: [group(describe), group(AclOperation.delete)],
    request: (version) => ({ groups: [GROUP, 'hidden'], includeAuthorizedOperations: version >= 3 }),
  },
  { apiKey: 16, name: 'of all', rights: [group(describe), cluster(describe)], request: () => ({}) },
  {
    apiKey: 42,
    name: 'of two groups',
    rights: [on(AclResource.group, 'nothing')(AclOperation.delete)],
    request: () => ({ groupsNames: ['nothing', 'hidden'] }),
  },
  {
    apiKey: 47,
    name: 'of partitions that are not there',
    rights: [group(AclOperation.delete), seen(read), absent(read)],
    request: () => ({
      groupId: GROUP,
      topics: names.map((name) => ({ name, partitions: [{ partitionIndex: 9 }] })),
    }),
  },
];

const oneTransaction = (version: number) => {
  const topics = names.slice(0, 2).map((name) => ({ name, partitions: [0] }));
  return version < 4
    ? {
        v3AndBelowTransactionalId: TRANSACTION,
        v3AndBelowProducerId: producer.producerId,
        v3AndBelowProducerEpoch: 0,
        v3AndBelowTopics: topics,
      }
    : { transactions: [{ transactionalId: TRANSACTION, ...producer, verifyOnly: false, topics }] };
};

const transactions: readonly AclCase[] = [
  {
    apiKey: 22,
    name: 'without a transactional id',
    rights: [seen(write)],
    request: () => ({ transactionalId: null, transactionTimeoutMs: 60_000 }),
  },
  {
    apiKey: 22,
    name: 'without one, of who may write idempotently',
    rights: [seen(read), cluster(idempotentWrite)],
    request: () => ({ transactionalId: null, transactionTimeoutMs: 60_000 }),
  },
  {
    apiKey: 22,
    name: 'with a timeout that is none',
    rights: [transaction(describe), transaction(write)],
    request: () => ({ transactionalId: TRANSACTION, transactionTimeoutMs: -1 }),
  },
  {
    apiKey: 24,
    name: 'of somebody else',
    rights: [transaction(write), seen(write), on(AclResource.topic, OTHER)(write), cluster(clusterAction)],
    request: oneTransaction,
  },
  {
    apiKey: 24,
    name: 'with a topic that is nobody’s to write to',
    lastVersion: 3,
    rights: [transaction(write), on(AclResource.topic, '__consumer_offsets')(write)],
    request: () => ({
      ...oneTransaction(3),
      v3AndBelowTopics: [{ name: '__consumer_offsets', partitions: [0] }],
    }),
  },
  {
    apiKey: 25,
    name: 'of somebody else',
    rights: [group(read), transaction(write)],
    request: () => ({ transactionalId: TRANSACTION, ...producer, groupId: GROUP }),
  },
  {
    apiKey: 26,
    name: 'of somebody else',
    rights: [transaction(write)],
    request: () => ({ transactionalId: TRANSACTION, ...producer, committed: true }),
  },
  {
    apiKey: 27,
    name: 'by an administrator',
    rights: [cluster(alter)],
    request: () => markers,
  },
  { apiKey: 27, name: 'by a broker', rights: [cluster(clusterAction)], request: () => markers },
  {
    apiKey: 28,
    name: 'of partitions that are not there',
    rights: [transaction(write), group(read), seen(read)],
    request: () => ({
      transactionalId: TRANSACTION,
      groupId: GROUP,
      ...producer,
      topics: names.map((name) => ({ name, partitions: [committed(9)] })),
    }),
  },
  {
    apiKey: 65,
    name: 'of two ids',
    rights: [transaction(describe)],
    request: () => ({ transactionalIds: [TRANSACTION, 'hidden'] }),
  },
  { apiKey: 66, name: 'of all', rights: [transaction(describe)], request: () => ({ durationFilter: -1 }) },
];

const markers = {
  markers: [
    {
      ...producer,
      transactionResult: true,
      topics: [{ name: ABSENT, partitionIndexes: [0, 1] }],
      coordinatorEpoch: 0,
    },
  ],
};

const newTopic = (name: string): object => ({
  name,
  numPartitions: 1,
  replicationFactor: 1,
  assignments: [],
  configs: [],
});
const fresh = on(AclResource.topic, 'fresh');
const config = (resourceType: number, resourceName: string, configs: readonly object[]): object => ({
  resourceType,
  resourceName,
  configs,
});
const retention = { name: 'retention.ms', value: '1000000', configOperation: 0 };
const cleaner = { name: 'log.cleaner.backoff.ms', value: '1000', configOperation: 0 };
const altered = [config(2, SEEN, [retention]), config(2, ABSENT, [retention]), config(4, '0', [cleaner])];

const topics: readonly AclCase[] = [
  {
    apiKey: 19,
    name: 'by the right to each',
    firstVersion: 1,
    rights: [fresh(create), fresh(describeConfigs)],
    request: () => ({ validateOnly: true, timeoutMs, topics: ['fresh', 'hidden', SEEN].map(newTopic) }),
  },
  {
    apiKey: 19,
    name: 'by the right to all, and named twice',
    firstVersion: 1,
    rights: [cluster(create), fresh(describeConfigs)],
    request: () => ({ validateOnly: true, timeoutMs, topics: ['fresh', 'hidden', 'hidden'].map(newTopic) }),
  },
  {
    apiKey: 20,
    name: 'by name',
    lastVersion: 5,
    rights: [absent(describe), absent(AclOperation.delete), seen(describe)],
    request: () => ({ topicNames: [ABSENT, SEEN], timeoutMs }),
  },
  {
    apiKey: 20,
    name: 'by id',
    firstVersion: 6,
    rights: [seen(describe), absent(AclOperation.delete)],
    request: (_, { seenId, otherId }) => ({
      topics: [
        ...[seenId, otherId, 'AAAAAAAAAAAAAAAAAAAAZg'].map((topicId) => ({ name: null, topicId })),
        { name: ABSENT, topicId: ZERO_UUID },
        { name: null, topicId: ZERO_UUID },
      ],
      timeoutMs,
    }),
  },
  {
    apiKey: 21,
    name: 'of three topics',
    rights: [seen(AclOperation.delete), absent(AclOperation.delete)],
    request: () => ({
      topics: names.map((name) => ({ name, partitions: [{ partitionIndex: 0, offset: 0 }] })),
      timeoutMs,
    }),
  },
  {
    apiKey: 32,
    name: 'of topics and brokers',
    rights: [seen(describeConfigs), absent(alterConfigs), cluster(describeConfigs)],
    request: () => ({
      resources: [
        { resourceType: 2, resourceName: SEEN, configurationKeys: ['cleanup.policy'] },
        { resourceType: 2, resourceName: ABSENT, configurationKeys: ['cleanup.policy'] },
        { resourceType: 4, resourceName: '0', configurationKeys: ['num.partitions'] },
        { resourceType: 8, resourceName: '0', configurationKeys: ['nothing'] },
      ],
    }),
  },
  {
    apiKey: 33,
    name: 'of topics and brokers',
    rights: [seen(alterConfigs), cluster(alterConfigs)],
    request: () => ({ resources: altered, validateOnly: true }),
  },
  {
    apiKey: 44,
    name: 'of topics and brokers',
    rights: [seen(alterConfigs), absent(alterConfigs), cluster(alterConfigs)],
    request: () => ({ resources: altered, validateOnly: true }),
  },
  {
    apiKey: 37,
    name: 'of topics, one named twice',
    rights: [seen(alter), absent(alter)],
    request: () => ({
      topics: [SEEN, ABSENT, OTHER, OTHER].map((name) => ({ name, count: 2, assignments: null })),
      validateOnly: true,
      timeoutMs,
    }),
  },
];

const broker = { brokerId: 77, brokerEpoch: 1 };
const control = { controllerId: 0, controllerEpoch: 0, brokerEpoch: -1 };
const clusterCase = (apiKey: number, operation: number, request: AclCase['request'], more: object = {}): AclCase => ({
  apiKey,
  name: 'of the cluster',
  rights: [cluster(operation)],
  request,
  ...more,
});
const quota = { entity: [{ entityType: 'user', entityName: 'alice' }], ops: [{ key: 'x', value: 1, remove: false }] };

const ofCluster: readonly AclCase[] = [
  clusterCase(5, clusterAction, (version) => ({
    ...control,
    ...(version === 0 ? { ungroupedPartitions: [{ topicName: SEEN, partitionIndex: 0 }] } : {}),
    ...(version === 1 || version === 2 ? { topics: [{ name: SEEN, partitionIndexes: [0, 1] }] } : {}),
    ...(version >= 3
      ? {
          topicStates: [
            { topicName: SEEN, partitionStates: [{ partitionIndex: 0, leaderEpoch: 0, deletePartition: false }] },
          ],
        }
      : {}),
  })),
  clusterCase(6, clusterAction, () => control),
  clusterCase(7, clusterAction, () => ({ brokerId: 77, brokerEpoch: -1 }), { firstVersion: 1 }),
  clusterCase(29, describe, () => anyAcl),
  clusterCase(30, alter, () => ({
    creations: [{ ...anAcl, resourceName: '' }, anAcl, { ...anAcl, principal: 'alice' }],
  })),
  clusterCase(31, alter, () => ({
    filters: [
      { ...anyAcl, resourceNameFilter: 'nothing' },
      { ...anyAcl, resourceNameFilter: 'made' },
    ],
  })),
  clusterCase(34, alter, () => ({ dirs: [{ path: '/nowhere', topics: [{ name: SEEN, partitions: [0, 9] }] }] })),
  clusterCase(35, describe, () => ({ topics: [] })),
  clusterCase(43, alter, (version) => ({
    electionType: 0,
    topicPartitions: [
      { topic: SEEN, partitions: [0] },
      { topic: ABSENT, partitions: [0, 1] },
    ],
    timeoutMs: version + timeoutMs,
  })),
  clusterCase(43, describe, () => ({ electionType: 0, topicPartitions: null, timeoutMs })),
  clusterCase(45, alter, () => ({
    topics: [{ name: ABSENT, partitions: [{ partitionIndex: 0, replicas: [0] }] }],
    timeoutMs,
  })),
  clusterCase(46, describe, () => ({ topics: [{ name: SEEN, partitionIndexes: [0, 1] }], timeoutMs })),
  clusterCase(46, alter, () => ({ topics: null, timeoutMs })),
  clusterCase(48, describeConfigs, () => ({ components: [], strict: false })),
  clusterCase(49, alterConfigs, () => ({ entries: [quota], validateOnly: true })),
  clusterCase(50, describe, () => ({ users: [{ name: 'alice' }, { name: 'bob' }] })),
  clusterCase(51, alter, () => ({
    deletions: [
      { name: 'bob', mechanism: 1 },
      { name: 'alice', mechanism: 2 },
    ],
    upsertions: [],
  })),
  clusterCase(56, clusterAction, () => ({ ...broker, topics: [] })),
  clusterCase(57, alter, () => ({ featureUpdates: [] })),
  {
    apiKey: 60,
    name: 'of the cluster',
    // Who may not describe it is not told what else.
    rights: [cluster(create), cluster(describe), cluster(alterConfigs)],
    request: () => ({ includeClusterAuthorizedOperations: true }),
  },
  clusterCase(67, clusterAction, () => broker),
];

const anAcl = {
  resourceType: AclResource.topic,
  resourceName: 'made',
  principal: 'User:alice',
  host: '*',
  operation: read,
  permissionType: 3,
};
const anyAcl = {
  resourceTypeFilter: 1,
  resourceNameFilter: null,
  principalFilter: null,
  hostFilter: null,
  operation: 1,
  permissionType: 1,
};

export const aclCases: readonly AclCase[] = [...reading, ...groups, ...transactions, ...topics, ...ofCluster];
