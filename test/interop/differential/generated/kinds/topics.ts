import { type Draw, requestKind } from '../kind.ts';

interface NewTopic {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly configs: readonly (readonly [string, string])[];
  readonly assignments: readonly (readonly number[])[];
}

/** What changes how records are taken and given. */
const settings: readonly (readonly [string, string])[] = [
  ['segment.bytes', '1500'],
  ['message.timestamp.type', 'LogAppendTime'],
  ['compression.type', 'gzip'],
  ['compression.type', 'zstd'],
  ['compression.type', 'lz4'],
  ['compression.type', 'uncompressed'],
  ['max.message.bytes', '700'],
  ['cleanup.policy', 'compact'],
  ['cleanup.policy', 'compact,delete'],
  ['message.timestamp.before.max.ms', '1000'],
  ['message.timestamp.after.max.ms', '1000'],
  ['message.downconversion.enable', 'false'],
  ['min.insync.replicas', '2'],
];
const nonsense: readonly (readonly [string, string])[] = [
  ['segment.bytes', '3'],
  ['no.such.key', '1'],
  ['cleanup.policy', 'never'],
  ['retention.ms', 'x'],
];

function drawTopic(draw: Draw): NewTopic {
  // Small segments are never compacted: when that happens is each broker's own affair.
  const configs = draw.chance(0.3) ? [] : [draw.pick(settings)];
  return {
    name: `t${draw.next('topic')}`,
    partitions: 1 + draw.below(3),
    replicationFactor: draw.pick([1, 1, -1]),
    configs,
    assignments: [],
  };
}

function drawBadTopic(draw: Draw): NewTopic {
  const topic = drawTopic(draw);
  return draw.pick<NewTopic>([
    { ...topic, name: 'not legal' },
    { ...topic, name: draw.pick(['', '.', 'x'.repeat(250)]) },
    { ...topic, name: draw.topic() },
    { ...topic, partitions: draw.pick([0, -2]) },
    { ...topic, replicationFactor: draw.pick([0, 2, -5]) },
    { ...topic, configs: [draw.pick(nonsense)] },
    { ...topic, assignments: [[0], [0]] },
    { ...topic, partitions: -1, replicationFactor: -1, assignments: [[0], [0, 0]] },
  ]);
}

interface CreateArgs {
  readonly version: number;
  readonly topics: readonly NewTopic[];
  readonly validateOnly: boolean;
}

const create = requestKind<CreateArgs>({
  name: 'create-topics',
  weight: 4,
  apiKey: 19,
  draw: (draw) => {
    // Version 4 was the first in which -1 means the broker's default.
    const version = draw.version(19, 4);
    const isFirst = draw.topics.length === 0;
    const validateOnly = !isFirst && draw.chance(0.2);
    if (!isFirst && draw.chance(0.35)) return { version, topics: [drawBadTopic(draw)], validateOnly };
    const topics = draw.some(isFirst ? 1 : 2, () => drawTopic(draw));
    const made = !isFirst && draw.chance(0.25) ? draw.quietTopics : draw.topics;
    if (!validateOnly) made.push(...topics.map(({ name }) => name));
    // Where more replicas are asked for than there are no transaction ends.
    const endable = topics.filter(({ configs }) => configs.every(([key]) => key !== 'min.insync.replicas'));
    if (!validateOnly && made === draw.topics && draw.chance(0.4)) {
      draw.transactionTopics.push(...endable.map(({ name }) => name));
    }
    return { version, topics, validateOnly };
  },
  request: ({ version, topics, validateOnly }, side) => ({
    apiKey: 19,
    version,
    fields: {
      validateOnly,
      timeoutMs: 10_000,
      topics: topics.map(({ name, partitions, replicationFactor, configs, assignments }) => ({
        name: name === '' || name === '.' ? name : side.named(name),
        numPartitions: partitions,
        replicationFactor,
        configs: configs.map(([key, value]) => ({ name: key, value })),
        assignments: assignments.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds })),
      })),
    },
  }),
  learn: async ({ topics, validateOnly }, answer, side) => {
    if (validateOnly) return;
    const results = answer.topics as { name: string; errorCode: number }[];
    for (const { name } of topics) {
      const result = results.find((one) => one.name === side.named(name));
      if (result?.errorCode === 0) await side.learnTopic(name);
    }
  },
});

interface GrowArgs {
  readonly version: number;
  readonly topic: string;
  readonly count: number;
  readonly assignments: readonly (readonly number[])[] | null;
  readonly validateOnly: boolean;
}

const grow = requestKind<GrowArgs>({
  name: 'create-partitions',
  weight: 1,
  apiKey: 37,
  draw: (draw) => ({
    version: draw.version(37),
    topic: draw.topic(),
    count: draw.pick([0, 1, 2, 3, 4, 5, -1]),
    assignments: draw.pick([null, null, [[0]], [[0], [0]]]),
    validateOnly: draw.chance(0.4),
  }),
  request: ({ version, topic, count, assignments, validateOnly }, side) => ({
    apiKey: 37,
    version,
    fields: {
      validateOnly,
      timeoutMs: 10_000,
      topics: [
        { name: side.named(topic), count, assignments: assignments?.map((brokerIds) => ({ brokerIds })) ?? null },
      ],
    },
  }),
  learn: async ({ topic, validateOnly }, answer, side) => {
    const [result] = answer.results as { errorCode: number }[];
    if (result?.errorCode === 0 && !validateOnly) await side.learnTopic(topic);
  },
});

interface DeleteArgs {
  readonly version: number;
  readonly topics: readonly string[];
  readonly byId: boolean;
}

const remove = requestKind<DeleteArgs>({
  name: 'delete-topics',
  weight: 0.5,
  apiKey: 20,
  draw: (draw) => {
    const version = draw.version(20);
    // The first topic stays: the others come and go.
    const mortal = draw.topics.slice(1);
    const topics = draw.distinct(2, () => (mortal.length === 0 || draw.chance(0.2) ? 'missing' : draw.pick(mortal)));
    for (const topic of topics) if (draw.topics.includes(topic)) draw.topics.splice(draw.topics.indexOf(topic), 1);
    return { version, topics, byId: version >= 6 && draw.chance(0.5) };
  },
  request: ({ version, topics, byId }, side) => ({
    apiKey: 20,
    version,
    fields: {
      timeoutMs: 10_000,
      topicNames: version < 6 ? topics.map((topic) => side.named(topic)) : [],
      topics:
        version < 6
          ? []
          : topics.map((topic) => ({
              name: byId ? null : side.named(topic),
              topicId: side.topic(topic, byId).topicId,
            })),
    },
  }),
});

export const topicKinds = [create, grow, remove];
