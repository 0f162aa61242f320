import { splitList } from '../../../config/values.ts';
import type { Log } from '../../../runtime/log.ts';
import type { GroupTimes } from '../../coordinator/group/consumer/consumer-config.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { type GroupKey, type GroupLimits, groupKeys, groupValueFault } from './group-keys.ts';
import type { KafkaConfig } from './kafka-config.ts';

const RACK_AWARE_TAGS = 'streams.rack.aware.assignment.tags';

type Texts = ReadonlyMap<string, string>;
const nothing: Texts = new Map();

/** What is configured for groups now (`GroupConfigManager`): what they say themselves, within the broker's limits, else the broker. */
export class GroupConfigs {
  readonly #config: KafkaConfig;
  readonly #log: Log;
  readonly #groups = new Map<string, Texts>();

  constructor(config: KafkaConfig, log: Log) {
    this.#config = config;
    this.#log = log;
  }

  /** The groups that have values of their own. */
  get names(): Iterable<string> {
    return this.#groups.keys();
  }

  /** Takes what ZooKeeper has: others than brokers may have written it. */
  set(group: string, stored: Texts): void {
    const usable = new Map<string, string>();
    for (const [name, value] of stored) {
      const fault = faultOf(name, value);
      if (fault === undefined) usable.set(name, value);
      else this.#log.warn('a configuration value in ZooKeeper cannot be used', { group, name, fault });
    }
    if (usable.size > 0) this.#groups.set(group, usable);
    else this.#groups.delete(group);
  }

  /** As it counts; numbers are kept within what this broker allows. */
  text(group: string, name: string): string {
    const key = groupKeys.get(name)!;
    const own = (this.#groups.get(group) ?? nothing).get(name);
    if (own === undefined) return textWithout(this.#config, key);
    if (key.limits === undefined) return own;
    const [min, max] = this.#limitsOf(key.limits);
    return String(Math.min(Math.max(Number(own), min), max));
  }

  number(group: string, name: string): number {
    return Number(this.text(group, name));
  }

  times(kind: 'consumer' | 'share' | 'streams', group: string): GroupTimes {
    return {
      sessionTimeoutMs: this.number(group, `${kind}.session.timeout.ms`),
      heartbeatIntervalMs: this.number(group, `${kind}.heartbeat.interval.ms`),
      assignmentIntervalMs: this.number(group, `${kind}.assignment.interval.ms`),
    };
  }

  /** May a group have these values? In Apache's order and words (`GroupConfig.validate`). @throws KafkaError INVALID_CONFIG */
  validate(values: Texts): void {
    for (const [name, value] of values) {
      const fault = faultOf(name, value);
      if (fault !== undefined) throw invalid(fault);
    }
    for (const { name, limits } of groupKeys.values()) {
      const value = values.get(name);
      if (value === undefined || limits === undefined) continue;
      const [min, max] = this.#limitsOf(limits);
      if (Number(value) >= min && Number(value) <= max) continue;
      throw invalid(`${name} must be ${limitsText(min, max)}`);
    }
    this.#checkStreams(values);
    for (const kind of ['consumer', 'share', 'streams']) {
      const [session, heartbeat] = [`${kind}.session.timeout.ms`, `${kind}.heartbeat.interval.ms`];
      const [timeoutMs, intervalMs] = [session, heartbeat].map((name) =>
        Number(values.get(name) ?? textWithout(this.#config, groupKeys.get(name)!)),
      );
      const isNamed = values.has(session) || values.has(heartbeat);
      if (isNamed && timeoutMs! <= intervalMs!) throw invalid(`${session} must be greater than ${heartbeat}`);
    }
  }

  #checkStreams(values: Texts): void {
    const assignor = values.get('streams.assignor.name');
    const assignors = this.#config.list('group.streams.assignors');
    if (assignor !== undefined && !assignors.includes(assignor)) {
      throw invalid(
        `streams.assignor.name '${assignor}' is not a registered task assignor. Registered assignors are: [${assignors.join(', ')}].`,
      );
    }
    const tags = splitList(values.get(RACK_AWARE_TAGS) ?? '');
    if (new Set(tags).size < tags.length) throw invalid(`${RACK_AWARE_TAGS} must not contain duplicate tag keys.`);
  }

  #limitsOf({ min, max }: GroupLimits): readonly [number, number] {
    return [
      min === undefined ? Number.NEGATIVE_INFINITY : this.#config.number(min),
      max === undefined ? Number.POSITIVE_INFINITY : this.#config.number(max),
    ];
  }
}

function limitsText(min: number, max: number): string {
  if (min === Number.NEGATIVE_INFINITY) return `less than or equal to ${max}`;
  if (max === Number.POSITIVE_INFINITY) return `greater than or equal to ${min}`;
  return `in the range ${min} to ${max} inclusive.`;
}

/** What counts for a group that says nothing itself. */
export function textWithout(config: KafkaConfig, { otherwise }: GroupKey): string {
  return 'text' in otherwise ? otherwise.text : config.string(otherwise.brokerKey);
}

function faultOf(name: string, value: string): string | undefined {
  const key = groupKeys.get(name);
  return key === undefined ? `Unknown group config name: ${name}` : groupValueFault(key, value);
}

function invalid(message: string): KafkaError {
  return new KafkaError(ErrorCode.INVALID_CONFIG, message);
}
