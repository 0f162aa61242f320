import type { LogConfig, TopicConfigTexts } from '../../log/log-config.ts';
import { logConfigOf, topicDefaultsOf } from '../../log/log-config.ts';
import { brokerKeys } from './broker-keys.ts';
import type { KafkaConfig } from './kafka-config.ts';

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

  /** @param onTopicChange hears of each topic whose effective configuration may have changed */
  constructor(config: KafkaConfig, onTopicChange: (topic: string, config: LogConfig) => void) {
    this.#static = config;
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
    if (overrides.size === 0) this.#topics.delete(topic);
    else this.#topics.set(topic, overrides);
    this.#parsed.delete(topic);
    this.#onTopicChange(topic, this.logConfig(topic));
  }

  forgetTopic(topic: string): void {
    this.#topics.delete(topic);
    this.#parsed.delete(topic);
  }

  /** Dynamic values of the cluster (`<default>`) or of this broker alone. */
  setBroker(scope: 'cluster' | 'broker', values: TopicConfigTexts): void {
    if (scope === 'cluster') this.#clusterDynamic = values;
    else this.#brokerDynamic = values;
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

  #effectiveBroker(): TopicConfigTexts {
    const known = (values: TopicConfigTexts): [string, string][] =>
      [...values].filter(([name]) => brokerKeys.has(name));
    return new Map([...this.#static.given, ...known(this.#clusterDynamic), ...known(this.#brokerDynamic)]);
  }
}
