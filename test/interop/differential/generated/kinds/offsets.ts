import { type Draw, requestKind } from '../kind.ts';

interface CommitArgs {
  readonly version: number;
  readonly group: string;
  readonly as: 'member' | 'nobody' | 'stranger';
  readonly topic: string;
  readonly partitions: readonly {
    readonly partitionIndex: number;
    readonly committedOffset: number;
    readonly committedMetadata: string | null;
  }[];
}

function committed(draw: Draw): string {
  return draw.chance(0.1) ? 'missing' : draw.topic();
}

function drawCommit(draw: Draw): Omit<CommitArgs, 'version'> {
  return {
    group: draw.chance(0.4) ? 'simple' : draw.group(),
    as: draw.pick(['member', 'member', 'nobody', 'stranger'] as const),
    topic: committed(draw),
    partitions: draw.some(3, () => ({
      partitionIndex: draw.partition(),
      committedOffset: draw.below(20),
      committedMetadata: draw.pick(['', 'm', null, 'x'.repeat(4097)]),
    })),
  };
}

function memberIdOf(as: CommitArgs['as'], known: { readonly memberId: string } | undefined): string {
  return { member: known?.memberId ?? '', nobody: '', stranger: 'a-stranger' }[as];
}

const commit = requestKind<CommitArgs>({
  name: 'offset-commit',
  weight: 4,
  apiKey: 8,
  // Version 0 keeps offsets in ZooKeeper.
  draw: (draw) => ({ ...drawCommit(draw), version: draw.version(8, 1) }),
  request: ({ version, group, as, topic, partitions }, side) => {
    const known = side.members.get(group);
    const memberId = memberIdOf(as, known);
    return {
      apiKey: 8,
      version,
      fields: {
        groupId: side.named(group),
        generationIdOrMemberEpoch: as === 'nobody' || known === undefined ? -1 : known.generationId,
        memberId,
        topics: [
          {
            ...side.topic(topic, version >= 10),
            partitions: partitions.map((one) => ({ ...one, committedLeaderEpoch: -1, commitTimestamp: -1 })),
          },
        ],
      },
    };
  },
});

/** Of no producer, which makes it a commit like any other: those of transactions have tests of their own. */
const commitOfNobody = requestKind<CommitArgs>({
  name: 'txn-offset-commit',
  weight: 1,
  apiKey: 28,
  draw: (draw) => ({ ...drawCommit(draw), version: draw.version(28) }),
  request: ({ version, group, as, topic, partitions }, side) => {
    const known = side.members.get(group);
    const member = {
      generationIdOrMemberEpoch: as === 'nobody' || known === undefined ? -1 : known.generationId,
      memberId: memberIdOf(as, known),
      groupInstanceId: null,
    };
    return {
      apiKey: 28,
      version,
      fields: {
        transactionalId: side.named('none'),
        groupId: side.named(group),
        producerId: -1,
        producerEpoch: 0,
        ...(version >= 3 ? member : {}),
        topics: [
          {
            ...side.topic(topic, version >= 6),
            partitions: partitions.map((one) => ({ ...one, committedLeaderEpoch: -1 })),
          },
        ],
      },
    };
  },
});

interface FetchArgs {
  readonly version: number;
  readonly groups: readonly string[];
  readonly topic: string | null;
  readonly partitions: readonly number[];
  readonly requireStable: boolean;
}

const fetchOffsets = requestKind<FetchArgs>({
  name: 'offset-fetch',
  weight: 4,
  apiKey: 9,
  draw: (draw) => {
    const version = draw.version(9, 1);
    return {
      version,
      groups: draw.distinct(version >= 8 ? 2 : 1, () => (draw.chance(0.4) ? 'simple' : draw.group())),
      topic: version >= 2 && draw.chance(0.2) ? null : committed(draw),
      partitions: draw.some(3, () => draw.partition()),
      requireStable: version >= 7 && draw.chance(0.5),
    };
  },
  request: ({ version, groups, topic, partitions, requireStable }, side) => {
    const named = topic === null ? null : [{ ...side.topic(topic, version >= 10), partitionIndexes: partitions }];
    const fields =
      version < 8
        ? { groupId: side.named(groups[0] ?? 'simple'), topics: named, requireStable }
        : {
            groups: groups.map((group) => ({
              groupId: side.named(group),
              memberId: null,
              memberEpoch: -1,
              topics: named,
            })),
            requireStable,
          };
    return { apiKey: 9, version, fields };
  },
});

interface DeleteArgs {
  readonly version: number;
  readonly group: string;
  readonly topic: string;
  readonly partitions: readonly number[];
}

const deleteOffsets = requestKind<DeleteArgs>({
  name: 'offset-delete',
  weight: 0.7,
  apiKey: 47,
  draw: (draw) => ({
    version: draw.version(47),
    group: draw.chance(0.1) ? 'unheard-of' : draw.chance(0.4) ? 'simple' : draw.group(),
    topic: committed(draw),
    partitions: draw.some(2, () => draw.partition()),
  }),
  request: ({ version, group, topic, partitions }, side) => ({
    apiKey: 47,
    version,
    fields: {
      groupId: side.named(group),
      topics: [{ name: side.named(topic), partitions: partitions.map((partitionIndex) => ({ partitionIndex })) }],
    },
  }),
});

export const offsetKinds = [commit, commitOfNobody, fetchOffsets, deleteOffsets];
