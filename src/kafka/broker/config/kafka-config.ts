import { ConfigError } from '../../../config/config-error.ts';
import { configDefFault, parseBoolean, parseNumber, splitList } from '../../../config/values.ts';
import { type BrokerKey, brokerKeys } from './broker-keys.ts';
import { ownKeys } from './own-keys.ts';

export interface ListenerAddress {
  readonly listenerName: string;
  readonly host: string;
  readonly port: number;
}

/** A broker's static configuration: server.properties over Apache's defaults. */
export class KafkaConfig {
  readonly #given: ReadonlyMap<string, string>;
  /** Lines to log once at the start: unknown keys, and keys without effect. */
  readonly warnings: readonly string[];

  /** @throws ConfigError for a value that is out of range or that cannot be honoured */
  constructor(given: ReadonlyMap<string, string>) {
    this.#given = given;
    this.warnings = check(given);
    for (const listener of this.listeners) this.#requirePlaintext(listener.listenerName);
    if (this.optional('zookeeper.connect') === null) {
      throw new ConfigError('zookeeper.connect', undefined, 'name the ZooKeeper servers as host:port,host:port/chroot');
    }
    this.#checkIdentity();
    refuseUnlessEmpty(
      this,
      'authorizer.class.name',
      'authorization is not supported yet, so a broker that needs it must not start',
    );
    refuseUnlessEmpty(
      this,
      'control.plane.listener.name',
      'a control plane listener is not supported yet; leave it out',
    );
  }

  get given(): ReadonlyMap<string, string> {
    return this.#given;
  }

  /** The text of a key: given, else its default. */
  optional(name: string): string | null {
    return this.#given.get(name) ?? keyOf(name)?.default ?? null;
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
      const given = this.#given.get(`${stem}.${unit}`);
      if (given !== undefined) return scale(parseNumber(given), factor);
    }
    return scale(this.number(`${stem}.hours`), 3_600_000);
  }

  get brokerId(): number {
    return this.number('broker.id');
  }

  get logDirs(): string[] {
    const dirs = this.list('log.dirs');
    return dirs.length > 0 ? dirs : [this.string('log.dir')];
  }

  get listeners(): ListenerAddress[] {
    return parseListeners('listeners', this.string('listeners'));
  }

  /** Where clients are told to connect; a listener that is not advertised on its own is advertised as it listens. */
  get advertisedListeners(): ListenerAddress[] {
    const advertised = this.#given.get('advertised.listeners');
    return advertised === undefined ? this.listeners : parseListeners('advertised.listeners', advertised);
  }

  get interBrokerListenerName(): string {
    const named = this.#given.get('inter.broker.listener.name');
    if (named !== undefined) return named;
    const protocol = this.string('security.inter.broker.protocol');
    return (
      this.listeners.find(({ listenerName }) => this.securityProtocol(listenerName) === protocol)?.listenerName ??
      protocol
    );
  }

  securityProtocol(listenerName: string): string {
    for (const pair of this.list('listener.security.protocol.map')) {
      const colon = pair.lastIndexOf(':');
      if (pair.slice(0, colon) === listenerName) return pair.slice(colon + 1);
    }
    return listenerName;
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

  #requirePlaintext(listenerName: string): void {
    const protocol = this.securityProtocol(listenerName);
    if (protocol === 'PLAINTEXT') return;
    throw new ConfigError('listeners', `${listenerName} (${protocol})`, 'only PLAINTEXT listeners are supported yet');
  }
}

function keyOf(name: string): BrokerKey | undefined {
  return brokerKeys.get(name) ?? ownKeys.get(name);
}

function refuseUnlessEmpty(config: KafkaConfig, key: string, fix: string): void {
  const value = config.optional(key);
  if (value !== null && value !== '') throw new ConfigError(key, value, fix);
}

function check(given: ReadonlyMap<string, string>): string[] {
  const warnings: string[] = [];
  for (const [name, value] of given) {
    const key = keyOf(name);
    if (key === undefined) {
      if (!name.startsWith('listener.name.')) warnings.push(`The configuration ${name} is not known to this broker.`);
      continue;
    }
    checkValue(key, value);
    if (key.effect === 'accepted' && value !== key.default) {
      warnings.push(`The configuration ${name}=${value} has no effect on this broker.`);
    }
  }
  return warnings;
}

/** @throws ConfigError in Apache's words */
export function checkValue(key: BrokerKey, value: string): void {
  const fault = configDefFault(key, value);
  if (fault !== undefined) throw new ConfigError(key.name, value, fault);
}

/** -1 means "none" in every unit. */
function scale(value: number, factor: number): number {
  return value < 0 ? value : value * factor;
}

/** `PLAINTEXT://host:9092,LAN://[::1]:9093`; an empty host listens on every address. */
function parseListeners(key: string, text: string): ListenerAddress[] {
  const found = splitList(text).map((item) => {
    const match = /^([A-Za-z0-9_]+):\/\/(?:\[([^\]]*)\]|([^:]*)):(-?\d+)$/.exec(item);
    if (match === null || Number(match[4]) > 65_535) {
      throw new ConfigError(key, item, 'write each listener as NAME://host:port');
    }
    return {
      listenerName: (match[1] as string).toUpperCase(),
      host: match[2] ?? match[3] ?? '',
      port: Number(match[4]),
    };
  });
  const names = new Set(found.map(({ listenerName }) => listenerName));
  if (found.length === 0 || names.size !== found.length)
    throw new ConfigError(key, text, 'each listener needs a name of its own');
  return found;
}
