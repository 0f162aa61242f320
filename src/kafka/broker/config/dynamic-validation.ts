import { canonicalText } from '../../../config/canonical-text.ts';
import { configDefFault, parseNumber, splitList } from '../../../config/values.ts';
import { type TopicConfigTexts, topicDefaultsOf } from '../../log/log-config.ts';
import type { BrokerKey } from './broker-keys.ts';
import { brokerKeys } from './broker-keys.ts';
import {
  inPropertiesOrder,
  isPerBroker,
  isReadOnly,
  keyOf,
  listenerKeyOf,
  needsListenerPrefix,
} from './dynamic-keys.ts';
import { faultOf } from './kafka-config.ts';
import { listenerChangeFault } from './listener-changes.ts';
import { ListenerError, validateListeners } from './listener-endpoints.ts';
import { unsupportedListener } from './unsupported-listener.ts';

/** A change of the configuration that cannot be; the text is Apache's. */
export class DynamicConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DynamicConfigError';
  }
}

/** What is asked for, and what would count then and counts now. */
export interface DynamicChange {
  readonly values: TopicConfigTexts;
  readonly perBroker: boolean;
  /** Texts by key with the change, and without it; defaults are not in them. */
  readonly next: TopicConfigTexts;
  readonly current: TopicConfigTexts;
}

/** In Apache's order and words (`DynamicBrokerConfig.validate`). @throws DynamicConfigError */
export function validateDynamic(change: DynamicChange): void {
  const { values, perBroker } = change;
  const names = inPropertiesOrder([...values.keys()]);
  refuse(names.filter(isReadOnly), 'Cannot update these configs dynamically: Set');
  refuse(
    names.filter(needsListenerPrefix),
    'These security configs can be dynamically updated only per-listener using the listener prefix: HashSet',
  );
  for (const [name, value] of values) checkDynamicValue(name, value);
  const text = 'Cannot update these configs at default cluster level, broker id must be specified: Set';
  if (!perBroker) refuse(names.filter(isPerBroker), text);
  checkTogether(change.next);
  const reason = whyNotNow(change);
  if (reason !== undefined) {
    throw new DynamicConfigError(
      `Invalid value org.apache.kafka.common.config.ConfigException: ${reason} for configuration Invalid dynamic configuration`,
    );
  }
  const unsupported = unsupportedListener(change.next);
  if (unsupported !== undefined) throw new DynamicConfigError(unsupported);
}

/** Of one value alone, a listener's too. @throws DynamicConfigError */
export function checkDynamicValue(name: string, value: string): void {
  const base = listenerKeyOf(name) ?? name;
  const key = keyOf(base);
  if (key === undefined || isReadOnly(base)) return;
  const fault = base === 'principal.builder.class' ? classFault(key, value) : faultOf(key, value);
  if (fault === undefined) return;
  const shown = configDefFault({ type: key.type }, value) === undefined ? canonicalText(key.type, value) : value;
  throw new DynamicConfigError(`Invalid value ${refusedPart(key, shown)} for configuration ${base}: ${fault}`);
}

/** Of a list the member that is refused. */
function refusedPart(key: BrokerKey, value: string): string {
  if (key.type !== 'list' || key.allowed === undefined) return value;
  return splitList(value).find((member) => key.allowed?.includes(member) !== true) ?? value;
}

/** Java classes cannot be loaded: only the default is one that is there. */
function classFault(key: BrokerKey, value: string): string | undefined {
  return value.trim() === key.default ? undefined : `Class ${value.trim()} could not be found.`;
}

function refuse(names: readonly string[], text: string): void {
  if (names.length > 0) throw new DynamicConfigError(`${text}(${names.join(', ')})`);
}

/** What values demand of each other (`KafkaConfig.validateValues`). @throws DynamicConfigError */
function checkTogether(values: TopicConfigTexts): void {
  const text = (name: string): string | null => values.get(name) ?? brokerKeys.get(name)?.default ?? null;
  const number = (name: string): number => parseNumber(text(name) ?? '0');
  const given = (name: string, least: number): boolean => text(name) === null || number(name) >= least;
  require(given('log.roll.ms', 1), 'log.roll.ms must be greater than or equal to 1');
  require(given('log.roll.jitter.ms', 0), 'log.roll.jitter.ms must be greater than or equal to 0');
  require(text('log.retention.ms') === null ||
    number('log.retention.ms') !== 0, 'log.retention.ms must be unlimited (-1) or, greater than or equal to 1');
  require(Math.trunc(number('log.cleaner.dedupe.buffer.size') / number('log.cleaner.threads')) >
    1_048_576, 'log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.');
  checkListeners(values);
  const overrides = connectionOverrides(text('max.connections.per.ip.overrides') ?? '');
  require(number('max.connections.per.ip') > 0 ||
    overrides.size >
      0, 'max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property is set.');
  const invalid = [...overrides.keys()].filter((host) => !/^[0-9a-zA-Z\-%._:]*$/.test(host));
  if (invalid.length > 0) {
    throw new DynamicConfigError(`max.connections.per.ip.overrides contains invalid addresses : ${invalid.join(',')}`);
  }
}

function checkListeners(values: TopicConfigTexts): void {
  try {
    validateListeners(values);
  } catch (error) {
    if (error instanceof ListenerError) throw new DynamicConfigError(error.message);
    throw error;
  }
}

function require(isFine: boolean, text: string): void {
  if (!isFine) throw new DynamicConfigError(`requirement failed: ${text}`);
}

/** `max.connections.per.ip.overrides`: connections by host. @throws DynamicConfigError */
export function connectionOverrides(text: string): Map<string, number> {
  const found = new Map<string, number>();
  const pairs = splitList(text);
  const odd = pairs.find((pair) => !pair.includes(':'));
  if (odd !== undefined) {
    const where = `begin 0, end -1, length ${odd.length}`;
    throw new DynamicConfigError(`Error parsing configuration property 'max.connections.per.ip.overrides': ${where}`);
  }
  for (const pair of pairs) {
    const colon = pair.lastIndexOf(':');
    const count = pair.slice(colon + 1).trim();
    if (!/^[+-]?\d+$/.test(count)) throw new DynamicConfigError(`For input string: "${count}"`);
    found.set(pair.slice(0, colon).trim(), Number(count));
  }
  return found;
}

/** Pools shrink and grow by half and double at most; there are none here, but tools are told what Apache tells them. */
const pools = [
  ...['num.io.threads', 'num.replica.fetchers', 'num.recovery.threads.per.data.dir', 'background.threads'],
  'num.network.threads',
];

function isListenersPool(name: string): boolean {
  return listenerKeyOf(name) === 'num.network.threads';
}

/** What the parts of a broker that change while it runs demand of a change (`BrokerReconfigurable`); undefined where they agree. */
function whyNotNow({ next, current }: DynamicChange): string | undefined {
  const read = (values: TopicConfigTexts, name: string): string =>
    values.get(name) ?? brokerKeys.get(listenerKeyOf(name) ?? name)?.default ?? '';
  const changed = (name: string): boolean => read(next, name) !== read(current, name);
  const number = (name: string): number => parseNumber(read(next, name));
  for (const name of new Set([...next.keys(), 'max.connections', 'max.connection.creation.rate'])) {
    const base = listenerKeyOf(name) ?? name;
    const isLimit = base === 'max.connections' || base === 'max.connection.creation.rate';
    if (isLimit && changed(name) && number(name) <= 0) return `Invalid ${base} ${number(name)}`;
  }
  if (changed('metric.reporters') && read(next, 'metric.reporters') !== '') {
    return 'Validation of dynamic config update of Set(metric.reporters) failed with class class kafka.server.DynamicMetricsReporters';
  }
  for (const name of [...pools, ...[...next.keys()].filter(isListenersPool)]) {
    if (!changed(name)) continue;
    const was = parseNumber(read(current, name));
    const text = `Dynamic thread count update validation failed for ${listenerKeyOf(name) ?? name}=${number(name)}`;
    if (number(name) <= 0) return `${text}, value should be at least 1`;
    if (number(name) < Math.trunc(was / 2)) return `${text}, value should be at least half the current value ${was}`;
    if (number(name) > was * 2) return `${text}, value should not be greater than double the current value ${was}`;
  }
  const concernsRetention = retentionKeys.some(changed);
  return (
    (concernsRetention ? localRetentionFault(next) : undefined) ??
    cleanerThreadsFault(read, { next, current }) ??
    listenerChangeFault(next, current)
  );
}

const retentionKeys = ['ms', 'bytes'].flatMap((unit) => [`log.local.retention.${unit}`, `log.retention.${unit}`]);
const FOLLOWS_TOTAL = -2;

function localRetentionFault(next: TopicConfigTexts): string | undefined {
  const defaults = topicDefaultsOf(next);
  for (const unit of ['ms', 'bytes']) {
    const [local, total] = [`log.local.retention.${unit}`, `log.retention.${unit}`];
    const limit = parseNumber(defaults.get(`local.retention.${unit}`) ?? '');
    const totalLimit = parseNumber(defaults.get(`retention.${unit}`) ?? '');
    if (totalLimit < 0 || limit === FOLLOWS_TOTAL) continue;
    const text = `Invalid value ${limit} for configuration ${local}: Value must not be`;
    if (limit === -1) return `${text} -1 as ${total} value is set as ${totalLimit}.`;
    if (limit > totalLimit) return `${text} more than ${total} property value: ${totalLimit}`;
  }
  return undefined;
}

function cleanerThreadsFault(
  read: (values: TopicConfigTexts, name: string) => string,
  { next, current }: Pick<DynamicChange, 'next' | 'current'>,
): string | undefined {
  const threads = parseNumber(read(next, 'log.cleaner.threads'));
  const was = parseNumber(read(current, 'log.cleaner.threads'));
  if (threads === was) return undefined;
  if (threads < 1) return 'Log cleaner threads should be at least 1';
  if (threads < Math.trunc(was / 2)) {
    return `Log cleaner threads cannot be reduced to less than half the current value ${was}`;
  }
  return threads > was * 2
    ? `Log cleaner threads cannot be increased to more than double the current value ${was}`
    : undefined;
}
