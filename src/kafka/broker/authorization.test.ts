import assert from 'node:assert/strict';
import test from 'node:test';
import { silent } from '../../runtime/log.ts';
import { ZERO_UUID } from '../../wire/schema.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { MetadataRequest, MetadataResponse } from '../protocol/messages/03-metadata.ts';
import { FindCoordinatorRequest, FindCoordinatorResponse } from '../protocol/messages/10-find-coordinator.ts';
import { CreateTopicsRequest, CreateTopicsResponse } from '../protocol/messages/19-create-topics.ts';
import {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../protocol/messages/68-consumer-group-heartbeat.ts';
import {
  ConsumerGroupDescribeRequest,
  ConsumerGroupDescribeResponse,
} from '../protocol/messages/69-consumer-group-describe.ts';
import {
  ListConfigResourcesRequest,
  ListConfigResourcesResponse,
} from '../protocol/messages/74-list-config-resources.ts';
import {
  DescribeTopicPartitionsRequest,
  DescribeTopicPartitionsResponse,
} from '../protocol/messages/75-describe-topic-partitions.ts';
import {
  ShareGroupHeartbeatRequest,
  ShareGroupHeartbeatResponse,
} from '../protocol/messages/76-share-group-heartbeat.ts';
import { ShareGroupDescribeRequest, ShareGroupDescribeResponse } from '../protocol/messages/77-share-group-describe.ts';
import { ShareFetchRequest, ShareFetchResponse } from '../protocol/messages/78-share-fetch.ts';
import { ShareAcknowledgeRequest, ShareAcknowledgeResponse } from '../protocol/messages/79-share-acknowledge.ts';
import {
  ReadShareGroupStateRequest,
  ReadShareGroupStateResponse,
} from '../protocol/messages/84-read-share-group-state.ts';
import {
  WriteShareGroupStateRequest,
  WriteShareGroupStateResponse,
} from '../protocol/messages/85-write-share-group-state.ts';
import {
  StreamsGroupHeartbeatRequest,
  StreamsGroupHeartbeatResponse,
} from '../protocol/messages/88-streams-group-heartbeat.ts';
import {
  StreamsGroupDescribeRequest,
  StreamsGroupDescribeResponse,
} from '../protocol/messages/89-streams-group-describe.ts';
import {
  DescribeShareGroupOffsetsRequest,
  DescribeShareGroupOffsetsResponse,
} from '../protocol/messages/90-describe-share-group-offsets.ts';
import {
  AlterShareGroupOffsetsRequest,
  AlterShareGroupOffsetsResponse,
} from '../protocol/messages/91-alter-share-group-offsets.ts';
import {
  DeleteShareGroupOffsetsRequest,
  DeleteShareGroupOffsetsResponse,
} from '../protocol/messages/92-delete-share-group-offsets.ts';
import {
  StreamsGroupTopologyDescriptionUpdateRequest,
  StreamsGroupTopologyDescriptionUpdateResponse,
} from '../protocol/messages/93-streams-group-topology-description-update.ts';
import { AclOperation, AclPermission, AclResource, CLUSTER_NAME, PatternType } from '../security/acl.ts';
import { AclAuthorizer } from '../security/acl-authorizer.ts';
import { AclStore } from '../security/acl-store.ts';
import { AclZnodes } from '../zk/acl-znodes.ts';
import { KafkaZk } from '../zk/kafka-zk.ts';
import { ClusterWorld } from './testkit/cluster-world.ts';
import type { RawClient } from './testkit/raw-client.ts';

const { GROUP_AUTHORIZATION_FAILED, TOPIC_AUTHORIZATION_FAILED, CLUSTER_AUTHORIZATION_FAILED, NONE } = ErrorCode;
const { read, describe, create } = AclOperation;
const { topic, group, cluster } = AclResource;

/** A broker with an authorizer, and a client whose rights come from another broker, as it were. */
async function guarded() {
  const world = await new ClusterWorld({
    kafka: {
      'authorizer.class.name': 'kafka.security.authorizer.AclAuthorizer',
      'group.coordinator.rebalance.protocols': 'classic,consumer,share,streams',
      'group.streams.initial.rebalance.delay.ms': 0,
    },
  }).start();
  const { clock, random } = world.sim.machine('administrator').runtime;
  const authorizer = new AclAuthorizer({ superUsers: new Set(), allowsWithoutAcl: false, log: silent });
  const znodes = new AclZnodes(new KafkaZk(world.zk, clock, random), clock);
  const store = new AclStore({ znodes, authorizer, clock, random, log: silent });
  await world.run(store.start());
  const give = async (resourceType: number, name: string, operation: number): Promise<void> => {
    const entry = { principal: 'User:ANONYMOUS', host: '*', operation, permission: AclPermission.allow };
    const [error] = await world.run(
      store.create([{ pattern: { resourceType, patternType: PatternType.literal, name }, entry }]),
    );
    assert.equal(error, undefined);
    await world.sim.runFor(200);
  };
  const client = world.connectTo(0);
  const ask = <T>(request: (client: RawClient) => Promise<T>): Promise<T> => world.run(request(client));
  return { world, give, ask };
}

type World = Awaited<ReturnType<typeof guarded>>;

async function makeTopic({ give, ask, world }: World, name: string, isRightToAll = true): Promise<void> {
  if (isRightToAll) await give(cluster, CLUSTER_NAME, create);
  else await give(topic, name, create);
  const fields = { numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] };
  const answer = await ask((client) =>
    client.ask(CreateTopicsRequest, CreateTopicsResponse, 4, { topics: [{ name, ...fields }], timeoutMs: 5000 }),
  );
  assert.equal(answer.topics[0]?.errorCode, NONE);
  await world.sim.runFor(1000);
}

test('topics that a client may not describe are hidden where it asks for all, and denied where it names them', async () => {
  const made = await guarded();
  await makeTopic(made, 't');
  const all = { topics: null };
  const metadata = (fields: Partial<MetadataRequest>) =>
    made.ask((client) => client.ask(MetadataRequest, MetadataResponse, 9, fields));
  assert.deepEqual((await metadata(all)).topics, []);
  const pages = (names: readonly string[]) =>
    made.ask((client) =>
      client.ask(DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse, 0, {
        topics: names.map((name) => ({ name })),
        responsePartitionLimit: 10,
        cursor: null,
      }),
    );
  assert.deepEqual((await pages([])).topics, []);
  const denied = (await pages(['t', 'nothing'])).topics;
  assert.deepEqual(
    denied.map(({ errorCode, topicId }) => [errorCode, topicId]),
    [
      [TOPIC_AUTHORIZATION_FAILED, ZERO_UUID],
      [TOPIC_AUTHORIZATION_FAILED, ZERO_UUID],
    ],
  );
  await made.give(topic, 't', read);
  const told = (await pages(['nothing', 't'])).topics;
  assert.deepEqual(
    told.map(({ name, errorCode, topicAuthorizedOperations }) => [name, errorCode, topicAuthorizedOperations]),
    [
      ['t', NONE, (1 << read) | (1 << describe)],
      ['nothing', TOPIC_AUTHORIZATION_FAILED, -2_147_483_648],
    ],
  );
  assert.deepEqual(
    (await metadata(all)).topics.map(({ name }) => name),
    ['t'],
  );
});

test('a topic comes into being only for who may create it', async () => {
  const made = await guarded();
  const asked = { topics: [{ name: 'new', topicId: ZERO_UUID }], allowAutoTopicCreation: true };
  const errorOf = async (): Promise<number | undefined> =>
    (await made.ask((client) => client.ask(MetadataRequest, MetadataResponse, 9, asked))).topics[0]?.errorCode;
  await made.give(topic, 'new', describe);
  assert.equal(await errorOf(), TOPIC_AUTHORIZATION_FAILED);
  await made.world.sim.runFor(2000);
  assert.equal(await made.world.exists('/brokers/topics/new'), false);
  await made.give(topic, 'new', create);
  await errorOf();
  await made.world.sim.runFor(2000);
  assert.equal(await made.world.exists('/brokers/topics/new'), true);
  assert.equal(await errorOf(), NONE);
});

test('members of the newer groups need a right to the group, and one to each topic they name', async () => {
  const made = await guarded();
  await makeTopic(made, 't');
  const beat = { groupId: 'g', memberId: 'm', memberEpoch: 0, subscribedTopicNames: ['t'] };
  const consumer = { ...beat, rebalanceTimeoutMs: 5000, topicPartitions: [] };
  const topology = { epoch: 1, subtopologies: [subtopology('t')] };
  const streams = { groupId: 'g', memberId: 'm', memberEpoch: 0, rebalanceTimeoutMs: 5000, topology };
  const errors = async (): Promise<number[]> => [
    (await made.ask((client) => client.ask(ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, 1, consumer)))
      .errorCode,
    (await made.ask((client) => client.ask(ShareGroupHeartbeatRequest, ShareGroupHeartbeatResponse, 1, beat)))
      .errorCode,
    (await made.ask((client) => client.ask(StreamsGroupHeartbeatRequest, StreamsGroupHeartbeatResponse, 0, streams)))
      .errorCode,
  ];
  assert.deepEqual(await errors(), new Array(3).fill(GROUP_AUTHORIZATION_FAILED));
  await made.give(group, 'g', read);
  assert.deepEqual(await errors(), new Array(3).fill(TOPIC_AUTHORIZATION_FAILED));
  await made.give(topic, 't', describe);
  for (const errorCode of await errors()) {
    assert.ok(![GROUP_AUTHORIZATION_FAILED, TOPIC_AUTHORIZATION_FAILED].includes(errorCode as 29), String(errorCode));
  }
});

test('a regular expression subscribes to no topic that its member may not describe', async () => {
  const made = await guarded();
  await makeTopic(made, 'seen');
  await makeTopic(made, 'secret');
  await made.give(group, 'g', read);
  await made.give(topic, 'seen', describe);
  const beat = async (fields: Partial<ConsumerGroupHeartbeatRequest>) => {
    const request = { groupId: 'g', memberId: 'm', ...fields };
    const answer = await made.ask((client) =>
      client.ask(ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, 1, request),
    );
    await made.world.sim.runFor(1000);
    return answer;
  };
  const joined = { memberEpoch: 0, subscribedTopicRegex: 'se.*', rebalanceTimeoutMs: 5000, topicPartitions: [] };
  await made.ask((client) => client.ask(FindCoordinatorRequest, FindCoordinatorResponse, 1, { key: 'g', keyType: 0 }));
  await made.world.sim.runFor(3000);
  assert.equal((await beat(joined)).errorCode, NONE);
  const { assignment } = await beat({ memberEpoch: 1 });
  const { topicId } = (await metadataOf(made, 'seen')).topics[0]!;
  assert.deepEqual(assignment, { topicPartitions: [{ topicId, partitions: [0] }] });
});

test('a member of a streams group is told that it may not create what its topology lacks, as long as it may not', async () => {
  const made = await guarded();
  await makeTopic(made, 't', false);
  await made.give(group, 'g', read);
  for (const name of ['t', 'made']) await made.give(topic, name, describe);
  await made.ask((client) => client.ask(FindCoordinatorRequest, FindCoordinatorResponse, 1, { key: 'g', keyType: 0 }));
  await made.world.sim.runFor(3000);
  const stores = [{ name: 'made', partitions: 0, replicationFactor: 1, topicConfigs: [] }];
  const topology = { epoch: 1, subtopologies: [{ ...subtopology('t'), stateChangelogTopics: stores }] };
  const request = { groupId: 'g', memberId: 'm', memberEpoch: 0, rebalanceTimeoutMs: 5000, topology };
  const told = async (): Promise<string[] | undefined> => {
    const tasks = { activeTasks: [], standbyTasks: [], warmupTasks: [], processId: 'p', clientTags: [] };
    const answer = await made.ask((client) =>
      client.ask(StreamsGroupHeartbeatRequest, StreamsGroupHeartbeatResponse, 0, { ...request, ...tasks }),
    );
    return answer.status?.map(({ statusDetail }) => statusDetail);
  };
  const missing = 'Internal topics are missing: made';
  for (let turn = 0; turn < 2; turn += 1) {
    assert.deepEqual(await told(), [`${missing}; Unauthorized to CREATE on topics made.`]);
  }
  await made.give(topic, 'made', create);
  assert.deepEqual(await told(), [missing]);
});

const metadataOf = ({ ask }: World, name: string) =>
  ask((client) => client.ask(MetadataRequest, MetadataResponse, 12, { topics: [{ name, topicId: ZERO_UUID }] }));

function subtopology(source: string) {
  return {
    subtopologyId: '0',
    sourceTopics: [source],
    sourceTopicRegex: [],
    stateChangelogTopics: [],
    repartitionSinkTopics: [],
    repartitionSourceTopics: [],
    copartitionGroups: [],
  };
}

test('descriptions of the newer groups are for who may describe them', async () => {
  const { ask, give } = await guarded();
  const asked = { groupIds: ['g', 'h'], includeAuthorizedOperations: true };
  const told = async () => [
    (await ask((client) => client.ask(ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse, 1, asked))).groups,
    (await ask((client) => client.ask(ShareGroupDescribeRequest, ShareGroupDescribeResponse, 1, asked))).groups,
    (await ask((client) => client.ask(StreamsGroupDescribeRequest, StreamsGroupDescribeResponse, 0, asked))).groups,
  ];
  for (const groups of await told()) {
    for (const one of groups) assert.equal(one.errorCode, GROUP_AUTHORIZATION_FAILED);
  }
  await give(group, 'h', read);
  for (const groups of await told()) {
    assert.deepEqual(
      groups.map(({ groupId }) => groupId),
      ['g', 'h'],
    );
    assert.equal(groups[0]?.errorCode, GROUP_AUTHORIZATION_FAILED);
    assert.notEqual(groups[1]?.errorCode, GROUP_AUTHORIZATION_FAILED);
  }
});

test('members of share groups need a right to the group, and brokers one to the cluster', async () => {
  const { ask, give } = await guarded();
  const session = { groupId: 'g', memberId: 'm', shareSessionEpoch: 0 };
  const topics = [{ topicId: ZERO_UUID, partitions: [{ partition: 0, leaderEpoch: 0 }] }];
  const state = { groupId: 'g', topics };
  const written = {
    groupId: 'g',
    topics: [
      {
        topicId: ZERO_UUID,
        partitions: [
          { partition: 0, stateEpoch: 0, leaderEpoch: 0, startOffset: 0, deliveryCompleteCount: 0, stateBatches: [] },
        ],
      },
    ],
  };
  const errors = async () => [
    (await ask((client) => client.ask(ShareFetchRequest, ShareFetchResponse, 1, session))).errorCode,
    (
      await ask((client) =>
        client.ask(ShareAcknowledgeRequest, ShareAcknowledgeResponse, 1, { ...session, shareSessionEpoch: 1 }),
      )
    ).errorCode,
    (await ask((client) => client.ask(ReadShareGroupStateRequest, ReadShareGroupStateResponse, 0, state))).results[0]
      ?.partitions[0]?.errorCode,
    (await ask((client) => client.ask(WriteShareGroupStateRequest, WriteShareGroupStateResponse, 0, written)))
      .results[0]?.partitions[0]?.errorCode,
  ];
  const [group30, cluster31] = [GROUP_AUTHORIZATION_FAILED, CLUSTER_AUTHORIZATION_FAILED];
  assert.deepEqual(await errors(), [group30, group30, cluster31, cluster31]);
  await give(group, 'g', read);
  await give(cluster, CLUSTER_NAME, AclOperation.clusterAction);
  for (const errorCode of await errors()) assert.ok(errorCode !== group30 && errorCode !== cluster31);
});

test('offsets of share groups are for who may see or change the group, topic by topic', async () => {
  const { ask, give } = await guarded();
  const described = { groups: [{ groupId: 'g', topics: [{ topicName: 't', partitions: [0] }] }] };
  const altered = {
    groupId: 'g',
    topics: [{ topicName: 't', partitions: [{ partitionIndex: 0, startOffset: 0 }] }],
  };
  const deleted = { groupId: 'g', topics: [{ topicName: 't' }] };
  const told = async () => ({
    described: (
      await ask((client) =>
        client.ask(DescribeShareGroupOffsetsRequest, DescribeShareGroupOffsetsResponse, 0, described),
      )
    ).groups[0],
    altered: await ask((client) =>
      client.ask(AlterShareGroupOffsetsRequest, AlterShareGroupOffsetsResponse, 0, altered),
    ),
    deleted: await ask((client) =>
      client.ask(DeleteShareGroupOffsetsRequest, DeleteShareGroupOffsetsResponse, 0, deleted),
    ),
  });
  const denied = await told();
  for (const one of Object.values(denied)) assert.equal(one?.errorCode, GROUP_AUTHORIZATION_FAILED);
  await give(group, 'g', AclOperation.all);
  const { described: seen } = await told();
  assert.notEqual(seen?.errorCode, GROUP_AUTHORIZATION_FAILED);
  assert.notEqual((await told()).altered.errorCode, GROUP_AUTHORIZATION_FAILED);
  assert.notEqual((await told()).deleted.errorCode, GROUP_AUTHORIZATION_FAILED);
});

test('what can be configured, and topologies, are not for everybody', async () => {
  const { ask, give } = await guarded();
  const list = () => ask((client) => client.ask(ListConfigResourcesRequest, ListConfigResourcesResponse, 1, {}));
  const update = () =>
    ask((client) =>
      client.ask(StreamsGroupTopologyDescriptionUpdateRequest, StreamsGroupTopologyDescriptionUpdateResponse, 0, {
        groupId: 'g',
        memberId: 'm',
      }),
    );
  assert.equal((await list()).errorCode, CLUSTER_AUTHORIZATION_FAILED);
  assert.equal((await update()).errorCode, GROUP_AUTHORIZATION_FAILED);
  await give(cluster, CLUSTER_NAME, AclOperation.describeConfigs);
  await give(group, 'g', read);
  assert.equal((await list()).errorCode, NONE);
  assert.equal((await update()).errorCode, ErrorCode.UNSUPPORTED_VERSION);
});

test('a broker without an authorizer keeps no ACLs', async () => {
  const world = await new ClusterWorld().start();
  assert.equal(await world.exists('/kafka-acl'), false);
});
