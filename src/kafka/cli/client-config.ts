import { systemPropertiesOf } from '../../config/system-properties.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { ClientUsageError } from '../client/client-errors.ts';
import type { ClientOptions } from '../client/cluster.ts';
import type { ConsumerOptions } from '../client/consumer-options.ts';
import type { ProducerOptions } from '../client/producer.ts';
import { type CodecName, codecNames } from '../records/batch.ts';
import { clientSecurityOf, securityKeys } from './client-security-config.ts';

/** Apache's client keys as our clients' options; a key that means nothing to them is warned about. */
type Keys<T> = { readonly [key: string]: readonly [option: keyof T, convert: (value: string, key: string) => unknown] };

const text = (value: string): string => value;
const list = (value: string): string[] => value.split(',').map((item) => item.trim());

function integer(value: string, key: string): number {
  if (/^[+-]?\d+$/.test(value.trim())) return Number(value);
  throw new ClientUsageError(`Invalid value ${value} for configuration ${key}: Not a number of type INT`);
}

function boolean(value: string, key: string): boolean {
  const lower = value.trim().toLowerCase();
  if (lower === 'true' || lower === 'false') return lower === 'true';
  throw new ClientUsageError(
    `Invalid value ${value} for configuration ${key}: Expected value to be either true or false`,
  );
}

function oneOf<T extends string>(...allowed: readonly T[]): (value: string, key: string) => T {
  return (value, key) => {
    const found = allowed.find((each) => each === value.trim().toLowerCase());
    if (found !== undefined) return found;
    throw new ClientUsageError(
      `Invalid value ${value} for configuration ${key}: String must be one of: ${allowed.join(', ')}`,
    );
  };
}

function acks(value: string, key: string): -1 | 0 | 1 {
  const known = { all: -1, '-1': -1, '0': 0, '1': 1 } as const;
  const found = known[value.trim() as keyof typeof known];
  if (found !== undefined) return found;
  throw new ClientUsageError(`Invalid value ${value} for configuration ${key}: String must be one of: all, -1, 0, 1`);
}

/** The last word of a class name, or the plain name. */
function assignorNames(value: string): string[] {
  return list(value).map((item) => {
    const name = item.split('.').at(-1) ?? item;
    return { RangeAssignor: 'range', RoundRobinAssignor: 'roundrobin' }[name] ?? name;
  });
}

const clientKeys: Keys<ClientOptions> = {
  'bootstrap.servers': ['bootstrapServers', text],
  'client.id': ['clientId', text],
  'request.timeout.ms': ['requestTimeoutMs', integer],
  'socket.connection.setup.timeout.ms': ['connectTimeoutMs', integer],
  'default.api.timeout.ms': ['apiTimeoutMs', integer],
  'retry.backoff.ms': ['retryBackoffMs', integer],
  'retry.backoff.max.ms': ['retryBackoffMaxMs', integer],
  'reconnect.backoff.ms': ['reconnectBackoffMs', integer],
  'reconnect.backoff.max.ms': ['reconnectBackoffMaxMs', integer],
  'metadata.max.age.ms': ['metadataMaxAgeMs', integer],
};

const producerKeys: Keys<ProducerOptions> = {
  ...clientKeys,
  acks: ['acks', acks],
  'enable.idempotence': ['enableIdempotence', boolean],
  'linger.ms': ['lingerMs', integer],
  'batch.size': ['batchSize', integer],
  'compression.type': ['compression', oneOf<CodecName>(...codecNames)],
  'buffer.memory': ['bufferMemory', integer],
  'max.request.size': ['maxRequestSize', integer],
  'max.in.flight.requests.per.connection': ['maxInFlight', integer],
  'max.block.ms': ['maxBlockMs', integer],
  'delivery.timeout.ms': ['deliveryTimeoutMs', integer],
  retries: ['retries', integer],
};

const consumerKeys: Keys<ConsumerOptions> = {
  ...clientKeys,
  'group.id': ['groupId', text],
  'group.instance.id': ['groupInstanceId', text],
  'auto.offset.reset': ['autoOffsetReset', oneOf('earliest', 'latest', 'none')],
  'enable.auto.commit': ['enableAutoCommit', boolean],
  'auto.commit.interval.ms': ['autoCommitIntervalMs', integer],
  'session.timeout.ms': ['sessionTimeoutMs', integer],
  'heartbeat.interval.ms': ['heartbeatIntervalMs', integer],
  'max.poll.interval.ms': ['maxPollIntervalMs', integer],
  'max.poll.records': ['maxPollRecords', integer],
  'partition.assignment.strategy': ['assignors', assignorNames],
  'isolation.level': ['isolation', oneOf('read_uncommitted', 'read_committed')],
  'fetch.min.bytes': ['fetchMinBytes', integer],
  'fetch.max.bytes': ['fetchMaxBytes', integer],
  'fetch.max.wait.ms': ['fetchMaxWaitMs', integer],
  'max.partition.fetch.bytes': ['maxPartitionFetchBytes', integer],
  'check.crcs': ['checkCrcs', boolean],
  'allow.auto.create.topics': ['allowAutoTopicCreation', boolean],
};

export type Properties = ReadonlyMap<string, string>;

export function adminOptions(runtime: Runtime, properties: Properties): ClientOptions {
  return optionsOf(runtime, clientKeys, properties);
}

export function producerOptions(runtime: Runtime, properties: Properties): ProducerOptions {
  return optionsOf(runtime, producerKeys, properties);
}

export function consumerOptions(runtime: Runtime, properties: Properties): ConsumerOptions {
  return optionsOf(runtime, consumerKeys, properties);
}

function optionsOf<T extends ClientOptions>(runtime: Runtime, keys: Keys<T>, properties: Properties): T {
  const systemProperties = systemPropertiesOf(process.env.KAFKA_OPTS ?? '');
  const security = clientSecurityOf(properties, { runtime, systemProperties });
  const options: Partial<T> = {};
  for (const [key, value] of properties) {
    const known = keys[key];
    if (known !== undefined) options[known[0]] = known[1](value, key) as T[keyof T];
    else if (!securityKeys.has(key)) runtime.log.warn(`${key}=${value} is accepted without effect`);
  }
  if (options.bootstrapServers === undefined)
    throw new ClientUsageError('Missing required configuration "bootstrap.servers" which has no default value.');
  return { ...(options as T), security };
}
