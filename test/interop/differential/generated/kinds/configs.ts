import { type Draw, requestKind } from '../kind.ts';

const TOPIC = 2;

/** Keys whose change shows in what later requests are answered, some that no topic has, and values that cannot be. */
const changes: readonly (readonly [string, string | null])[] = [
  ['max.message.bytes', '600'],
  ['max.message.bytes', '1000000'],
  ['compression.type', 'snappy'],
  ['compression.type', 'producer'],
  ['message.timestamp.type', 'CreateTime'],
  ['message.timestamp.type', 'LogAppendTime'],
  ['message.downconversion.enable', 'false'],
  ['min.insync.replicas', '1'],
  ['min.insync.replicas', '2'],
  ['message.timestamp.before.max.ms', '5000'],
  ['segment.bytes', '2000'],
  ['segment.bytes', '2'],
  ['compression.type', 'lzma'],
  ['unheard.of', '1'],
  ['flush.messages', null],
];

interface DescribeArgs {
  readonly version: number;
  readonly topics: readonly string[];
  readonly keys: readonly string[] | null;
  readonly includeSynonyms: boolean;
}

const describeConfigs = requestKind<DescribeArgs>({
  name: 'describe-configs',
  weight: 2,
  apiKey: 32,
  draw: (draw) => ({
    version: draw.version(32),
    topics: [...new Set(draw.some(2, () => (draw.chance(0.5) ? draw.topic() : draw.quietTopic())))],
    keys: draw.pick([null, ['max.message.bytes', 'compression.type'], ['unheard.of'], []]),
    includeSynonyms: draw.chance(0.5),
  }),
  request: ({ version, topics, keys, includeSynonyms }, side) => ({
    apiKey: 32,
    version,
    fields: {
      includeSynonyms: version >= 1 && includeSynonyms,
      resources: topics.map((topic) => ({
        resourceType: TOPIC,
        resourceName: side.named(topic),
        configurationKeys: keys,
      })),
    },
  }),
});

interface AlterArgs {
  readonly version: number;
  readonly topic: string;
  readonly configs: readonly { readonly name: string; readonly value: string | null; readonly operation: number }[];
  readonly validateOnly: boolean;
}

function drawChanges(draw: Draw): AlterArgs['configs'] {
  const configs = draw.some(2, () => {
    const [name, value] = draw.pick(changes);
    return { name, value, operation: draw.pick([0, 0, 0, 1, 2, 3, 7]) };
  });
  return configs;
}

const alterConfigs = requestKind<AlterArgs>({
  name: 'alter-configs',
  weight: 1,
  apiKey: 33,
  draw: (draw) => ({
    version: draw.version(33),
    topic: draw.quietTopic(),
    configs: drawChanges(draw),
    validateOnly: draw.chance(0.3),
  }),
  request: ({ version, topic, configs, validateOnly }, side) => ({
    apiKey: 33,
    version,
    fields: {
      validateOnly,
      resources: [
        {
          resourceType: TOPIC,
          resourceName: side.named(topic),
          configs: configs.map(({ name, value }) => ({ name, value })),
        },
      ],
    },
  }),
});

const incrementalAlterConfigs = requestKind<AlterArgs>({
  name: 'incremental-alter-configs',
  weight: 2,
  apiKey: 44,
  draw: (draw) => ({
    version: draw.version(44),
    topic: draw.quietTopic(),
    configs: drawChanges(draw),
    validateOnly: draw.chance(0.3),
  }),
  request: ({ version, topic, configs, validateOnly }, side) => ({
    apiKey: 44,
    version,
    fields: {
      validateOnly,
      resources: [
        {
          resourceType: TOPIC,
          resourceName: side.named(topic),
          configs: configs.map(({ name, value, operation }) => ({ name, value, configOperation: operation })),
        },
      ],
    },
  }),
});

export const configKinds = [describeConfigs, alterConfigs, incrementalAlterConfigs];
