import { canonicalText } from '../../../config/canonical-text.ts';
import { type TopicConfigTexts, topicDefaultsOf } from '../../log/log-config.ts';
import { topicKeys } from '../../log/topic-keys.ts';
import type { DescribeConfigsResponse } from '../../protocol/messages/32-describe-configs.ts';
import { brokerKeys, type ConfigType } from './broker-keys.ts';
import type { ConfigStore } from './config-store.ts';
import { keyDocumentation } from './documentation/key-documentation.ts';
import { isDynamic, keyOf, synonymsOf } from './dynamic-keys.ts';
import { ownKeys } from './own-keys.ts';

export type Described = DescribeConfigsResponse['results'][number]['configs'][number];
type Synonym = Described['synonyms'][number];

/** Where a value comes from (`DescribeConfigsResponse.ConfigSource`). */
export const ConfigSource = {
  topic: 1,
  dynamicBroker: 2,
  dynamicDefaultBroker: 3,
  staticBroker: 4,
  default: 5,
  dynamicBrokerLogger: 6,
  group: 8,
} as const;

const typeCodes: { readonly [type in ConfigType]: number } = {
  boolean: 1,
  string: 2,
  int: 3,
  short: 4,
  long: 5,
  double: 6,
  list: 7,
  class: 8,
  password: 9,
};
const UNKNOWN_TYPE = 0;

export interface DescribeOptions {
  /** Null asks for all keys. */
  readonly keys: readonly string[] | null;
  readonly includeSynonyms: boolean;
  readonly includeDocumentation: boolean;
}

/** Every key of a topic with its effective value, and the values that stand behind it (`ConfigHelper.createTopicConfigEntry`). */
export function describeTopicValues(
  store: ConfigStore,
  overrides: TopicConfigTexts,
  options: DescribeOptions,
): Described[] {
  const defaults = topicDefaultsOf(store.staticConfig.current);
  return [...topicKeys.values()].flatMap((key) => {
    if (!wanted(options, key.name)) return [];
    const own = overrides.get(key.name);
    const value = canonicalText(key.type, own ?? defaults.get(key.name) ?? key.default);
    const [first] = key.synonyms;
    const inherited = first === undefined ? [] : brokerChain(store, first.name);
    const chain = own === undefined ? inherited : [{ name: key.name, value, source: ConfigSource.topic }, ...inherited];
    const facts = { type: key.type, documentation: key.description, readOnly: false };
    return [describe({ name: key.name, value, chain, facts, options })];
  });
}

/** Every key of this broker, and whatever else was set but keys that only we know; what is a password or of an unknown kind shows no value. */
export function describeBrokerConfig(store: ConfigStore, options: DescribeOptions): Described[] {
  const { current } = store.staticConfig;
  const names = new Set([...brokerKeys.keys(), ...current.keys()]);
  return [...names].flatMap((name) => {
    if (!wanted(options, name) || ownKeys.has(name)) return [];
    const text = current.get(name) ?? brokerKeys.get(name)?.default ?? null;
    const type = brokerKeys.get(name)?.type;
    const value = text === null || type === undefined ? text : canonicalText(type, text);
    return [describe({ name, value, chain: brokerChain(store, name), facts: brokerFacts(name), options })];
  });
}

/** Only the values for all brokers, which is what the empty broker name asks for. */
export function describeClusterConfig(store: ConfigStore, options: DescribeOptions): Described[] {
  return [...store.brokerDynamic('cluster')].flatMap(([name, value]) => {
    if (!wanted(options, name)) return [];
    const chain = brokerChain(store, name).filter(({ source }) => source === ConfigSource.dynamicDefaultBroker);
    return [describe({ name, value, chain, facts: brokerFacts(name), options })];
  });
}

function brokerFacts(name: string): Facts {
  return { type: keyOf(name)?.type, documentation: keyDocumentation.get(name) ?? null, readOnly: !isDynamic(name) };
}

/** By source, then by synonym; what stands before the name itself belongs to others (`ConfigHelper.configSynonyms`). */
export function brokerChain(store: ConfigStore, name: string): Synonym[] {
  const synonyms = synonymsOf(name, true);
  const chain: Synonym[] = [];
  const push = (source: number, textOf: (name: string) => string | null | undefined): void => {
    for (const synonym of synonyms) {
      const value = textOf(synonym);
      if (value !== undefined && value !== null) chain.push({ name: synonym, value, source });
    }
  };
  push(ConfigSource.dynamicBroker, (one) => store.brokerDynamic('broker').get(one));
  push(ConfigSource.dynamicDefaultBroker, (one) => store.brokerDynamic('cluster').get(one));
  push(ConfigSource.staticBroker, (one) => store.staticConfig.given.get(one));
  push(ConfigSource.default, (one) => (brokerKeys.get(one) ?? ownKeys.get(one))?.default);
  const start = chain.findIndex((synonym) => synonym.name === name);
  return start < 0 ? [] : chain.slice(start);
}

interface Facts {
  /** Undefined for somebody else's key: it may be a secret. */
  readonly type: ConfigType | undefined;
  readonly documentation: string | null;
  readonly readOnly: boolean;
}

interface Entry {
  readonly name: string;
  readonly value: string | null;
  readonly chain: readonly Synonym[];
  readonly facts: Facts;
  readonly options: DescribeOptions;
}

export function describe({ name, value, chain, facts, options }: Entry): Described {
  const isSensitive = facts.type === undefined || facts.type === 'password';
  const hidden = (text: string | null): string | null => (isSensitive ? null : text);
  return {
    name,
    value: hidden(value),
    readOnly: facts.readOnly,
    // Apache's brokers leave the flag of v0 unset, also for defaults.
    isDefault: false,
    configSource: chain[0]?.source ?? ConfigSource.default,
    isSensitive,
    synonyms: options.includeSynonyms ? chain.map((synonym) => ({ ...synonym, value: hidden(synonym.value) })) : [],
    configType: facts.type === undefined ? UNKNOWN_TYPE : typeCodes[facts.type],
    documentation: options.includeDocumentation ? facts.documentation : null,
  };
}

export function wanted({ keys }: DescribeOptions, name: string): boolean {
  return keys === null || keys.length === 0 || keys.includes(name);
}
