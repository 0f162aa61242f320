import type { Log } from '../../runtime/log.ts';
import { desanitize } from '../zk/entity-names.ts';
import type { KafkaZk } from '../zk/kafka-zk.ts';
import { decodeConfigChange } from '../zk/znodes.ts';
import { type ConfigStore, DEFAULT_ENTITY } from './config/config-store.ts';
import type { GroupConfigs } from './config/group-configs.ts';
import type { QuotaChanges } from './quotas/quota-changes.ts';
import type { ScramCredentials } from './scram-credentials.ts';

export interface ConfigChangesOptions {
  readonly brokerId: number;
  readonly zk: KafkaZk;
  readonly store: ConfigStore;
  readonly groups: GroupConfigs;
  readonly quotas: QuotaChanges;
  readonly scram: ScramCredentials;
  readonly log: Log;
}

/**
 * Keeps the configuration as ZooKeeper has it: everything is read at the start, then each entity that a notification under
 * /config/changes names, in order (`ZkNodeChangeNotificationListener`).
 */
export class ConfigChanges {
  readonly #brokerId: number;
  readonly #zk: KafkaZk;
  readonly #store: ConfigStore;
  readonly #quotas: QuotaChanges;
  readonly #groups: GroupConfigs;
  readonly #scram: ScramCredentials;
  readonly #log: Log;
  #tail: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: ConfigChangesOptions) {
    this.#brokerId = options.brokerId;
    this.#zk = options.zk;
    this.#store = options.store;
    this.#groups = options.groups;
    this.#quotas = options.quotas;
    this.#scram = options.scram;
    this.#log = options.log;
  }

  /** Sets the watch first and reads everything then: a change in between is only read twice. */
  async start(): Promise<void> {
    await this.#zk.configChanges.take(() => this.#changed());
    const topics = await this.#zk.configuredEntities('topics');
    const groups = await this.#zk.configuredEntities('groups');
    const users = await this.#zk.configuredEntities('users');
    this.#scram.keep(new Set(users.map(desanitize)));
    await Promise.all([
      this.#readBroker('cluster'),
      this.#readBroker('broker'),
      this.#quotas.readAll(),
      ...topics.map((topic) => this.#readTopic(topic)),
      ...groups.map((entity) => this.#readGroup(entity)),
      ...users.map((entity) => this.#readUser(entity)),
    ]);
  }

  close(): void {
    this.#closed = true;
  }

  /** What this broker knows of a topic may be older than the topic: read it before its log is made. */
  async #readTopic(topic: string): Promise<void> {
    this.#store.setTopic(topic, await this.#zk.config('topics', topic));
  }

  async #readGroup(entity: string): Promise<void> {
    this.#groups.set(desanitize(entity), await this.#zk.config('groups', entity));
  }

  /** Credentials; what a user may use stands beside them. */
  async #readUser(entity: string): Promise<void> {
    if (entity !== DEFAULT_ENTITY) this.#scram.set(desanitize(entity), await this.#zk.config('users', entity));
  }

  async #readBroker(scope: 'cluster' | 'broker'): Promise<void> {
    const entity = scope === 'cluster' ? DEFAULT_ENTITY : String(this.#brokerId);
    const values = await this.#zk.config('brokers', entity);
    if (values.size > 0 || this.#store.brokerDynamic(scope).size > 0) this.#store.setBroker(scope, values);
  }

  #changed(): void {
    this.#tail = this.#tail
      .then(() => this.#processAll())
      .catch((error: unknown) => this.#log.error('configuration changes could not be read', { error: String(error) }));
  }

  async #processAll(): Promise<void> {
    if (this.#closed) return;
    for (const data of await this.#zk.configChanges.take(() => this.#changed())) {
      // Those after one that cannot be processed would not be read again.
      await this.#process(data).catch((error: unknown) =>
        this.#log.error('a configuration change could not be processed', { error: String(error) }),
      );
    }
  }

  async #process(data: Uint8Array): Promise<void> {
    const entityPath = decodeConfigChange(data);
    const slash = entityPath?.indexOf('/') ?? -1;
    if (entityPath === undefined || slash < 0) return;
    const type = entityPath.slice(0, slash);
    const entity = entityPath.slice(slash + 1);
    this.#log.info('processing a configuration change', { entity: entityPath });
    if (type === 'topics') await this.#readTopic(entity);
    else if (type === 'groups') await this.#readGroup(entity);
    else if (type === 'brokers' && entity === DEFAULT_ENTITY) await this.#readBroker('cluster');
    else if (type === 'brokers' && entity === String(this.#brokerId)) await this.#readBroker('broker');
    else {
      if (type === 'users' && !entity.includes('/')) await this.#readUser(entity);
      await this.#quotas.read(entityPath);
    }
  }
}
