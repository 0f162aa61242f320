/** What is asked of many partitions at once, some of them named twice, unknown, or none at all. */
import { type Draw, type RequestKind, requestKind } from '../kind.ts';
import type { Side } from '../side.ts';

export interface Place {
  readonly name: string;
  readonly partitions: readonly number[];
}

/** Topics and partitions may come again, in one list or in two. */
export function drawPlaces(draw: Draw, topic = (): string => draw.topic()): Place[] {
  if (draw.chance(0.03)) return [];
  return draw.some(3, () => ({
    name: draw.chance(0.03) ? draw.pick(['not legal', '']) : topic(),
    partitions: draw.chance(0.05) ? [] : draw.some(3, () => draw.partition()),
  }));
}

export const nameOf = (name: string, side: Side): string => (name === '' ? '' : side.named(name));

interface PlacesArgs {
  readonly version: number;
  readonly places: readonly Place[];
}

/** A request that names partitions and nothing else. */
function ofPlaces(
  name: string,
  apiKey: number,
  weight: number,
  fields: (places: readonly Place[], side: Side) => object,
): RequestKind<unknown> {
  return requestKind<PlacesArgs>({
    name,
    apiKey,
    weight,
    draw: (draw) => ({ version: draw.version(apiKey), places: drawPlaces(draw) }),
    request: ({ version, places }, side) => ({ apiKey, version, fields: fields(places, side) }),
  });
}

const describeProducers = ofPlaces('describe-producers', 61, 2, (places, side) => ({
  topics: places.map(({ name, partitions }) => ({ name: nameOf(name, side), partitionIndexes: partitions })),
}));

const describeLogDirs = ofPlaces('describe-log-dirs', 35, 0.7, (places, side) => ({
  topics: places.map(({ name, partitions }) => ({ topic: nameOf(name, side), partitions })),
}));

const listReassignments = ofPlaces('list-partition-reassignments', 46, 0.3, (places, side) => ({
  timeoutMs: 10_000,
  topics: places.map(({ name, partitions }) => ({ name: nameOf(name, side), partitionIndexes: partitions })),
}));

interface ElectArgs extends PlacesArgs {
  readonly electionType: number;
}

const elect = requestKind<ElectArgs>({
  name: 'elect-leaders',
  weight: 0.5,
  apiKey: 43,
  draw: (draw) => {
    const version = draw.version(43);
    return { version, places: drawPlaces(draw), electionType: version >= 1 ? draw.pick([0, 1]) : 0 };
  },
  request: ({ version, places, electionType }, side) => ({
    apiKey: 43,
    version,
    fields: {
      electionType,
      timeoutMs: 10_000,
      topicPartitions: places.map(({ name, partitions }) => ({ topic: nameOf(name, side), partitions })),
    },
  }),
});

interface ReassignArgs {
  readonly version: number;
  readonly moves: readonly {
    readonly name: string;
    readonly partitions: readonly { readonly partitionIndex: number; readonly replicas: readonly number[] | null }[];
  }[];
}

const reassign = requestKind<ReassignArgs>({
  name: 'alter-partition-reassignments',
  weight: 0.7,
  apiKey: 45,
  draw: (draw) => ({
    version: draw.version(45),
    moves: draw.some(3, () => ({
      name: draw.topic(),
      // Without a second broker nothing can be moved for good.
      partitions: draw.some(3, () => ({
        partitionIndex: draw.partition(),
        replicas: draw.pick([[0], [0], null, [], [7], [0, 0], [-1], [0, 7]]),
      })),
    })),
  }),
  request: ({ version, moves }, side) => ({
    apiKey: 45,
    version,
    fields: { timeoutMs: 10_000, topics: moves.map((move) => ({ ...move, name: side.named(move.name) })) },
  }),
});

interface DeleteArgs {
  readonly version: number;
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: readonly { readonly partitionIndex: number; readonly offset: number }[];
  }[];
}

const deleteRecords = requestKind<DeleteArgs>({
  name: 'delete-records',
  weight: 2,
  apiKey: 21,
  draw: (draw) => ({
    version: draw.version(21),
    topics: draw.some(2, () => ({
      name: draw.topic(),
      partitions: draw.some(2, () => ({
        partitionIndex: draw.partition(),
        offset: draw.pick([0, 1, 2, 3, 5, draw.below(30), -1, -2, 5000]),
      })),
    })),
  }),
  request: ({ version, topics }, side) => ({
    apiKey: 21,
    version,
    fields: { timeoutMs: 10_000, topics: topics.map((topic) => ({ ...topic, name: side.named(topic.name) })) },
  }),
});

interface EpochArgs {
  readonly version: number;
  readonly replicaId: number;
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly currentLeaderEpoch: number;
      readonly leaderEpoch: number;
    }[];
  }[];
}

const offsetForLeaderEpoch = requestKind<EpochArgs>({
  name: 'offset-for-leader-epoch',
  weight: 1,
  apiKey: 23,
  draw: (draw) => {
    const version = draw.version(23);
    return {
      version,
      replicaId: version >= 3 ? draw.pick([-1, -2, -1, 3]) : -2,
      topics: draw.some(2, () => ({
        name: draw.topic(),
        partitions: draw.some(3, () => ({
          partition: draw.partition(),
          currentLeaderEpoch: version < 2 || draw.chance(0.8) ? -1 : draw.pick([0, 5, -2]),
          leaderEpoch: draw.pick([0, 0, 1, -1, -2, 77]),
        })),
      })),
    };
  },
  request: ({ version, replicaId, topics }, side) => ({
    apiKey: 23,
    version,
    fields: { replicaId, topics: topics.map(({ name, partitions }) => ({ topic: side.named(name), partitions })) },
  }),
});

export const partitionKinds = [
  describeProducers,
  describeLogDirs,
  listReassignments,
  elect,
  reassign,
  deleteRecords,
  offsetForLeaderEpoch,
];
