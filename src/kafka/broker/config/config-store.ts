import { ConfigError } from '../../../config/config-error.ts';
import type { Log } from '../../../runtime/log.ts';
import type { LogConfig, TopicConfigTexts } from '../../log/log-config.ts';
import { logConfigOf, topicDefaultsOf } from '../../log/log-config.ts';
import { KafkaError } from '../../protocol/errors.ts';
import { brokerKeys } from './broker-keys.ts';
import { checkValue, type KafkaConfig } from './kafka-config.ts';

/** `/config/brokers/<default>`: values for every broker of the cluster. */
export const DEFAULT_ENTITY = '<default>';

/**
 * What is configured now: the static file, the dynamic values of the cluster and of this broker over it (KIP-226), and each
 * topic's own values over those.
 */
export class ConfigStore {
  readonly #static: KafkaConfig;
  readonly #topics = new Map<string, TopicConfigTexts>();
  readonly #parsed = new Map<string, LogConfig>();
  #clusterDynamic: TopicConfigTexts = new Map();
  #brokerDynamic: TopicConfigTexts = new Map();
  #defaults: TopicConfigTexts;
  readonly #onTopicChange: (topic: string, config: LogConfig) => void;

  readonly #log: Log;

  /** @param onTopicChange hears of each topic whose effective configuration may have changed */
  constructor(config: KafkaConfig, onTopicChange: (topic: string, config: LogConfig) => void, log: Log) {
    this.#static = config;
    this.#log = log;
    this.#defaults = topicDefaultsOf(config.given);
    this.#onTopicChange = onTopicChange;
  }

  get staticConfig(): KafkaConfig {
    return this.#static;
  }

  topicOverrides(topic: string): TopicConfigTexts {
    return this.#topics.get(topic) ?? new Map();
  }

  /** What a topic's log goes by. */
  logConfig(topic: string): LogConfig {
    let config = this.#parsed.get(topic);
    if (config === undefined) {
      config = logConfigOf(this.topicOverrides(topic), this.#defaults);
      this.#parsed.set(topic, config);
    }
    return config;
  }

  /** The configuration of a topic that does not exist yet. @throws KafkaError INVALID_CONFIG */
  validateTopic(overrides: TopicConfigTexts): void {
    logConfigOf(overrides, this.#defaults);
  }

  setTopic(topic: string, overrides: TopicConfigTexts): void {
    const usable = this.#usable(`topics/${topic}`, overrides, (one) => this.validateTopic(one));
    if (usable.size === 0) this.#topics.delete(topic);
    else this.#topics.set(topic, usable);
    this.#parsed.delete(topic);
    this.#onTopicChange(topic, this.logConfig(topic));
  }

  forgetTopic(topic: string): void {
    this.#topics.delete(topic);
    this.#parsed.delete(topic);
  }

  /** Dynamic values of the cluster (`<default>`) or of this broker alone. */
  setBroker(scope: 'cluster' | 'broker', values: TopicConfigTexts): void {
    const usable = this.#usable(`brokers (${scope})`, values, (one) => {
      for (const [name, value] of one) {
        const key = brokerKeys.get(name);
        if (key !== undefined) checkValue(key, value);
      }
    });
    if (scope === 'cluster') this.#clusterDynamic = usable;
    else this.#brokerDynamic = usable;
    this.#defaults = topicDefaultsOf(this.#effectiveBroker());
    const topics = [...this.#parsed.keys()];
    this.#parsed.clear();
    for (const topic of topics) this.#onTopicChange(topic, this.logConfig(topic));
  }

  brokerDynamic(scope: 'cluster' | 'broker'): TopicConfigTexts {
    return scope === 'cluster' ? this.#clusterDynamic : this.#brokerDynamic;
  }

  /** Text of a broker key as it counts now. */
  brokerValue(name: string): string | null {
    return this.#brokerDynamic.get(name) ?? this.#clusterDynamic.get(name) ?? this.#static.optional(name);
  }

  /**
   * Requests are checked before anything is written; other tools and versions write what they will. What cannot be used is left
   * out: it must not keep a broker from starting, nor a topic from its other values.
   */
  #usable(entity: string, values: TopicConfigTexts, check: (values: TopicConfigTexts) => void): TopicConfigTexts {
    const usable = new Map<string, string>();
    for (const [name, value] of values) {
      try {
        check(new Map([...usable, [name, value]]));
        usable.set(name, value);
      } catch (error) {
        if (!(error instanceof KafkaError || error instanceof ConfigError)) throw error;
        this.#log.warn('a configuration value in ZooKeeper cannot be used', { entity, error: error.message });
      }
    }
    return usable;
  }

  #effectiveBroker(): TopicConfigTexts {
    const known = (values: TopicConfigTexts): [string, string][] =>
      [...values].filter(([name]) => brokerKeys.has(name));
    return new Map([...this.#static.given, ...known(this.#clusterDynamic), ...known(this.#brokerDynamic)]);
  }
}
