import { ErrorCode, errorOf } from '../protocol/errors.ts';
import { DescribeConfigsRequest, DescribeConfigsResponse } from '../protocol/messages/32-describe-configs.ts';
import { AlterConfigsRequest, AlterConfigsResponse } from '../protocol/messages/33-alter-configs.ts';
import {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../protocol/messages/44-incremental-alter-configs.ts';
import { codeOf } from './client-errors.ts';
import type { Cluster } from './cluster.ts';
import type { BrokerConnection } from './connection.ts';

export const resourceTypes = { topic: 2, broker: 4, 'broker-logger': 8 } as const;

/** The default of all brokers is the broker with the empty name. */
export interface ConfigResource {
  readonly type: keyof typeof resourceTypes;
  readonly name: string;
}

/** By the protocol's number, in the names that tools print. */
export const configSources = [
  'UNKNOWN',
  'DYNAMIC_TOPIC_CONFIG',
  'DYNAMIC_BROKER_CONFIG',
  'DYNAMIC_DEFAULT_BROKER_CONFIG',
  'STATIC_BROKER_CONFIG',
  'DEFAULT_CONFIG',
  'DYNAMIC_BROKER_LOGGER_CONFIG',
  'DYNAMIC_CLIENT_METRICS_CONFIG',
  'DYNAMIC_GROUP_CONFIG',
] as const;
export type ConfigSource = (typeof configSources)[number];

export interface ConfigEntry {
  readonly name: string;
  /** Null: sensitive. */
  readonly value: string | null;
  readonly source: ConfigSource;
  readonly isSensitive: boolean;
  readonly isReadOnly: boolean;
  /** Where else the key has a value, the one that counts first. */
  readonly synonyms: readonly { readonly name: string; readonly value: string | null; readonly source: ConfigSource }[];
}

export interface ConfigChange {
  readonly name: string;
  readonly operation: 'set' | 'delete' | 'append' | 'subtract';
  readonly value?: string;
}

const operations = { set: 0, delete: 1, append: 2, subtract: 3 } as const;

/** Brokers know their own configuration; any broker knows that of topics and the brokers' default. */
async function connectionFor(cluster: Cluster, { type, name }: ConfigResource): Promise<BrokerConnection> {
  if (type === 'topic' || name === '') return cluster.any();
  const node = Number(name);
  if (!cluster.metadata.brokers.has(node)) await cluster.refresh([]);
  return cluster.connect(node);
}

/** By the resource's name. */
export async function describeConfigs(
  cluster: Cluster,
  resources: readonly ConfigResource[],
  options: { readonly includeSynonyms?: boolean } = {},
): Promise<ReadonlyMap<string, readonly ConfigEntry[]>> {
  const described = new Map<string, readonly ConfigEntry[]>();
  const groups = Map.groupBy(resources, ({ type, name }) => (type === 'topic' || name === '' ? '' : name));
  for (const group of groups.values()) {
    const answer = await cluster.retrying(async () => {
      const connection = await connectionFor(cluster, group[0]!);
      return connection.request(DescribeConfigsRequest, DescribeConfigsResponse, (version) => ({
        resources: group.map(({ type, name }) => ({
          resourceType: resourceTypes[type],
          resourceName: name,
          configurationKeys: null,
        })),
        ...(version >= 1 ? { includeSynonyms: options.includeSynonyms ?? false } : {}),
      }));
    });
    for (const { errorCode, errorMessage, resourceName, configs } of answer.results) {
      if (errorCode !== ErrorCode.NONE) throw errorOf(errorCode, errorMessage);
      described.set(resourceName, configs.map(entryOf));
    }
  }
  return described;
}

function entryOf(config: DescribeConfigsResponse['results'][number]['configs'][number]): ConfigEntry {
  const { name, value, configSource, isSensitive, readOnly, synonyms } = config;
  return {
    name,
    value,
    source: sourceOf(configSource),
    isSensitive,
    isReadOnly: readOnly,
    synonyms: synonyms.map((each) => ({ name: each.name, value: each.value, source: sourceOf(each.source) })),
  };
}

function sourceOf(code: number): ConfigSource {
  return configSources[code] ?? 'UNKNOWN';
}

export async function alterConfigs(
  cluster: Cluster,
  resource: ConfigResource,
  changes: readonly ConfigChange[],
): Promise<void> {
  const identity = { resourceType: resourceTypes[resource.type], resourceName: resource.name };
  try {
    const answer = await cluster.retrying(async () => {
      const connection = await connectionFor(cluster, resource);
      const configs = changes.map(({ name, operation, value }) => ({
        name,
        configOperation: operations[operation],
        value: value ?? null,
      }));
      return connection.request(IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse, {
        resources: [{ ...identity, configs }],
      });
    });
    throwFirst(answer.responses);
  } catch (error) {
    if (codeOf(error) !== ErrorCode.UNSUPPORTED_VERSION) throw error;
    await replaceConfigs(cluster, resource, changes);
  }
}

/** Before KIP-339 a change replaced the whole configuration of a resource. */
async function replaceConfigs(
  cluster: Cluster,
  resource: ConfigResource,
  changes: readonly ConfigChange[],
): Promise<void> {
  const described = await describeConfigs(cluster, [resource]);
  const own =
    resource.type === 'topic'
      ? 'DYNAMIC_TOPIC_CONFIG'
      : resource.name === ''
        ? 'DYNAMIC_DEFAULT_BROKER_CONFIG'
        : 'DYNAMIC_BROKER_CONFIG';
  const configs = new Map<string, string | null>();
  for (const { name, value, source } of described.get(resource.name) ?? [])
    if (source === own) configs.set(name, value);
  for (const { name, operation, value = '' } of changes) {
    const items = (configs.get(name) ?? '').split(',').filter((item) => item !== '');
    if (operation === 'delete') configs.delete(name);
    else if (operation === 'set') configs.set(name, value);
    else if (operation === 'append') configs.set(name, [...items, value].join(','));
    else configs.set(name, items.filter((item) => item !== value).join(','));
  }
  const answer = await cluster.retrying(async () => {
    const connection = await connectionFor(cluster, resource);
    return connection.request(AlterConfigsRequest, AlterConfigsResponse, {
      resources: [
        {
          resourceType: resourceTypes[resource.type],
          resourceName: resource.name,
          configs: [...configs].map(([name, value]) => ({ name, value })),
        },
      ],
    });
  });
  throwFirst(answer.responses);
}

function throwFirst(results: readonly { readonly errorCode: number; readonly errorMessage: string | null }[]): void {
  for (const { errorCode, errorMessage } of results) {
    if (errorCode !== ErrorCode.NONE) throw errorOf(errorCode, errorMessage);
  }
}
