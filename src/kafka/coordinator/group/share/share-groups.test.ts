import assert from 'node:assert/strict';
import test from 'node:test';
import { build } from '../../../../wire/schema.ts';
import { ErrorCode } from '../../../protocol/errors.ts';
import {
  ShareGroupHeartbeatRequest,
  type ShareGroupHeartbeatResponse,
} from '../../../protocol/messages/76-share-group-heartbeat.ts';
import type { GroupCoordinator } from '../group-coordinator.ts';
import { groupClient } from '../testkit/group-client.ts';
import { GROUP, GroupWorld, SHARES } from '../testkit/group-world.ts';
import type { SharesInMemory } from '../testkit/shares-in-memory.ts';
import type { DescribedShareGroup } from './describe-share.ts';
import { alterOffsets, deleteOffsets } from './share-offsets.ts';
import { shareGroupHeartbeat, shareGroupOf } from './share-requests.ts';

/** A world in which members of share groups live. */
class World {
  readonly groups = new GroupWorld();

  get coordinator(): GroupCoordinator {
    return this.groups.coordinator;
  }

  get keeper(): SharesInMemory {
    return this.groups.keeper;
  }

  run(ms: number): void {
    this.groups.run(ms);
  }

  restart(): void {
    this.groups.restart();
    this.run(100);
  }

  beat(memberId: string, memberEpoch: number, topics: readonly string[] | null = null): ShareGroupHeartbeatResponse {
    let found: ShareGroupHeartbeatResponse | undefined;
    const request = build(ShareGroupHeartbeatRequest, {
      groupId: GROUP,
      memberId,
      memberEpoch,
      subscribedTopicNames: topics === null ? null : [...topics],
    });
    shareGroupHeartbeat(this.coordinator, request, groupClient({ apiVersion: 1 }), (response) => {
      found = response;
    });
    assert.ok(found, 'an answer');
    return found;
  }

  /** Joins, and goes on until the partitions' delivery state is made. */
  settled(memberId: string): ShareGroupHeartbeatResponse {
    this.beat(memberId, 0, ['t']);
    this.run(SHARES.assignmentIntervalMs);
    return this.beat(memberId, 0, ['t']);
  }

  describe(): DescribedShareGroup {
    let found: DescribedShareGroup | undefined;
    shareGroupOf(this.coordinator, GROUP, (group) => {
      found = group;
    });
    assert.ok(found);
    return found;
  }

  delete(): number {
    let found = -1;
    this.coordinator.admin.delete(GROUP, (errorCode) => {
      found = errorCode;
    });
    return found;
  }
}

function world(): World {
  const made = new World();
  made.groups.image.set('t', 3);
  return made;
}

const unavailable = (errorCode: number): void => assert.fail(`error ${errorCode}`);

const partitionsOf = ({ assignment }: ShareGroupHeartbeatResponse): number[] | undefined =>
  assignment?.topicPartitions.flatMap(({ partitions }) => partitions);

test('a member has partitions once their delivery state is made', () => {
  const made = world();
  const joined = made.beat('a', 0, ['t']);
  assert.deepEqual([joined.memberEpoch, partitionsOf(joined)], [2, []]);
  assert.equal(made.keeper.states.size, 3);
  made.run(SHARES.assignmentIntervalMs);
  const next = made.beat('a', 2);
  assert.deepEqual([next.memberEpoch, partitionsOf(next)], [3, [0, 1, 2]]);
  assert.equal(made.beat('a', 3).assignment, null, 'what is known is not told again');
});

test('delivery state that could not be made is made at the next sign of life', () => {
  const made = world();
  made.keeper.failures.push(ErrorCode.COORDINATOR_NOT_AVAILABLE);
  made.beat('a', 0, ['t']);
  assert.equal(made.keeper.states.size, 2);
  made.run(SHARES.assignmentIntervalMs);
  assert.deepEqual(partitionsOf(made.beat('a', 2)), [1, 2]);
  assert.equal(made.keeper.states.size, 3);
  made.run(SHARES.assignmentIntervalMs);
  assert.deepEqual(partitionsOf(made.beat('a', 3)), [0, 1, 2]);
});

test('members share at once, with nothing to give up first', () => {
  const made = world();
  made.settled('a');
  made.run(SHARES.assignmentIntervalMs);
  const other = made.beat('b', 0, ['t']);
  const first = made.beat('a', 3);
  assert.deepEqual([...partitionsOf(other)!, ...partitionsOf(first)!].sort(), [0, 1, 2]);
  assert.equal(first.memberEpoch, other.memberEpoch);
});

test('an epoch that is not the last or the one before is refused', () => {
  const made = world();
  made.settled('a');
  assert.equal(made.beat('a', 2).errorCode, ErrorCode.NONE, 'the answer may have been lost');
  assert.equal(made.beat('a', 1).errorCode, ErrorCode.FENCED_MEMBER_EPOCH);
  assert.equal(made.beat('a', 4).errorCode, ErrorCode.FENCED_MEMBER_EPOCH);
  assert.equal(made.beat('nobody', 3).errorCode, ErrorCode.UNKNOWN_MEMBER_ID);
});

test('a group takes only so many members', () => {
  const made = world();
  for (const id of ['a', 'b', 'c']) assert.equal(made.beat(id, 0, ['t']).errorCode, ErrorCode.NONE);
  assert.equal(made.beat('d', 0, ['t']).errorCode, ErrorCode.GROUP_MAX_SIZE_REACHED);
});

test('who is not heard of leaves, and the others have its partitions', () => {
  const made = world();
  made.settled('a');
  made.beat('b', 0, ['t']);
  made.run(SHARES.sessionTimeoutMs / 2);
  const before = made.beat('a', 3).memberEpoch;
  made.run(SHARES.sessionTimeoutMs / 2 + 1000);
  assert.deepEqual(partitionsOf(made.beat('a', before, ['t'])), [0, 1, 2]);
  assert.deepEqual(
    made.describe().members.map(({ memberId }) => memberId),
    ['a'],
  );
});

test('a restart finds members and assignments, and gives them a whole session', () => {
  const made = world();
  const { memberEpoch } = made.settled('a');
  const before = made.describe();
  made.restart();
  assert.deepEqual(made.describe(), before);
  made.run(SHARES.sessionTimeoutMs - 1000);
  assert.equal(made.beat('a', memberEpoch).errorCode, ErrorCode.NONE);
});

test('a group that members left is deleted with its delivery state', () => {
  const made = world();
  made.settled('a');
  assert.equal(made.delete(), ErrorCode.NON_EMPTY_GROUP);
  assert.equal(made.beat('a', -1).memberEpoch, -1);
  assert.equal(made.describe().groupState, 'Empty');
  assert.equal(made.delete(), ErrorCode.NONE);
  assert.equal(made.keeper.states.size, 0);
  assert.equal(made.describe().errorCode, ErrorCode.GROUP_ID_NOT_FOUND);
  made.restart();
  assert.equal(made.describe().errorCode, ErrorCode.GROUP_ID_NOT_FOUND);
});

test('offsets are altered and deleted while nobody reads', () => {
  const made = world();
  made.settled('a');
  const codes: number[] = [];
  const alter = (): void =>
    made.coordinator.onShares(GROUP, unavailable, (shares) => {
      const topics = [
        {
          topicName: 't',
          partitions: [
            { partitionIndex: 0, startOffset: 7 },
            { partitionIndex: 9, startOffset: 7 },
          ],
        },
      ];
      alterOffsets(shares, { groupId: GROUP, topics }, ({ errorCode, responses }) => {
        codes.push(errorCode, ...responses.flatMap(({ partitions }) => partitions.map((one) => one.errorCode)));
      });
    });
  alter();
  assert.deepEqual(codes.splice(0), [ErrorCode.NON_EMPTY_GROUP]);
  made.beat('a', -1);
  alter();
  assert.deepEqual(codes.splice(0), [ErrorCode.NONE, ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]);
  assert.equal([...made.keeper.states.values()].filter(({ startOffset }) => startOffset === 7).length, 1);
  made.coordinator.onShares(GROUP, unavailable, (shares) =>
    deleteOffsets(shares, GROUP, ['t', 'nope'], ({ responses }) => {
      codes.push(...responses.map((one) => one.errorCode));
    }),
  );
  assert.deepEqual(codes, [ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]);
  assert.equal(made.keeper.states.size, 0);
});

test('a classic group keeps its id to itself, and a share group too', () => {
  const made = world();
  made.settled('a');
  assert.equal(made.groups.join().answer?.errorCode, ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
  const other = world();
  other.groups.join();
  other.run(4000);
  const refused = other.beat('a', 0, ['t']);
  assert.deepEqual(
    [refused.errorCode, refused.errorMessage],
    [ErrorCode.GROUP_ID_NOT_FOUND, `Group ${GROUP} is not a share group.`],
  );
});
