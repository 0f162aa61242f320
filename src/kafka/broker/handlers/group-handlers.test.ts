import assert from 'node:assert/strict';
import test from 'node:test';
import { decode, encode } from '../../../wire/codec.ts';
import { build, type Fields, type Message, type Value, ZERO_UUID } from '../../../wire/schema.ts';
import { bounds } from '../../../wire/versions.ts';
import type { ZookeeperClient } from '../../../zookeeper/client/client.ts';
import { ErrorCode as KeeperCode, KeeperError } from '../../../zookeeper/jute/errors.ts';
import { GroupWorld, subscription } from '../../coordinator/group/testkit/group-world.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { OffsetCommitRequest, OffsetCommitResponse } from '../../protocol/messages/08-offset-commit.ts';
import { OffsetFetchRequest, OffsetFetchResponse } from '../../protocol/messages/09-offset-fetch.ts';
import { FindCoordinatorRequest, FindCoordinatorResponse } from '../../protocol/messages/10-find-coordinator.ts';
import { JoinGroupRequest, JoinGroupResponse } from '../../protocol/messages/11-join-group.ts';
import { HeartbeatRequest, HeartbeatResponse } from '../../protocol/messages/12-heartbeat.ts';
import { LeaveGroupRequest, LeaveGroupResponse } from '../../protocol/messages/13-leave-group.ts';
import { SyncGroupRequest, SyncGroupResponse } from '../../protocol/messages/14-sync-group.ts';
import { DescribeGroupsRequest, DescribeGroupsResponse } from '../../protocol/messages/15-describe-groups.ts';
import { ListGroupsRequest, ListGroupsResponse } from '../../protocol/messages/16-list-groups.ts';
import { TxnOffsetCommitRequest, TxnOffsetCommitResponse } from '../../protocol/messages/28-txn-offset-commit.ts';
import { DeleteGroupsRequest, DeleteGroupsResponse } from '../../protocol/messages/42-delete-groups.ts';
import { OffsetDeleteRequest, OffsetDeleteResponse } from '../../protocol/messages/47-offset-delete.ts';
import { MetadataCache } from '../../replication/metadata-cache.ts';
import { everythingAllowed } from '../../security/authorizer.ts';
import type { ApiHandler } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';
import { KafkaConfig } from '../config/kafka-config.ts';
import { OFFSETS_TOPIC } from '../topic-names.ts';
import { offsetCommitHandler } from './08-offset-commit.ts';
import { offsetFetchHandler } from './09-offset-fetch.ts';
import { findCoordinatorHandler } from './10-find-coordinator.ts';
import { joinGroupHandler } from './11-join-group.ts';
import { heartbeatHandler } from './12-heartbeat.ts';
import { leaveGroupHandler } from './13-leave-group.ts';
import { syncGroupHandler } from './14-sync-group.ts';
import { describeGroupsHandler } from './15-describe-groups.ts';
import { listGroupsHandler } from './16-list-groups.ts';
import { txnOffsetCommitHandler } from './28-txn-offset-commit.ts';
import { deleteGroupsHandler } from './42-delete-groups.ts';
import { offsetDeleteHandler } from './47-offset-delete.ts';

const TOPIC_ID = 'abcdefghijklmnopqrstug';
const OTHER_ID = 'ABCDEFGHIJKLMNOPQRSTUQ';
const { NONE, UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID } = ErrorCode;

function brokerWorld({ hasOffsetsTopic = true } = {}) {
  const world = new GroupWorld();
  const metadata = new MetadataCache();
  const partition = (topic: string) => ({
    topic,
    partition: 0,
    leader: 1,
    leaderEpoch: 0,
    isr: [1],
    replicas: [1],
    offlineReplicas: [],
    controllerEpoch: 1,
    zkVersion: 0,
  });
  metadata.update({
    controllerId: 1,
    brokers: [{ id: 1, rack: null, endpoints: [{ listener: 'L', host: 'h', port: 9 }] }],
    topics: [
      { name: 't', id: TOPIC_ID, partitions: [partition('t')] },
      ...(hasOffsetsTopic ? [{ name: OFFSETS_TOPIC, id: ZERO_UUID, partitions: [partition(OFFSETS_TOPIC)] }] : []),
    ],
  });
  const created: string[] = [];
  const znodes = new Map<string, string>();
  const client = {
    getData: async (path: string) => {
      const text = znodes.get(path);
      if (text === undefined) throw new KeeperError(KeeperCode.NONODE, path);
      return { data: Buffer.from(text) };
    },
    setData: async (path: string, data: Uint8Array) => znodes.set(path, Buffer.from(data).toString()),
  };
  const broker = {
    groups: world.coordinator,
    metadata,
    authorizer: everythingAllowed,
    config: new KafkaConfig(new Map([['zookeeper.connect', 'z:1']])),
    zk: { client: client as unknown as ZookeeperClient },
    autoTopics: { create: (name: string) => created.push(name) },
  } as unknown as BrokerContext;
  return { world, broker, created, znodes };
}

/** Sends a request through both codecs, as a client of that version would. */
async function ask<Q extends Fields, R extends Fields>(
  handler: ApiHandler,
  messages: readonly [Message<Q>, Message<R>],
  version: number,
  given: Partial<Value<Q>>,
): Promise<Value<R>> {
  const [request, response] = messages;
  const sent = decode(request, version, encode(request, version, build(request, given)));
  const context = {
    apiKey: request.apiKey,
    apiVersion: version,
    correlationId: 1,
    clientId: 'client',
    listenerName: 'L',
    clientAddress: '127.0.0.1',
    isClosed: () => false,
    holdOthers: () => undefined,
    letOthers: () => undefined,
    connectionId: '',
  };
  return new Promise((resolve, reject) => {
    handler.handle(sent, context, {
      answer: (answer) => resolve(decode(response, version, encode(response, version, answer as Value<R>))),
      none: () => reject(new TypeError('no answer')),
      close: (reason) => reject(new TypeError(reason)),
    });
  });
}

const versionsOf = (handler: ApiHandler): number[] => {
  const [first, last] = bounds(handler.versions);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
};

test('a member goes through join, sync, heartbeat, commit, fetch, describe and leave in every version', async () => {
  for (let age = 0; age <= 9; age += 1) {
    const { world, broker } = brokerWorld();
    const versionOf = (handler: ApiHandler): number => Math.min(age, bounds(handler.versions)[1]);
    const join = (memberId: string) => {
      const joining = ask(joinGroupHandler(broker), [JoinGroupRequest, JoinGroupResponse], age, {
        groupId: 'g',
        memberId,
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata: subscription('t') }],
        sessionTimeoutMs: 10_000,
        ...(age >= 1 ? { rebalanceTimeoutMs: 10_000 } : {}),
      });
      world.run(10);
      return joining;
    };
    let joined = await join('');
    if (age >= 4) {
      assert.equal(joined.errorCode, ErrorCode.MEMBER_ID_REQUIRED);
      assert.equal(joined.protocolName, age >= 7 ? null : '');
      joined = await join(joined.memberId);
    }
    assert.deepEqual([joined.errorCode, joined.generationId, joined.protocolName], [NONE, 1, 'range']);
    const { memberId } = joined;
    const sync = syncGroupHandler(broker);
    const synced = await ask(sync, [SyncGroupRequest, SyncGroupResponse], versionOf(sync), {
      groupId: 'g',
      generationId: 1,
      memberId,
      assignments: [{ memberId, assignment: Buffer.from('mine') }],
      ...(versionOf(sync) >= 5 ? { protocolType: 'consumer', protocolName: 'range' } : {}),
    });
    assert.deepEqual([synced.errorCode, Buffer.from(synced.assignment).toString()], [NONE, 'mine']);
    const heartbeat = heartbeatHandler(broker);
    const beat = await ask(heartbeat, [HeartbeatRequest, HeartbeatResponse], versionOf(heartbeat), {
      groupId: 'g',
      generationId: 1,
      memberId,
    });
    assert.equal(beat.errorCode, NONE);
    const describe = describeGroupsHandler(broker);
    const described = await ask(describe, [DescribeGroupsRequest, DescribeGroupsResponse], versionOf(describe), {
      groups: ['g', 'none'],
      ...(versionOf(describe) >= 3 ? { includeAuthorizedOperations: true } : {}),
    });
    const [stable, missing] = described.groups;
    assert.deepEqual([stable!.groupState, stable!.members[0]!.clientHost], ['Stable', '/127.0.0.1']);
    assert.equal(stable!.authorizedOperations, versionOf(describe) >= 3 ? 328 : -2_147_483_648);
    const isNew = versionOf(describe) >= 6;
    assert.deepEqual(
      [missing!.groupState, missing!.errorCode, missing!.errorMessage],
      ['Dead', isNew ? ErrorCode.GROUP_ID_NOT_FOUND : NONE, isNew ? 'Group none not found.' : null],
    );
    const list = listGroupsHandler(broker);
    const listed = await ask(list, [ListGroupsRequest, ListGroupsResponse], versionOf(list), {});
    assert.deepEqual(
      listed.groups.map(({ groupId }) => groupId),
      ['g'],
    );
    const leave = leaveGroupHandler(broker);
    const many = versionOf(leave) >= 3;
    const leaving = { memberId, groupInstanceId: null, reason: null };
    const body = { groupId: 'g', ...(many ? { members: [leaving] } : { memberId }) };
    const ask13 = () => ask(leave, [LeaveGroupRequest, LeaveGroupResponse], versionOf(leave), body);
    const codeOf = (left: LeaveGroupResponse): number => (many ? left.members[0]!.errorCode : left.errorCode);
    assert.equal(codeOf(await ask13()), NONE);
    assert.equal(codeOf(await ask13()), ErrorCode.UNKNOWN_MEMBER_ID);
  }
});

test('from version 5 on a sync must name its protocol', async () => {
  const { broker } = brokerWorld();
  const body = { groupId: 'g', generationId: 1, memberId: 'm' };
  const of = async (version: number) =>
    (await ask(syncGroupHandler(broker), [SyncGroupRequest, SyncGroupResponse], version, body)).errorCode;
  assert.equal(await of(4), ErrorCode.UNKNOWN_MEMBER_ID);
  assert.equal(await of(5), ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
});

const partitionCommit = (partitionIndex: number, committedOffset: number) => ({
  partitionIndex,
  committedOffset,
  committedLeaderEpoch: -1,
  commitTimestamp: -1,
  committedMetadata: 'note',
});

for (const version of versionsOf(offsetCommitHandler({} as BrokerContext))) {
  test(`offsets committed with version ${version} are fetched with every version that reads the same place`, async () => {
    const { broker, world, znodes } = brokerWorld();
    znodes.set('/consumers/g/offsets/t/0', '');
    const byId = version >= 10;
    const named = (name: string, topicId: string) => (byId ? { name: '', topicId } : { name, topicId: ZERO_UUID });
    const commit = offsetCommitHandler(broker);
    const { topics } = await ask(commit, [OffsetCommitRequest, OffsetCommitResponse], version, {
      groupId: 'g',
      topics: [
        { ...named('gone', OTHER_ID), partitions: [partitionCommit(0, 1)] },
        { ...named('t', TOPIC_ID), partitions: [partitionCommit(7, 1), partitionCommit(0, 42)] },
      ],
    });
    assert.deepEqual(
      topics.map((topic) => [byId ? topic.topicId : topic.name, topic.partitions.map(({ errorCode }) => errorCode)]),
      [
        [byId ? OTHER_ID : 'gone', [byId ? UNKNOWN_TOPIC_ID : UNKNOWN_TOPIC_OR_PARTITION]],
        [byId ? TOPIC_ID : 't', [UNKNOWN_TOPIC_OR_PARTITION, NONE]],
      ],
    );
    if (version === 0) assert.equal(znodes.get('/consumers/g/offsets/t/0'), '42');
    else assert.equal(world.offset(), 42);
    for (const fetchVersion of version === 0 ? [0] : [1, 2, 5, 6, 7]) {
      const fetched = await ask(offsetFetchHandler(broker), [OffsetFetchRequest, OffsetFetchResponse], fetchVersion, {
        groupId: 'g',
        topics: [{ name: 't', partitionIndexes: [0, 7] }],
      });
      const metadata = fetchVersion === 0 ? '' : 'note';
      assert.deepEqual(
        fetched.topics[0]!.partitions.map((one) => [one.committedOffset, one.metadata, one.errorCode]),
        [
          [42, metadata, NONE],
          [-1, '', fetchVersion === 0 ? UNKNOWN_TOPIC_OR_PARTITION : NONE],
        ],
      );
    }
  });
}

test('of a partition that is named twice the last offset counts, and it is answered once', async () => {
  const { broker, world, znodes } = brokerWorld();
  znodes.set('/consumers/g/offsets/t/0', '');
  const topics = [
    {
      name: 't',
      topicId: ZERO_UUID,
      partitions: [partitionCommit(0, 1), partitionCommit(7, 1), partitionCommit(7, 2)],
    },
    { name: 't', topicId: ZERO_UUID, partitions: [partitionCommit(0, 2)] },
  ];
  const answered = [
    [
      't',
      [
        [7, UNKNOWN_TOPIC_OR_PARTITION],
        [7, UNKNOWN_TOPIC_OR_PARTITION],
        [0, NONE],
      ],
    ],
  ];
  type Told = { name: string; partitions: { partitionIndex: number; errorCode: number }[] };
  const told = ({ topics: answers }: { topics: readonly Told[] }) =>
    answers.map(({ name, partitions }) => [
      name,
      partitions.map(({ partitionIndex, errorCode }) => [partitionIndex, errorCode]),
    ]);
  const commit = offsetCommitHandler(broker);
  const plain = await ask(commit, [OffsetCommitRequest, OffsetCommitResponse], 7, { groupId: 'g', topics });
  assert.deepEqual(told(plain), answered);
  assert.equal(world.offset(), 2);
  const old = await ask(commit, [OffsetCommitRequest, OffsetCommitResponse], 0, { groupId: 'g', topics });
  assert.equal(old.topics[0]?.partitions.length, 4, 'version 0 answers each time');
  assert.equal(znodes.get('/consumers/g/offsets/t/0'), '2');
  const within = await ask(txnOffsetCommitHandler(broker), [TxnOffsetCommitRequest, TxnOffsetCommitResponse], 3, {
    groupId: 'g',
    transactionalId: 'x',
    producerId: 9,
    topics,
  });
  assert.deepEqual(told(within), answered);
  const offsetsOf = (partitionIndexes: number[]) => partitionIndexes.map((partitionIndex) => ({ partitionIndex }));
  const deleted = await ask(offsetDeleteHandler(broker), [OffsetDeleteRequest, OffsetDeleteResponse], 0, {
    groupId: 'g',
    topics: [{ name: 't', partitions: offsetsOf([0, 7, 7, 0]) }],
  });
  assert.deepEqual(told(deleted), answered);
});

test('many groups are fetched at once, by name and from version 10 on by id', async () => {
  const { broker, world } = brokerWorld();
  world.commit(5);
  world.commit(6, { groupId: 'other' });
  world.commit(7, { topic: 'without-id' });
  const fetch = (version: number, groups: Value<typeof OffsetFetchRequest.fields>['groups']) =>
    ask(offsetFetchHandler(broker), [OffsetFetchRequest, OffsetFetchResponse], version, { groups });
  const group = (groupId: string, topics: { name: string; topicId: string; partitionIndexes: number[] }[] | null) => ({
    groupId,
    memberId: null,
    memberEpoch: -1,
    topics,
  });
  const t = { name: 't', topicId: ZERO_UUID, partitionIndexes: [0] };
  const byName = await fetch(9, [group('g', [t]), group('other', null), group('none', null)]);
  assert.deepEqual(
    byName.groups.map((one) => [
      one.groupId,
      one.topics.flatMap(({ partitions }) => partitions.map((p) => p.committedOffset)),
    ]),
    [
      ['g', [5]],
      ['other', [6]],
      ['none', []],
    ],
  );
  const byId = await fetch(10, [
    group('g', [
      { name: '', topicId: OTHER_ID, partitionIndexes: [0] },
      { name: '', topicId: TOPIC_ID, partitionIndexes: [0] },
    ]),
    group('g', null),
  ]);
  assert.deepEqual(
    byId.groups.map(({ topics }) =>
      topics.map((one) => [one.topicId, one.partitions[0]!.committedOffset, one.partitions[0]!.errorCode]),
    ),
    [
      [
        [OTHER_ID, -1, UNKNOWN_TOPIC_ID],
        [TOPIC_ID, 5, NONE],
      ],
      [[TOPIC_ID, 5, NONE]],
    ],
  );
});

test('an error of the whole group stands where the version has a place for it', async () => {
  const { broker, world } = brokerWorld();
  world.coordinator.onResigned(0);
  const topics = [{ name: 't', partitionIndexes: [0] }];
  const fetch = (version: number, body: Partial<OffsetFetchRequest>) =>
    ask(offsetFetchHandler(broker), [OffsetFetchRequest, OffsetFetchResponse], version, body);
  const one = await fetch(1, { groupId: 'g', topics });
  assert.equal(one.topics[0]!.partitions[0]!.errorCode, ErrorCode.NOT_COORDINATOR);
  const two = await fetch(2, { groupId: 'g', topics });
  assert.deepEqual([two.errorCode, two.topics], [ErrorCode.NOT_COORDINATOR, []]);
  const eight = await fetch(8, { groups: [{ groupId: 'g', memberId: null, memberEpoch: -1, topics: null }] });
  assert.equal(eight.groups[0]!.errorCode, ErrorCode.NOT_COORDINATOR);
});

test('the coordinator of a group is the leader of its partition, on the listener that the client came by', async () => {
  for (const version of versionsOf(findCoordinatorHandler({} as BrokerContext))) {
    const { broker } = brokerWorld();
    const find = (key: string, keyType: number) =>
      ask(findCoordinatorHandler(broker), [FindCoordinatorRequest, FindCoordinatorResponse], version, {
        ...(version >= 4 ? { coordinatorKeys: [key] } : { key }),
        ...(version >= 1 ? { keyType } : {}),
      });
    const answer = await find('g', 0);
    const found = version >= 4 ? answer.coordinators[0]! : answer;
    assert.deepEqual([found.errorCode, found.nodeId, found.host, found.port], [NONE, 1, 'h', 9], `version ${version}`);
    if (version === 1) assert.equal(answer.errorMessage, 'NONE');
    if (version >= 4) {
      const shared = await find('g:t:0', 2);
      assert.equal(shared.coordinators[0]!.errorCode, ErrorCode.INVALID_REQUEST);
    }
  }
});

test('the first question for a coordinator brings the offsets topic into being', async () => {
  const { broker, created } = brokerWorld({ hasOffsetsTopic: false });
  const answer = await ask(findCoordinatorHandler(broker), [FindCoordinatorRequest, FindCoordinatorResponse], 3, {
    key: 'g',
  });
  assert.deepEqual([answer.errorCode, answer.nodeId, answer.port], [ErrorCode.COORDINATOR_NOT_AVAILABLE, -1, -1]);
  assert.equal(answer.errorMessage, 'The coordinator is not available.');
  assert.deepEqual(created, [OFFSETS_TOPIC]);
});

test('groups are deleted each once, and no error has a text, as with Apache', async () => {
  for (const version of versionsOf(deleteGroupsHandler({} as BrokerContext))) {
    const { broker, world } = brokerWorld();
    world.commit(1);
    const { results } = await ask(deleteGroupsHandler(broker), [DeleteGroupsRequest, DeleteGroupsResponse], version, {
      groupsNames: ['g', 'none', 'g'],
    });
    assert.deepEqual(
      results.map(({ groupId, errorCode, errorMessage }) => [groupId, errorCode, errorMessage]),
      [
        ['g', NONE, null],
        ['none', ErrorCode.GROUP_ID_NOT_FOUND, null],
      ],
    );
  }
});

test('offsets are deleted partition by partition', async () => {
  const { broker, world } = brokerWorld();
  world.commit(1);
  world.commit(1, { topic: 'u' });
  const body = {
    topics: [
      { name: 'gone', partitions: [{ partitionIndex: 0 }] },
      { name: 't', partitions: [{ partitionIndex: 9 }, { partitionIndex: 0 }] },
    ],
  };
  const remove = (groupId: string) =>
    ask(offsetDeleteHandler(broker), [OffsetDeleteRequest, OffsetDeleteResponse], 0, { groupId, ...body });
  const { errorCode, topics } = await remove('g');
  assert.equal(errorCode, NONE);
  assert.deepEqual(
    topics.map(({ name, partitions }) => [name, partitions.map((one) => one.errorCode)]),
    [
      ['gone', [UNKNOWN_TOPIC_OR_PARTITION]],
      ['t', [UNKNOWN_TOPIC_OR_PARTITION, NONE]],
    ],
  );
  assert.deepEqual([world.offset('t'), world.offset('u')], [-1, 1]);
  assert.deepEqual(await remove('none').then((answer) => [answer.errorCode, answer.topics]), [
    ErrorCode.GROUP_ID_NOT_FOUND,
    [],
  ]);
});
