import { type Draw, requestKind } from '../kind.ts';

const TOPIC = 2;
const BROKER = 4;

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
  ['cleanup.policy', 'compact'],
  ['cleanup.policy', 'delete'],
  ['cleanup.policy', ' delete , compact'],
  ['cleanup.policy', 'delete,delete'],
  ['cleanup.policy', ''],
  ['leader.replication.throttled.replicas', '0:0'],
  ['leader.replication.throttled.replicas', '0:0,1:0'],
  ['leader.replication.throttled.replicas', '*'],
  ['leader.replication.throttled.replicas', 'x'],
  ['follower.replication.throttled.replicas', ''],
  ['retention.ms', '9223372036854775808'],
  ['retention.ms', ' 77 '],
  ['preallocate', 'TRUE'],
  ['min.cleanable.dirty.ratio', '1e-1'],
];

/** Keys of brokers: what may change, for one or for all, what may not, and values that cannot be. */
const brokerChanges: readonly (readonly [string, string | null])[] = [
  ['num.io.threads', '9'],
  ['num.io.threads', '100'],
  ['num.io.threads', 'x'],
  ['log.retention.ms', '-1'],
  ['log.retention.ms', '1e3'],
  ['log.cleanup.policy', 'compact'],
  ['log.cleanup.policy', 'never'],
  ['max.connections.per.ip.overrides', '127.0.0.1:9'],
  ['max.connections.per.ip.overrides', '127.0.0.1'],
  ['broker.id', '5'],
  ['zookeeper.connect', 'x'],
  ['unheard.of', 'x'],
  ['message.max.bytes', null],
  ['min.insync.replicas', '0'],
  ['listener.name.x.ssl.keystore.location', '/x'],
  ['leader.replication.throttled.rate', '5'],
  ['follower.replication.throttled.rate', '-1'],
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
    topics: draw.distinct(2, () => (draw.chance(0.5) ? draw.topic() : draw.quietTopic())),
    keys: draw.pick([null, ['max.message.bytes', 'cleanup.policy', 'cleanup.policy'], ['unheard.of'], []]),
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

type Changes = readonly { readonly name: string; readonly value: string | null; readonly operation: number }[];

interface AlterArgs {
  readonly version: number;
  /** One resource each, none twice: AlterConfigs of Apache then never answers. */
  readonly topics: readonly { readonly topic: string; readonly configs: Changes }[];
  readonly validateOnly: boolean;
}

function drawChanges(draw: Draw): Changes {
  const configs = draw.some(2, () => {
    const [name, value] = draw.pick(changes);
    return { name, value, operation: draw.pick([0, 0, 0, 1, 2, 3, 7]) };
  });
  return configs;
}

function drawTopics(draw: Draw): AlterArgs['topics'] {
  const names = new Set(draw.some(draw.chance(0.2) ? 3 : 1, () => draw.quietTopic()));
  return [...names].map((topic) => ({ topic, configs: drawChanges(draw) }));
}

const alterConfigs = requestKind<AlterArgs>({
  name: 'alter-configs',
  weight: 1,
  apiKey: 33,
  draw: (draw) => ({
    version: draw.version(33),
    topics: drawTopics(draw),
    validateOnly: draw.chance(0.3),
  }),
  request: ({ version, topics, validateOnly }, side) => ({
    apiKey: 33,
    version,
    fields: {
      validateOnly,
      resources: topics.map(({ topic, configs }) => ({
        resourceType: TOPIC,
        resourceName: side.named(topic),
        configs: configs.map(({ name, value }) => ({ name, value })),
      })),
    },
  }),
});

const incrementalAlterConfigs = requestKind<AlterArgs>({
  name: 'incremental-alter-configs',
  weight: 2,
  apiKey: 44,
  draw: (draw) => ({
    version: draw.version(44),
    topics: drawTopics(draw),
    validateOnly: draw.chance(0.3),
  }),
  request: ({ version, topics, validateOnly }, side) => ({
    apiKey: 44,
    version,
    fields: {
      validateOnly,
      resources: topics.map(({ topic, configs }) => ({
        resourceType: TOPIC,
        resourceName: side.named(topic),
        configs: configs.map(({ name, value, operation }) => ({ name, value, configOperation: operation })),
      })),
    },
  }),
});

interface BrokerArgs {
  readonly version: number;
  readonly broker: string;
  readonly configs: Changes;
}

/** Only validated: a broker is one for all sequences. */
const validateBrokerConfigs = requestKind<BrokerArgs>({
  name: 'validate-broker-configs',
  weight: 1,
  apiKey: 44,
  draw: (draw) => ({
    version: draw.version(44),
    broker: draw.pick(['0', '0', '', '', '7', 'x']),
    configs: draw.some(2, () => {
      const [name, value] = draw.pick(brokerChanges);
      return { name, value, operation: draw.pick([0, 0, 0, 0, 1, 2, 3]) };
    }),
  }),
  request: ({ version, broker, configs }) => ({
    apiKey: 44,
    version,
    fields: {
      validateOnly: true,
      resources: [
        {
          resourceType: BROKER,
          resourceName: broker,
          configs: configs.map(({ name, value, operation }) => ({ name, value, configOperation: operation })),
        },
      ],
    },
  }),
});

export const configKinds = [validateBrokerConfigs, describeConfigs, alterConfigs, incrementalAlterConfigs];
