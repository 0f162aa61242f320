import type { Log } from '../../runtime/log.ts';
import type { KafkaZk } from '../zk/kafka-zk.ts';
import type { BrokerInfo, Endpoint } from '../zk/znodes.ts';
import type { KafkaConfig } from './config/kafka-config.ts';
import { isSameEndpoint, type ListenerEndpoint } from './config/listener-endpoints.ts';
import type { Listeners } from './listeners.ts';

export interface BrokerDoorsOptions {
  readonly brokerId: number;
  readonly config: KafkaConfig;
  readonly listeners: Listeners;
  readonly zk: KafkaZk;
  readonly log: Log;
  /** The machine's own name, for listeners on every address. */
  readonly hostname: string;
}

/** What others know of this broker does not let it in. */
export class EndpointInUseError extends Error {
  constructor(addresses: readonly string[], brokerId: number) {
    super(
      `Configured end points ${addresses.join(',')} in advertised listeners are already registered by broker ${brokerId}`,
    );
    this.name = 'EndpointInUseError';
  }
}

/**
 * Which listeners are open, and what /brokers/ids tells of them. Both follow the configuration while the broker lives
 * (`DynamicListenerConfig`): a listener is its name; one that stays keeps its address, whatever is configured for it now.
 */
export class BrokerDoors {
  readonly #options: BrokerDoorsOptions;
  /** Ports that are really open, by listener. */
  readonly #ports = new Map<string, number>();
  /** What is registered, as it was configured; undefined before the first registration. */
  #registered: readonly ListenerEndpoint[] | undefined;
  #endpoints: readonly Endpoint[] = [];
  #tail: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: BrokerDoorsOptions) {
    this.#options = options;
  }

  /** Where clients connect. */
  get endpoints(): readonly Endpoint[] {
    return this.#endpoints;
  }

  /** @throws NetworkError EADDRINUSE, EACCES */
  async open(): Promise<void> {
    for (const listener of this.#options.config.listeners) await this.#open(listener);
  }

  /** Announces the broker; answers its epoch. @throws EndpointInUseError, BrokerIdInUseError */
  async register(): Promise<number> {
    const { zk, log, brokerId } = this.#options;
    const info = await this.#describe();
    const epoch = await zk.registerBroker(info);
    log.info(`Registered broker ${brokerId} at path /brokers/ids/${brokerId} with addresses: ${this.#addresses()}`);
    // What has changed since the doors were opened.
    this.changed();
    return epoch;
  }

  /** The configuration may be another: in turn, doors are closed and opened, and the broker is announced anew. */
  changed(): void {
    this.#tail = this.#tail
      .then(() => this.#follow())
      .catch((error: unknown) => {
        this.#options.log.error('the listeners could not be changed', { error: String(error) });
      });
  }

  /** Nothing opens any more. */
  close(): void {
    this.#isClosed = true;
  }

  async #follow(): Promise<void> {
    if (this.#isClosed || this.#registered === undefined) return;
    const { config, listeners, zk, log, brokerId } = this.#options;
    const wanted = config.listeners;
    const names = new Set(wanted.map(({ listenerName }) => listenerName));
    for (const name of [...this.#ports.keys()]) {
      if (names.has(name)) continue;
      log.info(`Removing data-plane listener ${name}`);
      this.#ports.delete(name);
      await listeners.closeListener(name);
    }
    for (const listener of wanted) {
      if (!this.#ports.has(listener.listenerName)) await this.#tryToOpen(listener);
    }
    const advertised = config.advertisedListeners;
    if (this.#isClosed || isSame(this.#registered, advertised)) return;
    await zk.updateBroker(await this.#describe());
    log.info(`Updated broker ${brokerId} at path /brokers/ids/${brokerId} with addresses: ${this.#addresses()}`);
  }

  async #open(listener: ListenerEndpoint): Promise<void> {
    this.#ports.set(listener.listenerName, await this.#options.listeners.open(listener));
  }

  /** A broker that lives does not end for an address that it cannot have; the next change tries it again. */
  async #tryToOpen(listener: ListenerEndpoint): Promise<void> {
    const { log } = this.#options;
    if (this.#isClosed) return;
    const { listenerName, host, port } = listener;
    log.info(`Adding data-plane listener ${listenerName}`, { host, port });
    try {
      await this.#open(listener);
    } catch (error) {
      if (this.#isClosed) return;
      log.error(`Unable to start acceptor for ListenerName(${listenerName})`, { host, port, error: String(error) });
    }
  }

  /** @throws EndpointInUseError (`KafkaServer.createBrokerInfo`) */
  async #describe(): Promise<BrokerInfo> {
    const { config, zk, brokerId, hostname } = this.#options;
    const advertised = config.advertisedListeners;
    const own = new Set(advertised.map(addressOf));
    for (const { info } of (await zk.liveBrokers()).values()) {
      const common = info.id === brokerId ? [] : info.endpoints.map(addressOf).filter((address) => own.has(address));
      if (common.length > 0) throw new EndpointInUseError(common, info.id);
    }
    this.#registered = advertised;
    this.#endpoints = advertised.map(({ listenerName, securityProtocol, host, port }) => ({
      listenerName,
      securityProtocol,
      host: host === '' ? hostname : host,
      port: port === 0 ? (this.#ports.get(listenerName) ?? 0) : port,
    }));
    return { id: brokerId, endpoints: this.#endpoints, rack: config.optional('broker.rack') };
  }

  #addresses(): string {
    return this.#endpoints.map((endpoint) => `${endpoint.listenerName}://${addressOf(endpoint)}`).join(',');
  }
}

function addressOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host}:${port}`;
}

/** The order is of no account. */
function isSame(one: readonly ListenerEndpoint[], other: readonly ListenerEndpoint[]): boolean {
  return (
    one.length === other.length && one.every((endpoint) => other.some((another) => isSameEndpoint(endpoint, another)))
  );
}
