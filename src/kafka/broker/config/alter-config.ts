import { splitList } from '../../../config/values.ts';
import { topicKeys } from '../../log/topic-keys.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import type { MetadataCache } from '../../replication/metadata-cache.ts';
import type { KafkaZk } from '../../zk/kafka-zk.ts';
import { type BrokerKey, brokerKeys, type ConfigType } from './broker-keys.ts';
import { type ConfigStore, DEFAULT_ENTITY } from './config-store.ts';
import { checkValue } from './kafka-config.ts';

/** Kinds of resources that carry configuration (`ConfigResource.Type`). */
export const ResourceType = { topic: 2, broker: 4, brokerLogger: 8 } as const;

/** What IncrementalAlterConfigs does with a key (`AlterConfigOp.OpType`). */
export const AlterOperation = { set: 0, delete: 1, append: 2, subtract: 3 } as const;

export interface ConfigChange {
  readonly name: string;
  readonly operation: number;
  readonly value: string | null;
}

export interface ConfigResource {
  readonly type: number;
  readonly name: string;
}

/** Checks changes of configuration, writes them to ZooKeeper and tells every broker (`ZkAdminManager.alterConfigs`). */
export class ConfigAdmin {
  readonly #brokerId: number;
  readonly #store: ConfigStore;
  readonly #zk: KafkaZk;
  readonly #metadata: MetadataCache;

  constructor(options: { brokerId: number; store: ConfigStore; zk: KafkaZk; metadata: MetadataCache }) {
    this.#brokerId = options.brokerId;
    this.#store = options.store;
    this.#zk = options.zk;
    this.#metadata = options.metadata;
  }

  /** AlterConfigs: what is not named goes back to its default. @throws KafkaError */
  async replace(
    resource: ConfigResource,
    values: readonly { readonly name: string; readonly value: string | null }[],
    validateOnly: boolean,
  ): Promise<void> {
    refuseDuplicates(values.map(({ name }) => name));
    const next = new Map<string, string>();
    for (const { name, value } of values) {
      if (value === null) throw new KafkaError(ErrorCode.INVALID_REQUEST, `Null value not supported for : ${name}`);
      next.set(name, value);
    }
    await this.#write(resource, next, validateOnly);
  }

  /** IncrementalAlterConfigs: only the named keys change. @throws KafkaError */
  async change(resource: ConfigResource, changes: readonly ConfigChange[], validateOnly: boolean): Promise<void> {
    refuseDuplicates(changes.map(({ name }) => name));
    const missing = changes.filter(({ operation, value }) => operation !== AlterOperation.delete && value === null);
    if (missing.length > 0) {
      throw new KafkaError(
        ErrorCode.INVALID_REQUEST,
        `Null value not supported for : ${missing.map(({ name }) => name).join(',')}`,
      );
    }
    const next = new Map(await this.#current(resource));
    for (const change of changes) apply(change, next, (name) => this.#inherited(resource, name));
    await this.#write(resource, next, validateOnly);
  }

  async #current({ type, name }: ConfigResource): Promise<Map<string, string>> {
    if (type === ResourceType.topic) return this.#zk.config('topics', name);
    return this.#zk.config('brokers', name === '' ? DEFAULT_ENTITY : name);
  }

  /** What a list has where the resource itself says nothing. */
  #inherited({ type }: ConfigResource, name: string): string {
    if (type !== ResourceType.topic) return this.#store.brokerValue(name) ?? '';
    const key = topicKeys.get(name);
    const synonym = key?.synonyms.find((candidate) => candidate.unitMs === undefined);
    return (synonym && this.#store.brokerValue(synonym.name)) ?? key?.default ?? '';
  }

  async #write(resource: ConfigResource, next: ReadonlyMap<string, string>, validateOnly: boolean): Promise<void> {
    switch (resource.type) {
      case ResourceType.topic:
        return this.#writeTopic(resource.name, next, validateOnly);
      case ResourceType.broker:
        return this.#writeBroker(resource.name, next, validateOnly);
      default:
        throw new KafkaError(
          ErrorCode.INVALID_REQUEST,
          `AlterConfigs is only supported for topics and brokers, but resource type is ${resource.type}`,
        );
    }
  }

  async #writeTopic(topic: string, next: ReadonlyMap<string, string>, validateOnly: boolean): Promise<void> {
    if (this.#metadata.topic(topic) === undefined && !(await this.#zk.topicExists(topic))) {
      throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `The topic '${topic}' does not exist.`);
    }
    inResource(`type=TOPIC, name='${topic}'`, () => this.#store.validateTopic(next));
    if (validateOnly) return;
    await this.#zk.setConfig('topics', topic, next);
    await this.#zk.announceConfigChange(`topics/${topic}`);
  }

  async #writeBroker(name: string, next: ReadonlyMap<string, string>, validateOnly: boolean): Promise<void> {
    const forAll = name === '';
    if (!forAll && name !== String(this.#brokerId)) {
      throw new KafkaError(
        ErrorCode.INVALID_REQUEST,
        `Unexpected broker id, expected ${this.#brokerId} or empty string, but received ${name}`,
      );
    }
    inResource(`type=BROKER, name='${name}'`, () => {
      for (const [key, value] of next) checkDynamic(brokerKeys.get(key), key, value, forAll);
    });
    if (validateOnly) return;
    const entity = forAll ? DEFAULT_ENTITY : name;
    await this.#zk.setConfig('brokers', entity, next);
    await this.#zk.announceConfigChange(`brokers/${entity}`);
  }
}

/** A value that is refused is named with the resource that it was meant for. */
function inResource(resource: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof KafkaError) || error.code !== ErrorCode.INVALID_CONFIG) throw error;
    // Names are looked at before values, without a word of the resource (`LogConfig.validateNames`).
    if (error.message.startsWith('Unknown topic config name')) throw error;
    const message = `Invalid config value for resource ConfigResource(${resource}): ${error.message}`;
    throw new KafkaError(ErrorCode.INVALID_CONFIG, message, { cause: error });
  }
}

function checkDynamic(key: BrokerKey | undefined, name: string, value: string, forAll: boolean): void {
  if (key === undefined) return; // somebody's own key: kept, without effect
  if (key.updateMode === 'read-only') {
    throw new KafkaError(ErrorCode.INVALID_REQUEST, `Cannot update these configs dynamically: Set(${name})`);
  }
  if (forAll && key.updateMode === 'per-broker') {
    throw new KafkaError(
      ErrorCode.INVALID_REQUEST,
      `Cannot update these configs at default cluster level: Set(${name})`,
    );
  }
  try {
    checkValue(key, value);
  } catch (error) {
    throw new KafkaError(ErrorCode.INVALID_CONFIG, error instanceof Error ? error.message : undefined, {
      cause: error,
    });
  }
}

function apply(
  { name, operation, value }: ConfigChange,
  values: Map<string, string>,
  inherited: (name: string) => string,
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
      requireList(name, operation === AlterOperation.append ? 'append' : 'subtract');
      const current = splitList(values.get(name) ?? inherited(name));
      const given = splitList(text);
      const next =
        operation === AlterOperation.append
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

function requireList(name: string, operation: 'append' | 'subtract'): void {
  const type: ConfigType | undefined = topicKeys.get(name)?.type ?? brokerKeys.get(name)?.type;
  if (type === 'list') return;
  if (type === undefined) throw new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR);
  throw new KafkaError(ErrorCode.INVALID_CONFIG, `Config value ${operation} is not allowed for config key: ${name}`);
}

function refuseDuplicates(names: readonly string[]): void {
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  if (twice.length > 0) {
    throw new KafkaError(ErrorCode.INVALID_REQUEST, 'Error due to duplicate config keys');
  }
}
