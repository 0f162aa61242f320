import { requestKind } from '../kind.ts';

interface Args {
  readonly version: number;
  readonly isolationLevel: number;
  readonly replicaId: number;
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: readonly {
      readonly partitionIndex: number;
      readonly timestamp: number;
      readonly currentLeaderEpoch: number;
    }[];
  }[];
}

export const listOffsets = requestKind<Args>({
  name: 'list-offsets',
  weight: 6,
  apiKey: 2,
  draw: (draw) => ({
    version: draw.version(2, 1),
    isolationLevel: draw.below(2),
    replicaId: draw.chance(0.95) ? -1 : draw.pick([-2, 3]),
    topics: draw.some(2, () => ({
      name: draw.topic(),
      partitions: draw.some(2, () => ({
        partitionIndex: draw.partition(),
        timestamp: draw.chance(0.7)
          ? draw.pick([-1, -2, -3, -4, -5, -6, -7])
          : 1_700_000_000_000 + draw.pick([-50_000, 0, draw.below(1000), 999, 5000, 3_000_000_000_000]),
        currentLeaderEpoch: draw.chance(0.9) ? -1 : draw.pick([0, 7, -2]),
      })),
    })),
  }),
  request: ({ version, topics, isolationLevel, replicaId }, side) => ({
    apiKey: 2,
    version,
    fields: {
      replicaId,
      isolationLevel: version >= 2 ? isolationLevel : 0,
      timeoutMs: 1000,
      topics: topics.map(({ name, partitions }) => ({
        name: side.named(name),
        partitions: partitions.map((asked) => ({ ...asked, maxNumOffsets: 1 })),
      })),
    },
  }),
});
