import { ConfigError } from '../../../config/config-error.ts';
import type { Log } from '../../../runtime/log.ts';
import type { LogConfig, TopicConfigTexts } from '../../log/log-config.ts';
import { logConfigOf, topicDefaultsOf } from '../../log/log-config.ts';
import { KafkaError } from '../../protocol/errors.ts';
import { isPassword, isPerBroker, isReadOnly, needsListenerPrefix, synonymsOf } from './dynamic-keys.ts';
import { checkDynamicValue, DynamicConfigError, validateDynamic } from './dynamic-validation.ts';
import type { KafkaConfig } from './kafka-config.ts';
import { LISTENER_KEYS, ListenerError, validateListeners } from './listener-endpoints.ts';
import { type PasswordEncoder, PasswordError } from './password-encoder.ts';
import { unsupportedListener } from './unsupported-listener.ts';

/** `/config/brokers/<default>`: values for every broker of the cluster. */
export const DEFAULT_ENTITY = '<default>';

/** Whom dynamic values of brokers are for: the whole cluster (`<default>`), or this broker alone. */
export type BrokerScope = 'cluster' | 'broker';

export interface ConfigStoreOptions {
  readonly config: KafkaConfig;
  readonly log: Log;
  /** Decodes passwords from ZooKeeper; undefined without `password.encoder.secret`. */
  readonly passwords?: PasswordEncoder | undefined;
  /** Hears of each topic whose effective configuration may have changed, with what it goes by now and went by before. */
  readonly onTopicChange: (topic: string, config: LogConfig, before: LogConfig) => void;
  /** Looks at the keys of TLS that there would be. @throws ConfigError for what cannot be used */
  readonly checkTlsKeys?: (next: TopicConfigTexts) => void;
  /** Hears that values of this broker have changed. */
  readonly onBrokerChange?: () => void;
}

/**
 * What is configured now: the static file, the dynamic values of the cluster and of this broker over it (KIP-226), and each
 * topic's own values over those. The values of brokers go into the `KafkaConfig`, where everybody reads them.
 */
export class ConfigStore {
  readonly #options: ConfigStoreOptions;
  readonly #static: KafkaConfig;
  readonly #topics = new Map<string, TopicConfigTexts>();
  readonly #parsed = new Map<string, LogConfig>();
  /** Of topics without values of their own, which are nearly all. */
  #plain: LogConfig | undefined;
  #clusterDynamic: TopicConfigTexts = new Map();
  #brokerDynamic: TopicConfigTexts = new Map();
  #defaults: TopicConfigTexts;

  constructor(options: ConfigStoreOptions) {
    this.#options = options;
    this.#static = options.config;
    // A configuration may have served a broker before: what was changed then is read from ZooKeeper again.
    options.config.use(options.config.given);
    this.#defaults = topicDefaultsOf(options.config.given);
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
      const overrides = this.#topics.get(topic);
      config = overrides === undefined ? this.#plainConfig() : logConfigOf(overrides, this.#defaults);
      this.#parsed.set(topic, config);
    }
    return config;
  }

  #plainConfig(): LogConfig {
    this.#plain ??= logConfigOf(new Map(), this.#defaults);
    return this.#plain;
  }

  /** The configuration that a topic with these values of its own would have. @throws KafkaError INVALID_CONFIG */
  validateTopic(overrides: TopicConfigTexts): LogConfig {
    return logConfigOf(overrides, this.#defaults);
  }

  setTopic(topic: string, overrides: TopicConfigTexts): void {
    const before = this.logConfig(topic);
    const usable = this.#usable(`topics/${topic}`, overrides, (one) => this.validateTopic(one));
    if (usable.size === 0) this.#topics.delete(topic);
    else this.#topics.set(topic, usable);
    this.#parsed.delete(topic);
    this.#options.onTopicChange(topic, this.logConfig(topic), before);
  }

  forgetTopic(topic: string): void {
    this.#topics.delete(topic);
    this.#parsed.delete(topic);
  }

  /** Takes what ZooKeeper has for the cluster or for this broker alone. */
  setBroker(scope: BrokerScope, stored: TopicConfigTexts): void {
    const values = this.#withPossibleListeners(scope, this.fromStored(scope, stored));
    if (scope === 'cluster') this.#clusterDynamic = values;
    else this.#brokerDynamic = values;
    this.#static.use(this.effectiveBroker());
    this.#defaults = topicDefaultsOf(this.#static.current);
    const before = [...this.#parsed];
    this.#parsed.clear();
    this.#plain = undefined;
    for (const [topic, config] of before) this.#options.onTopicChange(topic, this.logConfig(topic), config);
    this.#options.onBrokerChange?.();
  }

  brokerDynamic(scope: BrokerScope): TopicConfigTexts {
    return scope === 'cluster' ? this.#clusterDynamic : this.#brokerDynamic;
  }

  /** Text of a broker key as it counts now. */
  brokerValue(name: string): string | null {
    return this.#static.optional(name);
  }

  /** May these be the values of the cluster, or of this broker? @throws DynamicConfigError in Apache's words */
  validateBroker(scope: BrokerScope, values: TopicConfigTexts): void {
    const next = this.effectiveBroker({ [scope]: values });
    validateDynamic({ values, perBroker: scope === 'broker', next, current: this.#static.current });
    try {
      this.#options.checkTlsKeys?.(next);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const fault = `Validation of dynamic config update failed: ${error.message}`;
      throw new DynamicConfigError(
        `Invalid value org.apache.kafka.common.config.ConfigException: ${fault} for configuration Invalid dynamic configuration`,
      );
    }
  }

  /**
   * What can be used of what ZooKeeper has, passwords decoded (`fromPersistentProps`). Requests are checked before anything is
   * written; other tools and versions write what they will, and that must not keep a broker from starting.
   */
  fromStored(scope: BrokerScope, stored: TopicConfigTexts): Map<string, string> {
    const values = new Map<string, string>();
    for (const [name, value] of stored) {
      const reason = this.#whyIgnored(scope, name, value);
      if (reason === undefined) {
        values.set(name, isPassword(name) ? (this.#decode(value) ?? '') : value);
      } else {
        this.#options.log.warn('a configuration value in ZooKeeper cannot be used', { scope, name, reason });
      }
    }
    return values;
  }

  /** Other tools write what they will: a broker keeps the listeners that it has where those in ZooKeeper cannot be. */
  #withPossibleListeners(scope: BrokerScope, values: Map<string, string>): Map<string, string> {
    const next = this.effectiveBroker({ [scope]: values });
    try {
      validateListeners(next);
      const reason = unsupportedListener(next);
      if (reason !== undefined) throw new ListenerError('listeners', reason);
    } catch (error) {
      if (!(error instanceof ListenerError)) throw error;
      this.#options.log.warn('the listeners in ZooKeeper cannot be used', { scope, error: error.message });
      for (const key of LISTENER_KEYS) values.delete(key);
    }
    return values;
  }

  #whyIgnored(scope: BrokerScope, name: string, value: string): string | undefined {
    if (isReadOnly(name)) return 'it cannot change while a broker runs';
    if (needsListenerPrefix(name)) return 'it can only change for a listener';
    if (scope === 'cluster' && isPerBroker(name)) return 'it cannot be set for all brokers';
    if (isPassword(name)) return this.#decode(value) === undefined ? 'it cannot be decoded' : undefined;
    try {
      checkDynamicValue(name, value);
      return undefined;
    } catch (error) {
      if (error instanceof DynamicConfigError) return error.message;
      throw error;
    }
  }

  #decode(value: string): string | undefined {
    try {
      return this.#options.passwords?.decode(value);
    } catch (error) {
      if (error instanceof PasswordError) return undefined;
      throw error;
    }
  }

  #usable(entity: string, values: TopicConfigTexts, check: (values: TopicConfigTexts) => void): TopicConfigTexts {
    const usable = new Map<string, string>();
    for (const [name, value] of values) {
      try {
        check(new Map([...usable, [name, value]]));
        usable.set(name, value);
      } catch (error) {
        if (!(error instanceof KafkaError || error instanceof ConfigError)) throw error;
        this.#options.log.warn('a configuration value in ZooKeeper cannot be used', { entity, error: error.message });
      }
    }
    return usable;
  }

  /** Texts by key, the strongest source counting. A dynamic value makes the others of its kind void (`overrideProps`). */
  effectiveBroker(instead: { readonly [scope in BrokerScope]?: TopicConfigTexts } = {}): TopicConfigTexts {
    const effective = new Map(this.#static.given);
    for (const values of [instead.cluster ?? this.#clusterDynamic, instead.broker ?? this.#brokerDynamic]) {
      for (const [name, value] of values) {
        for (const synonym of synonymsOf(name, false)) effective.delete(synonym);
        effective.set(name, value);
      }
    }
    return effective;
  }
}
