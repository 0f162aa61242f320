import { ConfigError } from '../../../config/config-error.ts';
import type { Log } from '../../../runtime/log.ts';
import type { Network } from '../../../runtime/network.ts';
import { connectionOverrides, DynamicConfigError } from '../config/dynamic-validation.ts';
import { throttleTimeMs } from './throttle-time.ts';
import { type RateWindows, WindowedRate } from './windowed-rate.ts';

/** Without a limit (`Integer.MAX_VALUE`). */
const NO_LIMIT = 2_147_483_647;
const OVERRIDES = 'max.connections.per.ip.overrides';

export interface ConnectionQuotasOptions {
  readonly windows: RateWindows;
  /** The text of a broker key as it counts now: limits may change while the broker runs. */
  readonly value: (key: string) => string | null;
  readonly interBrokerListenerName: string;
  readonly network: Pick<Network, 'resolve'>;
  readonly log: Log;
}

/**
 * How many connections there are, of whom, and how fast they come (`ConnectionQuotas`). Limits of the broker, of a listener and of
 * an address; the listener between brokers is spared the broker's where there are others.
 */
export class ConnectionQuotas {
  readonly #options: ConnectionQuotasOptions;
  readonly #listeners = new Set<string>();
  readonly #perAddress = new Map<string, number>();
  readonly #perListener = new Map<string, number>();
  #total = 0;
  readonly #brokerRate: WindowedRate;
  readonly #listenerRates = new Map<string, WindowedRate>();
  readonly #addressRates = new Map<string, WindowedRate>();
  /** Connections per second, by address; null is the default. */
  readonly #rateLimits = new Map<string | null, number>();
  #overridesText = '';
  #overrides = new Map<string, number>();
  readonly #waiting = new Set<() => void>();

  /** @throws ConfigError for overrides that cannot be read */
  constructor(options: ConnectionQuotasOptions) {
    this.#options = options;
    this.#brokerRate = new WindowedRate(options.windows);
    this.#maxPerAddress();
  }

  addListener(name: string): void {
    this.#listeners.add(name);
  }

  /** Its connections are gone, or will be at once; where it comes back it is a new one. */
  removeListener(name: string): void {
    this.#listeners.delete(name);
    this.#listenerRates.delete(name);
    this.limitsChanged();
  }

  /** The quota of an address, or of all (null); undefined takes it back. Names stand for their first address. */
  async setRate(ip: string | null, text: string | undefined): Promise<void> {
    const address = ip === null ? null : await this.#resolve(ip);
    if (address === undefined) return;
    if (text === undefined) this.#rateLimits.delete(address);
    else this.#rateLimits.set(address, Number(text));
  }

  /** A connection has come: how long its listener must wait before it takes it, for the rates of broker and listener. */
  recordArrival(listener: string, nowMs: number): number {
    const brokerMs = this.isProtected(listener)
      ? 0
      : this.#record(this.#brokerRate, this.#number('max.connection.creation.rate'), nowMs);
    return Math.max(
      brokerMs,
      this.#record(this.#rateOf(listener), this.#ofListener(listener, 'max.connection.creation.rate'), nowMs),
    );
  }

  /** How long an address that comes too often has to be ignored; its connection then does not count at all. */
  recordAddress(listener: string, address: string, nowMs: number): number {
    const limit = this.#rateLimits.get(address) ?? this.#rateLimits.get(null) ?? NO_LIMIT;
    if (limit === NO_LIMIT) return 0;
    let rate = this.#addressRates.get(address);
    if (rate === undefined) {
      this.#forgetSilent(nowMs);
      rate = new WindowedRate(this.#options.windows);
      this.#addressRates.set(address, rate);
    }
    const throttleMs = this.#record(rate, limit, nowMs);
    if (throttleMs > 0) {
      rate.record(-1, nowMs);
      if (!this.isProtected(listener)) this.#brokerRate.record(-1, nowMs);
      this.#rateOf(listener).record(-1, nowMs);
    }
    return throttleMs;
  }

  hasRoom(listener: string): boolean {
    if ((this.#perListener.get(listener) ?? 0) >= this.#ofListener(listener, 'max.connections')) return false;
    return this.isProtected(listener) || this.#total < this.#number('max.connections');
  }

  /** The listener between brokers took a connection beyond the broker's limit: another must go. */
  get isOverfull(): boolean {
    return this.#total > this.#number('max.connections');
  }

  /** The broker's own limits do not count for the listener between brokers, where there are others. */
  isProtected(listener: string): boolean {
    return this.#options.interBrokerListenerName === listener && this.#listeners.size > 1;
  }

  /** Counts a connection that is taken. Answers false if its address has too many: then it is closed (and forgotten) at once. */
  add(listener: string, address: string): boolean {
    const count = this.#perAddress.get(address) ?? 0;
    this.#perAddress.set(address, count + 1);
    this.#perListener.set(listener, (this.#perListener.get(listener) ?? 0) + 1);
    this.#total += 1;
    return count < (this.#maxPerAddress().get(address) ?? this.#number('max.connections.per.ip'));
  }

  remove(listener: string, address: string): void {
    const left = (this.#perAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#perAddress.delete(address);
    else this.#perAddress.set(address, left);
    this.#perListener.set(listener, (this.#perListener.get(listener) ?? 1) - 1);
    this.#total -= 1;
    this.limitsChanged();
  }

  /** There may be room for those who wait. */
  limitsChanged(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** Calls whenever a connection is gone or limits are others, until the answer is called. */
  onRoom(wake: () => void): () => void {
    this.#waiting.add(wake);
    return () => this.#waiting.delete(wake);
  }

  #record(rate: WindowedRate, limit: number, nowMs: number): number {
    rate.record(1, nowMs);
    return Math.max(0, throttleTimeMs(rate, limit, nowMs, this.#options.windows.windowMs));
  }

  #rateOf(listener: string): WindowedRate {
    let rate = this.#listenerRates.get(listener);
    if (rate === undefined) {
      rate = new WindowedRate(this.#options.windows);
      this.#listenerRates.set(listener, rate);
    }
    return rate;
  }

  /** `listener.name.<name>.<key>`, else the broker's own. */
  #ofListener(listener: string, key: string): number {
    const own = this.#options.value(`listener.name.${listener.toLowerCase()}.${key}`);
    return own === null ? this.#number(key) : Number(own);
  }

  #number(key: string): number {
    return Number(this.#options.value(key) ?? NO_LIMIT);
  }

  /** `max.connections.per.ip.overrides`. Names are resolved when the text is new, and count as soon as that is done. */
  #maxPerAddress(): ReadonlyMap<string, number> {
    const text = this.#options.value(OVERRIDES) ?? '';
    if (text === this.#overridesText) return this.#overrides;
    this.#overridesText = text;
    const overrides = new Map<string, number>();
    this.#overrides = overrides;
    for (const [host, max] of parseOverrides(text)) {
      overrides.set(host, max);
      void this.#resolve(host).then((address) => address !== undefined && overrides.set(address, max));
    }
    return overrides;
  }

  async #resolve(host: string): Promise<string | undefined> {
    if (isAddress(host)) return host;
    try {
      return (await this.#options.network.resolve(host))[0];
    } catch (error) {
      this.#options.log.warn('a quota is for a host that is not known', { host, error: String(error) });
      return undefined;
    }
  }

  /** Addresses that have not come for as long as rates look back are as good as new. */
  #forgetSilent(nowMs: number): void {
    for (const [address, rate] of this.#addressRates) if (rate.measure(nowMs) === 0) this.#addressRates.delete(address);
  }
}

/** @throws ConfigError */
function parseOverrides(text: string): ReadonlyMap<string, number> {
  try {
    return connectionOverrides(text);
  } catch (error) {
    if (!(error instanceof DynamicConfigError)) throw error;
    throw new ConfigError(OVERRIDES, text, 'write it as host:number,host:number');
  }
}

/** In digits: names have letters beyond f, or no colon and no dotted number. */
function isAddress(host: string): boolean {
  return host.includes(':') || /^\d+\.\d+\.\d+\.\d+$/.test(host);
}
