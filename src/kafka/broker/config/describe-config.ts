import { topicKeys } from '../../log/topic-keys.ts';
import type { DescribeConfigsResponse } from '../../protocol/messages/32-describe-configs.ts';
import { type BrokerKey, brokerKeys, type ConfigType } from './broker-keys.ts';
import type { ConfigStore } from './config-store.ts';

type Described = DescribeConfigsResponse['results'][number]['configs'][number];
type Synonym = Described['synonyms'][number];

/** Where a value comes from (`DescribeConfigsResponse.ConfigSource`). */
export const ConfigSource = {
  topic: 1,
  dynamicBroker: 2,
  dynamicDefaultBroker: 3,
  staticBroker: 4,
  default: 5,
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

export interface DescribeOptions {
  /** Null asks for all keys. */
  readonly keys: readonly string[] | null;
  readonly includeSynonyms: boolean;
  readonly includeDocumentation: boolean;
}

/** Every key of a topic with its effective value, and the chain of values that stand behind it. */
export function describeTopicValues(
  store: ConfigStore,
  overrides: ReadonlyMap<string, string>,
  options: DescribeOptions,
): Described[] {
  const described: Described[] = [];
  for (const key of topicKeys.values()) {
    if (!wanted(options, key.name)) continue;
    const own = overrides.get(key.name);
    const inherited = key.synonyms.map(({ name }) => brokerChain(store, name));
    const chain = shownSynonyms(inherited.flat(), key.synonyms[0]?.name);
    if (own !== undefined) chain.unshift({ name: key.name, value: own, source: ConfigSource.topic });
    const first = inherited.flatMap(([synonym], rank) =>
      synonym !== undefined && (rank === 0 || synonym.source !== ConfigSource.default) ? [synonym] : [],
    )[0];
    const value = own ?? (first === undefined ? key.default : inTopicUnit(key.synonyms, first));
    described.push(
      describe(key.name, value, chain[0]?.source ?? ConfigSource.default, chain, options, {
        type: key.type,
        documentation: key.description,
        readOnly: false,
      }),
    );
  }
  return described;
}

/**
 * By where they are set, and none before the first of the topic key's broker keys (`ConfigHelper.configSynonyms`): what is set for
 * `log.retention.hours` alone does not show at all.
 */
function shownSynonyms(inherited: readonly Synonym[], primary: string | undefined): Synonym[] {
  const sorted = inherited.toSorted((a, b) => a.source - b.source);
  const from = sorted.findIndex(({ name }) => name === primary);
  return from < 0 ? [] : sorted.slice(from);
}

function inTopicUnit(synonyms: readonly { readonly name: string; readonly unitMs?: number }[], found: Synonym): string {
  const unitMs = synonyms.find(({ name }) => name === found.name)?.unitMs;
  const value = found.value ?? '';
  return unitMs === undefined || Number(value) < 0 ? value : String(Number(value) * unitMs);
}

/** Every key of this broker; what is password or of an unknown kind shows no value. */
export function describeBrokerConfig(store: ConfigStore, options: DescribeOptions): Described[] {
  const described: Described[] = [];
  for (const key of brokerKeys.values()) {
    if (!wanted(options, key.name)) continue;
    const chain = brokerChain(store, key.name);
    described.push(
      describe(key.name, chain[0]?.value ?? null, chain[0]?.source ?? ConfigSource.default, chain, options, {
        type: key.type,
        documentation: documentationOf(key),
        readOnly: key.updateMode === 'read-only',
      }),
    );
  }
  return described;
}

/** Only the values for all brokers, which is what the empty broker name asks for. */
export function describeClusterConfig(store: ConfigStore, options: DescribeOptions): Described[] {
  return [...store.brokerDynamic('cluster')].flatMap(([name, value]) => {
    const key = brokerKeys.get(name);
    if (key === undefined || !wanted(options, name)) return [];
    const chain = [{ name, value, source: ConfigSource.dynamicDefaultBroker }];
    return [
      describe(name, value, ConfigSource.dynamicDefaultBroker, chain, options, {
        type: key.type,
        documentation: documentationOf(key),
        readOnly: false,
      }),
    ];
  });
}

function documentationOf(key: BrokerKey): string {
  return key.effect === 'accepted'
    ? 'Accepted for compatibility; has no effect on this broker yet.'
    : `Broker key of type ${key.type}.`;
}

function brokerChain(store: ConfigStore, name: string): Synonym[] {
  const chain: Synonym[] = [];
  const push = (value: string | null | undefined, source: number): void => {
    if (value !== undefined && value !== null) chain.push({ name, value, source });
  };
  push(store.brokerDynamic('broker').get(name), ConfigSource.dynamicBroker);
  push(store.brokerDynamic('cluster').get(name), ConfigSource.dynamicDefaultBroker);
  push(store.staticConfig.given.get(name), ConfigSource.staticBroker);
  push(brokerKeys.get(name)?.default, ConfigSource.default);
  return chain;
}

interface Facts {
  readonly type: ConfigType;
  readonly documentation: string;
  readonly readOnly: boolean;
}

function describe(
  name: string,
  value: string | null,
  source: number,
  chain: readonly Synonym[],
  options: DescribeOptions,
  facts: Facts,
): Described {
  const isSensitive = facts.type === 'password';
  const hidden = (text: string | null): string | null => (isSensitive ? null : text);
  return {
    name,
    value: hidden(value),
    readOnly: facts.readOnly,
    // Apache's brokers leave the flag of v0 unset, also for defaults.
    isDefault: false,
    configSource: source,
    isSensitive,
    synonyms: options.includeSynonyms ? chain.map((synonym) => ({ ...synonym, value: hidden(synonym.value) })) : [],
    configType: typeCodes[facts.type],
    documentation: options.includeDocumentation ? facts.documentation : null,
  };
}

function wanted({ keys }: DescribeOptions, name: string): boolean {
  return keys === null || keys.length === 0 || keys.includes(name);
}
