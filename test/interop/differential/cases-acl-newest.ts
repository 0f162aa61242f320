/** Requests that Apache 3.9.1 does not serve, of a client that has no right at all, then one right after the other. */
import { AclOperation, AclResource, CLUSTER_NAME } from '../../../src/kafka/security/acl.ts';
import { type AclCase, type AclWorld, OTHER, SEEN } from './cases-acl.ts';

const { read, create, describe, describeConfigs, clusterAction } = AclOperation;

const on = (resourceType: number, name: string) => (operation: number) => ({ resourceType, name, operation });
const seen = on(AclResource.topic, SEEN);
const other = on(AclResource.topic, OTHER);
const cluster = on(AclResource.cluster, CLUSTER_NAME);
const groupNamed = (name: string) => on(AclResource.group, name);

/** Each has a member from the beginning, which takes both topics. */
export const CONSUMERS = 'consumers';
export const SHARERS = 'sharers';
export const STREAMERS = 'streamers';
const MEMBER = 'AAAAAAAAAAAAAAAAAAAAAQ';
const both = [SEEN, OTHER];
const partitions = [0];

const consumerBeat = (groupId: string): object => ({
  groupId,
  memberId: MEMBER,
  memberEpoch: 0,
  rebalanceTimeoutMs: 60_000,
  subscribedTopicNames: both,
  topicPartitions: [],
});
const shareBeat = (groupId: string): object => ({
  groupId,
  memberId: MEMBER,
  memberEpoch: 0,
  subscribedTopicNames: both,
});
const streamsBeat = (groupId: string, changelogs: readonly string[] = []): object => ({
  groupId,
  memberId: MEMBER,
  memberEpoch: 0,
  rebalanceTimeoutMs: 60_000,
  topology: {
    epoch: 1,
    subtopologies: [
      {
        subtopologyId: '0',
        sourceTopics: both,
        sourceTopicRegex: [],
        stateChangelogTopics: changelogs.map((name) => ({
          name,
          partitions: 0,
          replicationFactor: 1,
          topicConfigs: [],
        })),
        repartitionSinkTopics: [],
        repartitionSourceTopics: [],
        copartitionGroups: [],
      },
    ],
  },
  activeTasks: [],
  standbyTasks: [],
  warmupTasks: [],
  processId: 'process',
  clientTags: [],
});

export const members = [
  { apiKey: 68, version: 1, request: consumerBeat(CONSUMERS) },
  { apiKey: 76, version: 1, request: shareBeat(SHARERS) },
  { apiKey: 88, version: 0, request: streamsBeat(STREAMERS) },
] as const;

/** What a broker asks of the coordinator of a share group. */
function shareState(apiKey: number, more: object): AclCase {
  return {
    apiKey,
    name: 'of two topics',
    rights: [cluster(clusterAction)],
    request: (_, { seenId, otherId }) => ({
      groupId: 'state',
      topics: [seenId, otherId].map((topicId) => ({ topicId, partitions: [{ partition: 0, ...more }] })),
    }),
  };
}

function shareSession({ seenId, otherId }: AclWorld, shareSessionEpoch: number, acknowledges: boolean): object {
  const one = acknowledges
    ? { partitionIndex: 0, acknowledgementBatches: [{ firstOffset: 0, lastOffset: 0, acknowledgeTypes: [1] }] }
    : { partitionIndex: 0, partitionMaxBytes: 1000, acknowledgementBatches: [] };
  const topics = [seenId, otherId].map((topicId) => ({ topicId, partitions: [one] }));
  // Apache's broker is given time to open the share partitions.
  const limits = {
    maxWaitMs: 500,
    minBytes: 0,
    maxBytes: 1000,
    maxRecords: 10,
    batchSize: 10,
    forgottenTopicsData: [],
  };
  return { groupId: SHARERS, memberId: MEMBER, shareSessionEpoch, ...(acknowledges ? {} : limits), topics };
}

const describeGroups = (groupIds: readonly string[]) => () => ({ groupIds, includeAuthorizedOperations: true });

export const newestAclCases: readonly AclCase[] = [
  {
    apiKey: 68,
    name: 'of a member that names its topics',
    rights: [groupNamed('new')(read), seen(describe), other(read)],
    request: () => consumerBeat('new'),
  },
  {
    apiKey: 69,
    name: 'of two groups',
    rights: [groupNamed(CONSUMERS)(describe), seen(describe), other(describe), groupNamed(CONSUMERS)(read)],
    request: describeGroups([CONSUMERS, 'nobodys']),
  },
  { apiKey: 74, name: 'of all', rights: [cluster(describeConfigs)], request: () => ({}) },
  {
    apiKey: 75,
    name: 'by name',
    rights: [seen(describe), other(read)],
    request: () => ({
      topics: [...both, 'absent'].map((name) => ({ name })),
      responsePartitionLimit: 10,
      cursor: null,
    }),
  },
  {
    apiKey: 75,
    name: 'of all topics',
    rights: [seen(describe)],
    request: () => ({ topics: [], responsePartitionLimit: 10, cursor: null }),
  },
  {
    apiKey: 76,
    name: 'of a member',
    rights: [groupNamed('new shares')(read), seen(describe), other(describe)],
    request: () => shareBeat('new shares'),
  },
  {
    apiKey: 77,
    name: 'of two groups',
    rights: [groupNamed(SHARERS)(describe), seen(describe), other(describe)],
    request: describeGroups([SHARERS, 'nobodys']),
  },
  {
    apiKey: 78,
    name: 'of two topics',
    rights: [groupNamed(SHARERS)(read), seen(read)],
    request: (_, world) => shareSession(world, 0, false),
  },
  {
    apiKey: 79,
    name: 'of two topics',
    rights: [groupNamed(SHARERS)(read), seen(read)],
    request: (_, world) => shareSession(world, 1, true),
  },
  shareState(83, { stateEpoch: 0, startOffset: 0 }),
  shareState(84, { leaderEpoch: 0 }),
  shareState(85, { stateEpoch: 0, leaderEpoch: 0, startOffset: 0, deliveryCompleteCount: 0, stateBatches: [] }),
  shareState(87, { leaderEpoch: 0 }),
  shareState(86, {}),
  {
    apiKey: 88,
    name: 'of a member whose topology lacks a topic',
    rights: [
      groupNamed('new streams')(read),
      seen(describe),
      other(describe),
      on(AclResource.topic, 'made-changelog')(describe),
      on(AclResource.topic, 'made-changelog')(create),
    ],
    request: () => streamsBeat('new streams', ['made-changelog']),
  },
  {
    apiKey: 89,
    name: 'of two groups',
    rights: [groupNamed(STREAMERS)(describe), seen(describe), other(describe)],
    request: describeGroups([STREAMERS, 'nobodys']),
  },
  {
    apiKey: 90,
    name: 'of named topics',
    rights: [groupNamed(SHARERS)(describe), seen(describe)],
    request: () => ({
      groups: [SHARERS, 'nobodys'].map((groupId) => ({
        groupId,
        topics: both.map((topicName) => ({ topicName, partitions })),
      })),
    }),
  },
  {
    apiKey: 90,
    name: 'of all topics',
    rights: [groupNamed(SHARERS)(describe), seen(describe)],
    request: () => ({ groups: [{ groupId: SHARERS, topics: null }] }),
  },
  {
    apiKey: 91,
    name: 'of two topics',
    rights: [groupNamed('unused')(read), seen(read)],
    request: () => ({
      groupId: 'unused',
      topics: both.map((topicName) => ({ topicName, partitions: [{ partitionIndex: 0, startOffset: 0 }] })),
    }),
  },
  {
    apiKey: 92,
    name: 'of two topics',
    rights: [groupNamed('unused')(AclOperation.delete), seen(read)],
    request: () => ({ groupId: 'unused', topics: both.map((topicName) => ({ topicName })) }),
  },
  {
    apiKey: 93,
    name: 'of a group',
    rights: [groupNamed(STREAMERS)(read)],
    request: () => ({ groupId: STREAMERS, memberId: MEMBER, topologyEpoch: 1 }),
  },
];

/** A member that subscribes to both by an expression. */
const EXPRESSIONS = 'expressions';
export const regexRights = [groupNamed(EXPRESSIONS)(read), seen(describe)];
export const regexBeat = {
  groupId: EXPRESSIONS,
  memberId: MEMBER,
  memberEpoch: 0,
  rebalanceTimeoutMs: 60_000,
  subscribedTopicRegex: both.join('|'),
  topicPartitions: [],
};
