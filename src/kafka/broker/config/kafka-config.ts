import { resolve } from 'node:path';
import { ConfigError } from '../../../config/config-error.ts';
import { configDefFault, parseBoolean, parseNumber, splitList } from '../../../config/values.ts';
import { authorizerConfigOf, authorizerKeys } from './authorizer-config.ts';
import { type BrokerKey, brokerKeys } from './broker-keys.ts';
import {
  advertisedListenersOf,
  controlListenerNameOf,
  interBrokerListenerNameOf,
  type ListenerEndpoint,
  ListenerError,
  listenersOf,
  validateListeners,
} from './listener-endpoints.ts';
import { interBrokerSaslFault } from './listener-security.ts';
import { ownKeys } from './own-keys.ts';
import { unsupportedListener } from './unsupported-listener.ts';

/** A broker's configuration: server.properties over Apache's defaults, and over both what was changed while it runs (KIP-226). */
export class KafkaConfig {
  readonly #given: ReadonlyMap<string, string>;
  #current: ReadonlyMap<string, string>;
  /** Lines to log once at the start: unknown keys, and keys without effect. */
  readonly warnings: readonly string[];

  /** @throws ConfigError for a value that is out of range or that cannot be honoured */
  constructor(given: ReadonlyMap<string, string>) {
    this.#given = withNodeId(given);
    this.#current = this.#given;
    this.warnings = check(given);
    this.#checkListeners();
    if (this.optional('zookeeper.connect') === null) {
      throw new ConfigError('zookeeper.connect', undefined, 'name the ZooKeeper servers as host:port,host:port/chroot');
    }
    this.#checkIdentity();
    this.#checkAuthentication();
    if (this.number('transaction.version') > 2) {
      throw new ConfigError('transaction.version', this.string('transaction.version'), 'its levels are 0, 1 and 2');
    }
    refuseUnlessEmpty(this, 'process.roles', 'this broker runs in ZooKeeper mode; leave it out');
    if (this.boolean('zookeeper.metadata.migration.enable')) {
      throw new ConfigError(
        'zookeeper.metadata.migration.enable',
        'true',
        'a migration to KRaft is not supported; leave it out',
      );
    }
    authorizerConfigOf(this);
  }

  /** What server.properties says. */
  get given(): ReadonlyMap<string, string> {
    return this.#given;
  }

  /** What is set now, in the file or since. Values of others' keys are here too. */
  get current(): ReadonlyMap<string, string> {
    return this.#current;
  }

  /** From now on these values count; what is left out is back at its default. */
  use(current: ReadonlyMap<string, string>): void {
    this.#current = current;
  }

  /** The text of a key as it counts now: set, else its default. */
  optional(name: string): string | null {
    return this.#current.get(name) ?? keyOf(name)?.default ?? null;
  }

  string(name: string): string {
    return this.optional(name) ?? '';
  }

  /** Beyond 2^53 a number is Infinity: "no limit". */
  number(name: string): number {
    return parseNumber(this.string(name));
  }

  boolean(name: string): boolean {
    return parseBoolean(this.string(name));
  }

  list(name: string): string[] {
    return splitList(this.string(name));
  }

  /** The first key that is set, in its unit's milliseconds: `log.retention.ms` before `.minutes` before `.hours`. */
  duration(stem: string): number {
    for (const [unit, factor] of [
      ['ms', 1],
      ['minutes', 60_000],
      ['hours', 3_600_000],
    ] as const) {
      const given = this.#current.get(`${stem}.${unit}`);
      if (given !== undefined) return scale(parseNumber(given), factor);
    }
    return scale(this.number(`${stem}.hours`), 3_600_000);
  }

  get brokerId(): number {
    return this.number('broker.id');
  }

  /** Absolute paths: requests and answers name a log dir by its own. */
  get logDirs(): string[] {
    const dirs = this.list('log.dirs');
    return (dirs.length > 0 ? dirs : [this.string('log.dir')]).map((path) => resolve(path));
  }

  get listeners(): ListenerEndpoint[] {
    return listenersOf(this.#current);
  }

  /** Where clients are told to connect; a listener that is not advertised on its own is advertised as it listens. */
  get advertisedListeners(): ListenerEndpoint[] {
    return advertisedListenersOf(this.#current);
  }

  get interBrokerListenerName(): string {
    return interBrokerListenerNameOf(this.#current);
  }

  /** On which controllers speak to brokers. */
  get controlListenerName(): string {
    return controlListenerNameOf(this.#current);
  }

  #checkIdentity(): void {
    if (this.brokerId < 0 && !this.boolean('broker.id.generation.enable')) {
      throw new ConfigError('broker.id', '-1', 'give the broker an id, or set broker.id.generation.enable=true');
    }
    const protocol = this.string('inter.broker.protocol.version');
    if (!/^3\.9(-IV0)?$/.test(protocol)) {
      // Znodes and requests between brokers are written as 3.9 does; an older cluster could not read them.
      throw new ConfigError('inter.broker.protocol.version', protocol, 'only 3.9 is spoken yet');
    }
  }

  /** The answer to a failed login must come before its connection is idle for too long. */
  #checkAuthentication(): void {
    const [delayKey, idleKey] = ['connection.failed.authentication.delay.ms', 'connections.max.idle.ms'];
    const [delayMs, idleMs] = [this.number(delayKey), this.number(idleKey)];
    if (idleMs < 0 || delayMs < idleMs) return;
    const fault = `${delayKey}=${delayMs} should always be less than ${idleKey}=${idleMs}`;
    throw new ConfigError(
      delayKey,
      String(delayMs),
      `${fault} to prevent failed authentication responses from timing out`,
    );
  }

  #checkListeners(): void {
    try {
      const reason = unsupportedListener(this.#current);
      if (reason !== undefined) throw new ListenerError('listeners', reason);
      validateListeners(this.#current);
      const fault = interBrokerSaslFault(this.#current);
      if (fault !== undefined) throw fault;
    } catch (error) {
      if (!(error instanceof ListenerError)) throw error;
      throw new ConfigError(error.key, this.string(error.key), error.message);
    }
  }
}

/** One number under two names: brokers of ZooKeeper clusters say `broker.id`, those of KRaft `node.id` (`populateSynonyms`). */
function withNodeId(given: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const id = given.get('broker.id') ?? given.get('node.id');
  return id === undefined ? given : new Map([...given, ['broker.id', id], ['node.id', id]]);
}

function refuseUnlessEmpty(config: KafkaConfig, key: string, fix: string): void {
  const value = config.optional(key);
  if (value !== null && value !== '') throw new ConfigError(key, value, fix);
}

function check(given: ReadonlyMap<string, string>): string[] {
  const warnings: string[] = [];
  for (const [name, value] of given) {
    if (/^(listener\.name\.[^.]*\.)?sasl\.jaas\.config$/.test(name)) {
      warnings.push(`Server config ${name} should be prefixed with SASL mechanism name, ignoring config`);
    }
    const key = keyOf(name);
    if (key === undefined) {
      const isOthers = name.startsWith('listener.name.') || authorizerKeys.has(name);
      if (!isOthers) warnings.push(`The configuration ${name} is not known to this broker.`);
      continue;
    }
    checkValue(key, value);
    if (key.effect === 'accepted' && value !== key.default) {
      warnings.push(`The configuration ${name}=${value} has no effect on this broker.`);
    }
  }
  return warnings;
}

function keyOf(name: string): BrokerKey | undefined {
  return brokerKeys.get(name) ?? ownKeys.get(name);
}

/** What a key cannot take of a value, in Apache's words. */
export function faultOf(key: BrokerKey, value: string): string | undefined {
  const isNoGzipLevel = key.name === 'compression.gzip.level' && Number(value) === 0;
  return isNoGzipLevel ? 'Value must be between 1 and 9 or equal to -1' : configDefFault(key, value);
}

/** @throws ConfigError in Apache's words */
export function checkValue(key: BrokerKey, value: string): void {
  const fault = faultOf(key, value);
  if (fault !== undefined) throw new ConfigError(key.name, value, fault);
}

/** -1 means "none" in every unit. */
function scale(value: number, factor: number): number {
  return value < 0 ? value : value * factor;
}
