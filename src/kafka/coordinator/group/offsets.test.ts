import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../../protocol/errors.ts';
import { encodeRecord } from './group-records.ts';
import { GROUP, GroupWorld, SESSION_MS, subscription, WALL_START_MS } from './testkit/group-world.ts';

const DAY_MS = 24 * 3_600_000;
const RETENTION_MS = 7 * DAY_MS;
const { NONE } = ErrorCode;

const hex = (bytes: Uint8Array | null): string | null => bytes && Buffer.from(bytes).toString('hex');

// ---- bytes

test('records are written as Apache 3.9 writes them', () => {
  const commit = encodeRecord({
    kind: 'offset',
    group: 'g1',
    topic: 'demo',
    partition: 0,
    value: { offset: 0, leaderEpoch: -1, metadata: '', commitTimestampMs: 0x1a208026b0d, expireTimestampMs: -1 },
  });
  assert.equal(hex(commit.key), '000100026731000464656d6f00000000');
  assert.equal(hex(commit.value), '00030000000000000000ffffffff0000000001a208026b0d');
  const world = new GroupWorld();
  const { ids } = world.stable();
  world.leave({ memberId: ids[0]! });
  const record = world.topic.records(0).at(-1)!;
  const empty = encodeRecord({ ...record, group: 'g1' } as typeof record);
  assert.equal(hex(empty.key), '000200026731');
  // Generation 2, no protocol, no leader, the time of the change, no members.
  assert.match(hex(empty.value)!, /^00030008636f6e73756d657200000002ffffffff[0-9a-f]{16}00000000$/);
});

test('a commit that asks for a retention time of its own carries its expiry in version 1', () => {
  const world = new GroupWorld();
  world.commit(5, { retentionTimeMs: 1000 });
  const [record] = world.topic.records(0);
  assert.equal(hex(encodeRecord(record!).value)!.slice(0, 4), '0001');
  assert.equal(
    record!.kind === 'offset' && record!.value!.expireTimestampMs,
    Math.floor(WALL_START_MS + world.nowMs) + 1000,
  );
});

// ---- commit and fetch

test('what was committed is fetched; what was not is -1 without an error', () => {
  const world = new GroupWorld();
  assert.equal(world.commit(42, { metadata: null }).answer, NONE);
  world.commit(43, { partition: 1, metadata: 'note' });
  const [topic] = world.fetch([{ name: 't', partitionIndexes: [0, 1, 2] }]).topics;
  assert.deepEqual(
    topic!.partitions.map(({ committedOffset, metadata, errorCode }) => [committedOffset, metadata, errorCode]),
    [
      [42, '', NONE],
      [43, 'note', NONE],
      [-1, '', NONE],
    ],
  );
  assert.equal(world.offset('t', 0, 'nobody'), -1);
});

test('all topics of a group are fetched by asking for none', () => {
  const world = new GroupWorld();
  world.commit(1, { topic: 'a' });
  world.commit(2, { topic: 'b', partition: 3 });
  assert.deepEqual(
    world.fetch(null).topics.map(({ name, partitions }) => [name, partitions.map((one) => one.partitionIndex)]),
    [
      ['a', [0]],
      ['b', [3]],
    ],
  );
  assert.deepEqual(world.fetch(null, { group: 'nobody' }).topics, []);
});

test('a commit counts, and is answered, when it is in the log', () => {
  const world = new GroupWorld();
  world.commit(1);
  world.topic.isHeld = true;
  const committed = world.commit(2);
  assert.equal(committed.count, 0);
  assert.equal(world.offset(), 1);
  const stable = world.fetch([{ name: 't', partitionIndexes: [0] }], { requireStable: true });
  assert.equal(stable.topics[0]?.partitions[0]?.errorCode, ErrorCode.UNSTABLE_OFFSET_COMMIT);
  world.topic.commit();
  assert.equal(committed.answer, NONE);
  assert.equal(world.offset(), 2);
});

test('metadata that is too long, and offsets that no number holds, are refused one by one', () => {
  const world = new GroupWorld({ offsetMetadataLengthMax: 3 });
  assert.equal(world.commit(1, { metadata: 'four' }).answer, ErrorCode.OFFSET_METADATA_TOO_LARGE);
  assert.equal(world.commit(Number.POSITIVE_INFINITY).answer, ErrorCode.INVALID_COMMIT_OFFSET_SIZE);
  assert.equal(world.topic.endOffset(0), 0);
});

const appendErrors: readonly { error: number; told: number; isWritten: boolean; left: number }[] = [
  { error: ErrorCode.NOT_ENOUGH_REPLICAS, told: ErrorCode.COORDINATOR_NOT_AVAILABLE, isWritten: false, left: 1 },
  { error: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, told: ErrorCode.COORDINATOR_NOT_AVAILABLE, isWritten: false, left: 1 },
  { error: ErrorCode.NOT_LEADER_OR_FOLLOWER, told: ErrorCode.NOT_COORDINATOR, isWritten: false, left: 1 },
  { error: ErrorCode.MESSAGE_TOO_LARGE, told: ErrorCode.INVALID_COMMIT_OFFSET_SIZE, isWritten: false, left: 1 },
  // These are in the log: what we say must be what the next coordinator will say.
  { error: ErrorCode.REQUEST_TIMED_OUT, told: ErrorCode.REQUEST_TIMED_OUT, isWritten: true, left: 2 },
  {
    error: ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    told: ErrorCode.COORDINATOR_NOT_AVAILABLE,
    isWritten: true,
    left: 2,
  },
];
for (const { error, told, isWritten, left } of appendErrors) {
  test(`a commit whose append ends with ${error} is answered with ${told}, and the offset is ${left}`, () => {
    const world = new GroupWorld();
    world.commit(1);
    world.topic.failures.push({ errorCode: error, isWritten });
    assert.equal(world.commit(2).answer, told);
    assert.equal(world.offset(), left);
    world.restart();
    assert.equal(world.offset(), left, 'as after a restart');
  });
}

for (const isWritten of [true, false]) {
  test(`an append in doubt (written: ${isWritten}) makes the coordinator read the log again`, () => {
    const world = new GroupWorld();
    world.commit(1);
    const { ids, generation } = world.stable();
    world.topic.failures.push({ errorCode: ErrorCode.KAFKA_STORAGE_ERROR, isWritten });
    const waiting = world.enter();
    const member = { memberId: ids[0]!, generationIdOrMemberEpoch: generation };
    assert.equal(world.commit(2, member).answer, ErrorCode.NOT_COORDINATOR);
    assert.equal(waiting.joined.answer!.errorCode, ErrorCode.NOT_COORDINATOR);
    assert.equal(world.fetch().errorCode, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
    world.run(10);
    assert.equal(world.offset(), isWritten ? 2 : 1);
    assert.equal(world.heartbeat(ids[0]!, generation), NONE, 'the last stored generation goes on');
  });
}

test('appends that are under way while one is in doubt are in the log that is read again', () => {
  const world = new GroupWorld();
  world.topic.isHeld = true;
  world.topic.failures.push({ errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, isWritten: false });
  const [first, second] = [world.commit(1), world.commit(2, { partition: 1 })];
  world.topic.commit(1);
  assert.equal(first.answer, ErrorCode.UNKNOWN_SERVER_ERROR);
  world.run(50);
  assert.equal(world.fetch().errorCode, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, 'it waits for the second');
  world.topic.commit();
  assert.equal(second.answer, NONE);
  world.run(50);
  assert.deepEqual([world.offset(), world.offset('t', 1)], [-1, 2]);
});

// ---- expiry (KIP-211)

function emptyGroup(config: ConstructorParameters<typeof GroupWorld>[0] = {}) {
  const world = new GroupWorld(config);
  const { ids, generation } = world.stable();
  world.commit(5, { memberId: ids[0]!, generationIdOrMemberEpoch: generation });
  world.leave({ memberId: ids[0]! });
  return world;
}

test('the offsets of an empty group expire with the group, counted from the day it became empty', () => {
  const world = new GroupWorld({ retentionCheckIntervalMs: 3_600_000 });
  world.coordinator.start();
  const { ids, generation } = world.stable(1, { sessionTimeoutMs: 1_800_000 });
  world.commit(5, { memberId: ids[0]!, generationIdOrMemberEpoch: generation });
  for (let halfHour = 0; halfHour < 20; halfHour += 1) {
    world.run(1_700_000);
    world.heartbeat(ids[0]!, generation);
  }
  world.leave({ memberId: ids[0]! });
  world.run(RETENTION_MS - 1000);
  assert.equal(world.offset(), 5);
  world.run(3_602_000);
  assert.equal(world.offset(), -1);
  assert.equal(world.state, 'Dead');
  assert.deepEqual(
    world.topic
      .records(0)
      .slice(-2)
      .map(({ kind, value }) => [kind, value]),
    [
      ['offset', null],
      ['metadata', null],
    ],
  );
  world.restart();
  assert.deepEqual(world.list().groups, []);
});

test('offsets without a group expire one by one, by the time of their commit', () => {
  const world = new GroupWorld({ retentionCheckIntervalMs: 3_600_000 });
  world.coordinator.start();
  world.commit(1);
  world.run(DAY_MS);
  world.commit(2, { partition: 1 });
  world.run(RETENTION_MS - DAY_MS + 3_601_000);
  assert.deepEqual([world.offset('t', 0), world.offset('t', 1)], [-1, 2]);
  world.run(DAY_MS + 3_601_000);
  assert.equal(world.state, 'Dead');
  assert.ok(
    world.topic.records(0).every(({ kind }) => kind === 'offset'),
    'there was no metadata to forget',
  );
});

test('a stable group of consumers keeps the offsets of what it subscribes to', () => {
  const world = new GroupWorld({ retentionCheckIntervalMs: 600_000, offsetsRetentionMs: 3_600_000 });
  world.coordinator.start();
  const { ids, generation } = world.stable(1, { sessionTimeoutMs: 1_800_000 });
  const member = { memberId: ids[0]!, generationIdOrMemberEpoch: generation };
  world.commit(1, { ...member, topic: 't' });
  world.commit(1, { ...member, topic: 'left-behind' });
  for (let count = 0; count < 3; count += 1) {
    world.run(1_500_000);
    world.heartbeat(ids[0]!, generation);
  }
  assert.deepEqual([world.offset('t'), world.offset('left-behind')], [1, -1]);
});

test('nothing expires in groups of others, nor in the course of a rebalance', () => {
  const config = { retentionCheckIntervalMs: 600_000, offsetsRetentionMs: 60_000 };
  const connect = new GroupWorld(config);
  connect.coordinator.start();
  const long = { protocolType: 'connect', sessionTimeoutMs: 1_800_000, rebalanceTimeoutMs: 1_800_000 };
  const { ids, generation } = connect.stable(1, long);
  connect.commit(1, { memberId: ids[0]!, generationIdOrMemberEpoch: generation });
  connect.run(700_000);
  assert.equal(connect.offset(), 1);
  const rebalancing = new GroupWorld(config);
  rebalancing.coordinator.start();
  const consumers = rebalancing.stable(1, { ...long, protocolType: 'consumer' });
  const member = { memberId: consumers.ids[0]!, generationIdOrMemberEpoch: consumers.generation };
  rebalancing.commit(1, { ...member, topic: 'u' });
  rebalancing.join({ version: 3, sessionTimeoutMs: 1_800_000, rebalanceTimeoutMs: 1_800_000 });
  rebalancing.run(650_000);
  assert.equal(rebalancing.state, 'PreparingRebalance');
  assert.equal(rebalancing.offset('u'), 1);
});

test('an expiry time of its own counts for an offset, in either direction', () => {
  const world = new GroupWorld({ retentionCheckIntervalMs: 600_000, offsetsRetentionMs: 3_600_000 });
  world.coordinator.start();
  world.commit(1, { partition: 1, retentionTimeMs: 60_000 });
  world.commit(2, { partition: 2, retentionTimeMs: 2 * 3_600_000 });
  world.run(601_000);
  assert.deepEqual([world.offset('t', 1), world.offset('t', 2)], [-1, 2]);
  world.run(4_200_000);
  assert.equal(world.offset('t', 2), 2);
  world.run(3_600_000);
  assert.equal(world.offset('t', 2), -1);
});

test('an offset that is being committed again does not expire', () => {
  const world = new GroupWorld({ retentionCheckIntervalMs: 600_000, offsetsRetentionMs: 300_000 });
  world.coordinator.start();
  world.commit(1);
  world.run(599_000);
  world.topic.isHeld = true;
  const committed = world.commit(2);
  world.run(2000);
  world.topic.commit();
  assert.equal(committed.answer, NONE);
  assert.equal(world.offset(), 2);
  world.restart();
  assert.equal(world.offset(), 2);
});

test('a group whose tombstones cannot be written comes back, and goes at the next try', () => {
  const world = emptyGroup({ retentionCheckIntervalMs: 600_000, offsetsRetentionMs: 300_000 });
  world.coordinator.start();
  world.topic.failures.push({ errorCode: ErrorCode.NOT_ENOUGH_REPLICAS, isWritten: false });
  world.run(601_000);
  assert.deepEqual([world.state, world.offset()], ['Empty', 5]);
  world.run(600_000);
  assert.deepEqual([world.state, world.offset()], ['Dead', -1]);
});

test('an empty group that never had anything goes without a trace', () => {
  const world = new GroupWorld();
  world.coordinator.start();
  world.join();
  world.run(SESSION_MS + 10);
  assert.equal(world.state, 'Empty');
  world.run(600_000);
  assert.equal(world.state, 'Dead');
  assert.equal(world.topic.endOffset(0), 0);
});

// ---- deletion

test('requests for a group that is being deleted wait until its tombstones are in the log', () => {
  const world = emptyGroup();
  world.topic.isHeld = true;
  const deleted = world.deleteGroup();
  assert.equal(world.state, 'Dead');
  const again = world.deleteGroup();
  const stranger = world.join({ memberId: 'x' });
  const newcomer = world.join();
  assert.deepEqual([deleted.count, again.count, stranger.count, newcomer.count], [0, 0, 0, 0]);
  world.topic.commit();
  assert.deepEqual([deleted.answer, again.answer], [NONE, ErrorCode.GROUP_ID_NOT_FOUND]);
  assert.equal(stranger.answer?.errorCode, ErrorCode.UNKNOWN_MEMBER_ID);
  assert.equal(newcomer.answer?.errorCode, ErrorCode.MEMBER_ID_REQUIRED);
  assert.equal(world.offset(), -1);
  world.topic.isHeld = false;
  world.restart();
  assert.deepEqual(world.list().groups, []);
});

test('a deletion covers what is on its way into the log', () => {
  const world = new GroupWorld();
  world.topic.isHeld = true;
  const committed = world.commit(1);
  const deleted = world.deleteGroup();
  world.topic.commit();
  assert.deepEqual([committed.answer, deleted.answer], [NONE, NONE]);
  world.topic.isHeld = false;
  world.restart();
  assert.equal(world.offset(), -1);
});

test('offsets are deleted where the group does not use them', () => {
  const world = new GroupWorld();
  const { ids, generation } = world.stable(1, { protocols: { range: subscription('used') } });
  const member = { memberId: ids[0]!, generationIdOrMemberEpoch: generation };
  for (const topic of ['used', 'unused']) world.commit(3, { ...member, topic });
  const both = [
    { topic: 'used', partition: 0 },
    { topic: 'unused', partition: 0 },
  ];
  assert.deepEqual(world.deleteOffsets(...both), {
    errorCode: NONE,
    errors: [ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC, NONE],
  });
  assert.deepEqual([world.offset('used'), world.offset('unused')], [3, -1]);
  assert.deepEqual(world.deleteOffsets(both[0]!), { errorCode: NONE, errors: [ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC] });
  world.leave({ memberId: ids[0]! });
  assert.deepEqual(world.deleteOffsets({ topic: 'used', partition: 0 }, { topic: 'never', partition: 1 }), {
    errorCode: NONE,
    errors: [NONE, NONE],
  });
  assert.equal(world.state, 'Dead', 'nothing was left of the group');
  const forgotten = world.topic.records(0).filter(({ kind, value }) => kind === 'offset' && value === null);
  assert.deepEqual(
    forgotten.map((record) => record.kind === 'offset' && record.topic),
    ['unused', 'used'],
    'no tombstone for what was never there',
  );
});

test('offsets of other kinds of groups are deleted only while they are empty', () => {
  const world = new GroupWorld();
  assert.equal(world.deleteOffsets({ topic: 't', partition: 0 }).errorCode, ErrorCode.GROUP_ID_NOT_FOUND);
  world.stable(1, { protocolType: 'connect' });
  assert.equal(world.deleteOffsets({ topic: 't', partition: 0 }).errorCode, ErrorCode.NON_EMPTY_GROUP);
});

test('a consumer group whose subscriptions nobody can read counts as subscribed to all', () => {
  const world = new GroupWorld();
  const { ids, generation } = world.stable(1, { protocols: { own: new Uint8Array([0xff]) } });
  world.commit(3, { memberId: ids[0]!, generationIdOrMemberEpoch: generation });
  assert.deepEqual(world.deleteOffsets({ topic: 't', partition: 0 }).errors, [ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC]);
});

test('deleted partitions take their offsets with them, in every group and for good', () => {
  const world = new GroupWorld({}, 3);
  for (const groupId of ['a', 'b', 'c', 'd']) {
    world.commit(1, { groupId, topic: 'gone' });
    world.commit(1, { groupId, topic: 'gone', partition: 1 });
    world.commit(2, { groupId, topic: 'kept' });
  }
  world.coordinator.onPartitionsDeleted(['gone', 'unknown'].map((topic) => ({ topic, partition: 0 })));
  const offsets = (): (number | undefined)[] => ['a', 'b', 'c', 'd'].map((group) => world.offset('gone', 0, group));
  assert.deepEqual(offsets(), [-1, -1, -1, -1]);
  world.restart();
  assert.deepEqual(offsets(), [-1, -1, -1, -1]);
  assert.deepEqual([world.offset('kept', 0, 'c'), world.offset('gone', 1, 'c')], [2, 1]);
});

test('a group without members ends with its last offset when partitions are deleted, and one that never had any too', () => {
  const world = new GroupWorld();
  world.commit(1, { topic: 'gone' });
  world.commit(1, { groupId: 'other', topic: 'kept' });
  // A refused commit leaves a group behind, and so does a member that has been given an id.
  world.commit(1, { groupId: 'refused', metadata: 'x'.repeat(5000) });
  const { memberId } = world.join({ group: 'pending' }).answer!;
  const ids = (): string[] =>
    world
      .list()
      .groups.map(({ groupId }) => groupId)
      .sort();
  assert.deepEqual(ids(), [GROUP, 'other', 'pending', 'refused'].sort());
  world.coordinator.onPartitionsDeleted([{ topic: 'gone', partition: 0 }]);
  assert.deepEqual(ids(), ['other']);
  assert.equal(world.join({ group: 'pending', memberId }).answer?.errorCode, ErrorCode.UNKNOWN_MEMBER_ID);
});

// ---- describe and list

test('a stable group is described with what its members subscribe to and own, another without', () => {
  const world = new GroupWorld();
  const { ids } = world.stable(1, { clientId: 'me', host: '10.0.0.7' });
  const { groupState, protocolType, protocolData, members } = world.describe();
  assert.deepEqual([groupState, protocolType, protocolData], ['Stable', 'consumer', 'range']);
  const [member] = members;
  assert.deepEqual([member!.memberId, member!.clientId, member!.clientHost], [ids[0], 'me', '/10.0.0.7']);
  assert.equal(hex(member!.memberMetadata), hex(subscription('t')));
  assert.equal(Buffer.from(member!.memberAssignment).toString(), 'part 0');
  world.enter();
  const rebalancing = world.describe();
  assert.deepEqual([rebalancing.protocolData, rebalancing.members[0]!.memberMetadata.length], ['', 0]);
  assert.deepEqual([world.describe('nobody').groupState, world.describe('nobody').errorCode], ['Dead', NONE]);
});

test('groups are listed by state and type, without regard to case', () => {
  const world = new GroupWorld({}, 4);
  world.stable();
  world.commit(1, { groupId: 'alone' });
  const ids = (states: string[], types: string[] = []): string[] =>
    world
      .list(states, types)
      .groups.map(({ groupId }) => groupId)
      .sort();
  assert.deepEqual(ids([]), ['alone', GROUP]);
  assert.deepEqual(ids(['stable']), [GROUP]);
  assert.deepEqual(ids(['EMPTY', 'Stable'], ['Classic']), ['alone', GROUP]);
  assert.deepEqual(ids([], ['consumer']), []);
  assert.deepEqual(world.list(['Empty']).groups, [
    { groupId: 'alone', protocolType: '', groupState: 'Empty', groupType: 'classic' },
  ]);
});
