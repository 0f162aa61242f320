import { splitList } from '../../../config/values.ts';
import { topicKeys } from '../../log/topic-keys.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import type { MetadataCache } from '../../replication/metadata-cache.ts';
import type { KafkaZk } from '../../zk/kafka-zk.ts';
import type { BrokerLoggers } from '../broker-loggers.ts';
import { brokerKeys, type ConfigType } from './broker-keys.ts';
import { AlterOperation, type ConfigChange, type ConfigResource, ResourceType, type Wish } from './config-change.ts';
import { type BrokerScope, type ConfigStore, DEFAULT_ENTITY } from './config-store.ts';
import { isPassword } from './dynamic-keys.ts';
import { DynamicConfigError } from './dynamic-validation.ts';
import type { GroupConfigAdmin } from './group-config-admin.ts';
import type { PasswordEncoder } from './password-encoder.ts';
import type { AlterConfigPolicy } from './policies.ts';

export interface ConfigAdminOptions {
  readonly brokerId: number;
  readonly store: ConfigStore;
  readonly zk: KafkaZk;
  readonly metadata: MetadataCache;
  readonly loggers: BrokerLoggers;
  readonly groups: GroupConfigAdmin;
  /** Encodes passwords for ZooKeeper; undefined without `password.encoder.secret`. */
  readonly passwords: PasswordEncoder | undefined;
  /** `alter.config.policy.class.name`; undefined where none is configured. */
  readonly policy: AlterConfigPolicy | undefined;
}

/**
 * Checks changes of configuration, writes them to ZooKeeper and tells every broker (`ConfigAdminManager`, `ZkAdminManager`). Which of
 * the two of Apache's refuses what decides the code and the text.
 */
export class ConfigAdmin {
  readonly #options: ConfigAdminOptions;

  constructor(options: ConfigAdminOptions) {
    this.#options = options;
  }

  /** AlterConfigs: what is not named goes back to its default. @throws KafkaError */
  async replace(
    resource: ConfigResource,
    values: readonly { readonly name: string; readonly value: string | null }[],
    validateOnly: boolean,
  ): Promise<void> {
    refuseDuplicates(values.map(({ name }) => name));
    refuseNulls(values);
    const next = new Map(values.map(({ name, value }) => [name, value ?? '']));
    if (resource.type === ResourceType.broker) this.#validateBroker(resource.name, next);
    else refuseUnknown(resource.type, false);
    await this.#write(resource, { next, named: next, validateOnly });
  }

  /** IncrementalAlterConfigs: only the named keys change. @throws KafkaError */
  async change(resource: ConfigResource, changes: readonly ConfigChange[], validateOnly: boolean): Promise<void> {
    refuseDuplicates(changes.map(({ name }) => name));
    refuseNulls(changes.filter(({ operation }) => operation !== AlterOperation.delete));
    refuseUnknown(resource.type, true);
    if (resource.type === ResourceType.brokerLogger) {
      return this.#options.loggers.change(resource.name, changes, validateOnly);
    }
    // Nothing may come between what is read and what is written of it (on this broker; nor is Apache's safe from others).
    const next = await this.#changed(resource, changes);
    if (resource.type === ResourceType.broker) this.#validateBroker(resource.name, next);
    const named = new Map(changes.map(({ name, value }) => [name, value]));
    await this.#write(resource, { next, named, validateOnly });
  }

  async #changed(resource: ConfigResource, changes: readonly ConfigChange[]): Promise<Map<string, string>> {
    const { zk, store } = this.#options;
    if (resource.type === ResourceType.clientMetrics) return new Map();
    if (resource.type === ResourceType.group) return this.#options.groups.changed(resource.name, changes);
    if (resource.type === ResourceType.topic) {
      if (resource.name === '') throw noDefaultTopics();
      const next = await zk.config('topics', resource.name);
      for (const change of changes) apply(change, next, topicList);
      return next;
    }
    const scope = this.#scopeOf(resource.name);
    const unknown = changes.find(({ operation }) => operation < 0 || operation > AlterOperation.subtract);
    if (unknown !== undefined) {
      throw new KafkaError(ErrorCode.INVALID_REQUEST, `Unknown operations type ${unknown.operation}`);
    }
    const next = store.fromStored(scope, await zk.config('brokers', this.#entityOf(scope)));
    for (const change of changes) apply(change, next, brokerList);
    return next;
  }

  #validateBroker(name: string, next: ReadonlyMap<string, string>): void {
    try {
      this.#options.store.validateBroker(this.#scopeOf(name), next);
    } catch (error) {
      if (error instanceof DynamicConfigError) {
        // Not INVALID_CONFIG, as Apache regrets (KAFKA-13609).
        throw new KafkaError(ErrorCode.INVALID_REQUEST, error.message, { cause: error });
      }
      throw error;
    }
  }

  #scopeOf(name: string): BrokerScope {
    if (name === '') return 'cluster';
    if (!/^[+-]?\d+$/.test(name)) {
      throw new KafkaError(ErrorCode.INVALID_REQUEST, `Node id must be an integer, but it is: ${name}`);
    }
    const { brokerId } = this.#options;
    if (Number(name) === brokerId) return 'broker';
    const text = `Unexpected broker id, expected ${brokerId}, but received ${name}`;
    throw new KafkaError(ErrorCode.INVALID_REQUEST, text);
  }

  #entityOf(scope: BrokerScope): string {
    return scope === 'cluster' ? DEFAULT_ENTITY : String(this.#options.brokerId);
  }

  async #write(resource: ConfigResource, wish: Wish): Promise<void> {
    switch (resource.type) {
      case ResourceType.topic:
        return this.#writeTopic(resource.name, wish);
      case ResourceType.broker:
        return this.#writeBroker(resource.name, wish);
      case ResourceType.group:
        return this.#options.groups.write(resource.name, wish);
      default:
        throw new KafkaError(
          ErrorCode.INVALID_REQUEST,
          'AlterConfigs is only supported for topics and brokers, but resource type is CLIENT_METRICS',
        );
    }
  }

  async #writeTopic(topic: string, { next, named, validateOnly }: Wish): Promise<void> {
    const { metadata, zk, store, policy } = this.#options;
    if (topic === '') throw noDefaultTopics();
    if (metadata.topic(topic) === undefined && !(await zk.topicExists(topic))) {
      throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `The topic '${topic}' does not exist.`);
    }
    inResource(`type=TOPIC, name='${topic}'`, () => {
      store.validateTopic(next);
      // Names and values, then what they mean for this cluster.
      if (next.get('remote.storage.enable')?.trim().toLowerCase() === 'true') throw noTieredStorage();
    });
    await policy?.validate({ resource: { type: 'TOPIC', name: topic }, configs: named });
    if (validateOnly) return;
    await zk.setConfig('topics', topic, next);
    await zk.announceConfigChange(`topics/${topic}`);
  }

  async #writeBroker(name: string, { next, named, validateOnly }: Wish): Promise<void> {
    const { zk, policy } = this.#options;
    await policy?.validate({ resource: { type: 'BROKER', name }, configs: named });
    if (validateOnly) return;
    const stored = new Map<string, string>();
    for (const [key, value] of next) stored.set(key, isPassword(key) ? this.#encode(name, value) : value);
    const entity = this.#entityOf(this.#scopeOf(name));
    await zk.setConfig('brokers', entity, stored);
    await zk.announceConfigChange(`brokers/${entity}`);
  }

  #encode(name: string, password: string): string {
    const { passwords } = this.#options;
    if (passwords !== undefined) return passwords.encode(password);
    const text = 'Password encoder secret not configured';
    throw invalidInResource(`type=BROKER, name='${name}'`, text);
  }
}

/** A value that is refused is named with the resource that it was meant for. */
function inResource(resource: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof KafkaError) || error.code !== ErrorCode.INVALID_CONFIG) throw error;
    // Names, and what values mean together, are told without a word of the resource (`LogConfig.validateNames`).
    if (/^(Unknown topic config name|conflict topic config setting)/.test(error.message)) throw error;
    throw invalidInResource(resource, error.message, error);
  }
}

function invalidInResource(resource: string, text: string, cause?: unknown): KafkaError {
  const message = `Invalid config value for resource ConfigResource(${resource}): ${text}`;
  return new KafkaError(ErrorCode.INVALID_CONFIG, message, { cause });
}

function noTieredStorage(): KafkaError {
  const text =
    'Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.';
  return new KafkaError(ErrorCode.INVALID_CONFIG, text);
}

function noDefaultTopics(): KafkaError {
  return new KafkaError(ErrorCode.INVALID_REQUEST, 'Default topic resources are not allowed.');
}

/** Loggers have no AlterConfigs, only its successor. */
function refuseUnknown(type: number, withLoggers: boolean): void {
  const { topic, broker, brokerLogger, clientMetrics, group } = ResourceType;
  const known: readonly number[] = [topic, broker, clientMetrics, group, ...(withLoggers ? [brokerLogger] : [])];
  if (known.includes(type)) return;
  throw new KafkaError(ErrorCode.INVALID_REQUEST, `Unknown resource type ${type}`);
}

interface ListKey {
  readonly type: ConfigType;
  readonly default: string | null;
}
const topicList = (name: string): ListKey | undefined => topicKeys.get(name);
const brokerList = (name: string): ListKey | undefined => brokerKeys.get(name);

function apply(
  { name, operation, value }: ConfigChange,
  values: Map<string, string>,
  keyOf: (name: string) => ListKey | undefined,
): void {
  const text = value ?? '';
  switch (operation) {
    case AlterOperation.set:
      values.set(name, text);
      return;
    case AlterOperation.delete:
      values.delete(name);
      return;
    case AlterOperation.append:
    case AlterOperation.subtract: {
      const isAppend = operation === AlterOperation.append;
      const current = listOf(values.get(name), requireList(name, keyOf(name), isAppend ? 'append' : 'subtract'));
      const given = splitList(text);
      const next = isAppend
        ? [...current, ...given.filter((item) => !current.includes(item))]
        : current.filter((item) => !given.includes(item));
      values.set(name, next.join(','));
      return;
    }
    default:
      // Apache's brokers have no error for it, and no word.
      throw new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR);
  }
}

/** Where the resource says nothing itself, the list begins with the key's default, not with what it inherits. */
function listOf(value: string | undefined, key: ListKey): string[] {
  return splitList(value ?? key.default ?? '');
}

function requireList(name: string, key: ListKey | undefined, operation: 'append' | 'subtract'): ListKey {
  if (key === undefined) throw new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR);
  if (key.type === 'list') return key;
  throw new KafkaError(ErrorCode.INVALID_CONFIG, `Config value ${operation} is not allowed for config key: ${name}`);
}

function refuseDuplicates(names: readonly string[]): void {
  if (new Set(names).size === names.length) return;
  throw new KafkaError(ErrorCode.INVALID_REQUEST, 'Error due to duplicate config keys');
}

function refuseNulls(values: readonly { readonly name: string; readonly value: string | null }[]): void {
  const missing = values.filter(({ value }) => value === null).map(({ name }) => name);
  if (missing.length === 0) return;
  throw new KafkaError(ErrorCode.INVALID_REQUEST, `Null value not supported for : ${missing.join(', ')}`);
}
