import type { Log } from '../../runtime/log.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import type { MetadataCache } from '../replication/metadata-cache.ts';
import type { KafkaConfig } from './config/kafka-config.ts';
import type { Admit, TopicAdmin } from './topic-admin.ts';
import { illegalTopicName, OFFSETS_TOPIC, SHARE_STATE_TOPIC, TRANSACTIONS_TOPIC } from './topic-names.ts';

/** Where the broker's configuration says how an internal topic is made. */
const prefixes: ReadonlyMap<string, string> = new Map([
  [OFFSETS_TOPIC, 'offsets.topic'],
  [TRANSACTIONS_TOPIC, 'transaction.state.log'],
  [SHARE_STATE_TOPIC, 'share.coordinator.state.topic'],
]);

/** Topics that come into being because somebody asked for them (`AutoTopicCreationManager`). */
export class AutoTopics {
  readonly #config: KafkaConfig;
  readonly #admin: TopicAdmin;
  readonly #metadata: MetadataCache;
  readonly #log: Log;
  readonly #inFlight = new Set<string>();

  constructor(options: { config: KafkaConfig; admin: TopicAdmin; metadata: MetadataCache; log: Log }) {
    this.#config = options.config;
    this.#admin = options.admin;
    this.#metadata = options.metadata;
    this.#log = options.log;
  }

  /** Starts to create a topic, and answers what a client that asked for it is told meanwhile. */
  create(name: string, admit?: Admit): number {
    if (illegalTopicName(name) !== undefined) return ErrorCode.INVALID_TOPIC_EXCEPTION;
    // Before the controller's first word nobody is known; the topic may well be there, and Apache's broker leaves it to the controller.
    if (this.#metadata.brokers.size === 0) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    const { partitionCount, replicationFactor, config } = this.#shapeOf(name);
    if (replicationFactor > this.#metadata.brokers.size) {
      this.#log.warn('a topic cannot be created automatically: too few brokers', {
        topic: name,
        replicationFactor,
        brokers: this.#metadata.brokers.size,
      });
      return ErrorCode.INVALID_REPLICATION_FACTOR;
    }
    if (!this.#inFlight.has(name)) {
      this.#inFlight.add(name);
      void this.#admin
        .create({ name, partitionCount, replicationFactor, config }, false, admit)
        .catch((error: unknown) => {
          if (error instanceof KafkaError && error.code === ErrorCode.TOPIC_ALREADY_EXISTS) return;
          this.#log.warn('automatic creation of a topic failed', { topic: name, error: String(error) });
        })
        .finally(() => this.#inFlight.delete(name));
    }
    return ErrorCode.LEADER_NOT_AVAILABLE;
  }

  #shapeOf(name: string): { partitionCount: number; replicationFactor: number; config: ReadonlyMap<string, string> } {
    const prefix = prefixes.get(name);
    if (prefix === undefined)
      return {
        partitionCount: -1,
        replicationFactor: this.#config.number('default.replication.factor'),
        config: new Map(),
      };
    const config = new Map([
      ['cleanup.policy', 'compact'],
      ['compression.type', 'producer'],
      ['segment.bytes', this.#config.string(`${prefix}.segment.bytes`)],
    ]);
    if (name === SHARE_STATE_TOPIC) {
      // Its coordinator prunes it (`ShareCoordinator.prune`): keys come again and again, and few records count.
      config.set('cleanup.policy', 'delete');
      config.set('retention.ms', '-1');
      config.set('min.insync.replicas', this.#config.string('share.coordinator.state.topic.min.isr'));
    }
    if (name === TRANSACTIONS_TOPIC) {
      config.set('compression.type', 'uncompressed');
      config.set('min.insync.replicas', this.#config.string('transaction.state.log.min.isr'));
      config.set('unclean.leader.election.enable', 'false');
    }
    return {
      partitionCount: this.#config.number(`${prefix}.num.partitions`),
      replicationFactor: this.#config.number(`${prefix}.replication.factor`),
      config,
    };
  }
}
