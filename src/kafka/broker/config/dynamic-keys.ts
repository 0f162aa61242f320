import { type BrokerKey, brokerKeys } from './broker-keys.ts';

/** Rates that no file sets: they are dynamic values of brokers alone (`QuotaConfigs.brokerQuotaConfigs`). */
const throttleKeys: ReadonlyMap<string, BrokerKey> = new Map(
  [
    'leader.replication.throttled.rate',
    'follower.replication.throttled.rate',
    'replica.alter.log.dirs.io.max.bytes.per.second',
  ].map((name) => [
    name,
    { name, type: 'long', default: null, updateMode: 'cluster-wide', effect: 'honoured', min: 0 },
  ]),
);

/** `/config/brokers/<default>` may hold these per listener too; anything else with the prefix belongs to one broker. */
export const CLUSTER_LISTENER_KEYS: ReadonlySet<string> = new Set([
  'max.connections',
  'max.connection.creation.rate',
  'num.network.threads',
]);

/** Change on a running broker only under a listener's prefix (`SslConfigs.RECONFIGURABLE_CONFIGS`). */
const PREFIXED_KEYS: ReadonlySet<string> = new Set(
  [
    ...['keystore.type', 'keystore.location', 'keystore.password', 'key.password', 'keystore.key'],
    ...['truststore.type', 'truststore.location', 'truststore.password'],
    ...['keystore.certificate.chain', 'truststore.certificates'],
  ].map((name) => `ssl.${name}`),
);

/** Under a listener's prefix these carry a SASL mechanism's too (`ListenerMechanismConfigs`). */
const MECHANISM_KEYS = [
  'sasl.jaas.config',
  'sasl.login.callback.handler.class',
  'sasl.login.class',
  'sasl.server.callback.handler.class',
  'connections.max.reauth.ms',
] as const;

const LISTENER_KEY = /^listener\.name\.[^.]*\.(.*)$/;

const chains = [
  ['log.roll.ms', 'log.roll.hours'],
  ['log.roll.jitter.ms', 'log.roll.jitter.hours'],
  ['log.flush.interval.ms', 'log.flush.scheduler.interval.ms'],
  ['log.retention.ms', 'log.retention.minutes', 'log.retention.hours'],
] as const;

/** What follows a listener's prefix; undefined for a key without one. */
export function listenerKeyOf(name: string): string | undefined {
  return LISTENER_KEY.exec(name)?.[1];
}

/** Names under which a value is looked for, the first that is set counting (`DynamicBrokerConfig.brokerConfigSynonyms`). */
export function synonymsOf(name: string, matchListener: boolean): readonly string[] {
  const chain = chains.find((names) => {
    // The scheduler's interval stands in for the interval, but not the other way round.
    return names[0] === name || (names[0] !== 'log.flush.interval.ms' && (names as readonly string[]).includes(name));
  });
  if (chain !== undefined) return chain;
  const base = matchListener ? listenerKeyOf(name) : undefined;
  if (base === undefined) return [name];
  return [name, MECHANISM_KEYS.find((key) => base.endsWith(key)) ?? base];
}

/** The key that judges a name: its own, or that of a listener's override; undefined for somebody else's key. */
export function keyOf(name: string): BrokerKey | undefined {
  const known = throttleKeys.get(name) ?? brokerKeys.get(name);
  if (known !== undefined) return known;
  return synonymsOf(name, true)
    .map((one) => brokerKeys.get(one))
    .find((key) => key !== undefined);
}

export function isDynamic(name: string): boolean {
  const key = brokerKeys.get(name);
  return key !== undefined && key.updateMode !== 'read-only';
}

/** Set in ZooKeeper it would have no effect: it is refused. */
export function isReadOnly(name: string): boolean {
  return brokerKeys.get(name)?.updateMode === 'read-only';
}

export function needsListenerPrefix(name: string): boolean {
  return PREFIXED_KEYS.has(name);
}

/** Not for all brokers at once. */
export function isPerBroker(name: string): boolean {
  const base = listenerKeyOf(name);
  if (base !== undefined) return !CLUSTER_LISTENER_KEYS.has(base);
  return brokerKeys.get(name)?.updateMode === 'per-broker';
}

/** Stored encoded, never shown. */
export function isPassword(name: string): boolean {
  return passwordKeys.some((key) => name.endsWith(key));
}

const passwordKeys = [...brokerKeys.values()]
  .filter(({ type, updateMode }) => type === 'password' && updateMode !== 'read-only')
  .map(({ name }) => name);

/** In the order of a Java `Properties` of few entries: how texts of Apache's list several keys. */
export function inPropertiesOrder(names: readonly string[]): string[] {
  const bucket = (name: string): number => {
    let hash = 0;
    for (let at = 0; at < name.length; at += 1) hash = (hash * 31 + name.charCodeAt(at)) | 0;
    return (hash ^ (hash >>> 16)) & 15;
  };
  return [...names].sort((a, b) => bucket(a) - bucket(b));
}
