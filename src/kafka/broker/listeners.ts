import { parseNumber } from '../../config/values.ts';
import type { Timer } from '../../runtime/clock.ts';
import { type Connection, type Listener, type Network, NetworkError } from '../../runtime/network.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { TurnEnd } from '../../runtime/turn-end.ts';
import type { ApiHandler } from './api-handler.ts';
import { ByteBudget } from './byte-budget.ts';
import { ClientConnection } from './client-connection.ts';
import { connectionOverrides } from './config/dynamic-validation.ts';
import type { KafkaConfig, ListenerAddress } from './config/kafka-config.ts';
import { queuedBytesMaxOf } from './config/queued-bytes.ts';

/** What the connections of a broker hold in memory. */
export interface NetworkLoad {
  readonly connectionCount: number;
  /** Of requests that are being received or handled. */
  readonly requestBytes: number;
  /** Of answers that clients have not taken yet. */
  readonly unsentBytes: number;
}

export interface ListenersOptions {
  readonly runtime: Runtime;
  readonly config: KafkaConfig;
  readonly handlers: ReadonlyMap<number, ApiHandler>;
  readonly turnEnd: TurnEnd;
  /** What belongs to a connection ends with it. */
  readonly onClosed: (connectionId: string) => void;
  readonly onFatal: (error: unknown) => void;
}

/** Where a connection came from, and through which door. */
interface Origin {
  readonly host: string;
  readonly listenerName: string;
}

/** Answers that slow clients have not taken, all together; beyond it the broker waits for them. (Apache has no such bound.) */
const UNSENT_BYTES_MAX = 256 << 20;
/** Idle connections are looked for this often. */
const IDLE_SWEEP_MS = 10_000;

/** The broker's doors: one listener for each address, and all connections that came through them (`SocketServer`). */
export class Listeners {
  readonly #options: ListenersOptions;
  readonly #budget: ByteBudget;
  readonly #responseBudget = new ByteBudget(UNSENT_BYTES_MAX);
  readonly #connections = new Map<ClientConnection, Origin>();
  readonly #perAddress = new Map<string, number>();
  readonly #perListener = new Map<string, number>();
  readonly #listeners: Listener[] = [];
  #sequence = 0;
  #sweep: Timer | undefined;

  constructor(options: ListenersOptions) {
    this.#options = options;
    this.#budget = new ByteBudget(queuedBytesMaxOf(options.config));
  }

  get load(): NetworkLoad {
    let unsentBytes = 0;
    for (const connection of this.#connections.keys()) unsentBytes += connection.unsentBytes;
    return { connectionCount: this.#connections.size, requestBytes: this.#budget.held, unsentBytes };
  }

  /** Opens a door; answers the port that it really has. @throws NetworkError EADDRINUSE, EACCES */
  async open(address: ListenerAddress): Promise<number> {
    const { host, port, listenerName } = address;
    const accept = (connection: Connection): ClientConnection => this.#accept(connection, listenerName);
    const listener = await listenOn(this.#options.runtime.network, host, port, accept);
    this.#listeners.push(listener);
    this.#sweep ??= this.#sweepLater();
    return listener.address.port;
  }

  async close(): Promise<void> {
    this.#sweep?.cancel();
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    for (const connection of this.#connections.keys()) connection.destroy();
  }

  #accept(connection: Connection, listenerName: string): ClientConnection {
    const { runtime, config, handlers, turnEnd, onFatal } = this.#options;
    const host = connection.remote.host;
    this.#sequence += 1;
    const client = new ClientConnection(connection, {
      id: `${connection.local.host}:${connection.local.port}-${host}:${connection.remote.port}-${this.#sequence}`,
      listenerName,
      handlers,
      budget: this.#budget,
      responseBudget: this.#responseBudget,
      turnEnd,
      requestBytesMax: config.number('socket.request.max.bytes'),
      log: runtime.log.named('kafka.network'),
      nowMs: () => runtime.clock.monotonicMs(),
      onClosed: (closed) => this.#forget(closed),
      onFatal,
    });
    const sameHost = (this.#perAddress.get(host) ?? 0) + 1;
    this.#perAddress.set(host, sameHost);
    const sameListener = (this.#perListener.get(listenerName) ?? 0) + 1;
    this.#perListener.set(listenerName, sameListener);
    this.#connections.set(client, { host, listenerName });
    const tooMany =
      sameHost > connectionsFrom(host, config) ||
      this.#connections.size > config.number('max.connections') ||
      sameListener > connectionsTo(listenerName, config);
    if (tooMany) client.destroy('too many connections');
    return client;
  }

  #forget(connection: ClientConnection): void {
    const origin = this.#connections.get(connection);
    if (origin === undefined) return;
    const { host, listenerName } = origin;
    this.#perListener.set(listenerName, (this.#perListener.get(listenerName) ?? 1) - 1);
    this.#connections.delete(connection);
    this.#options.onClosed(connection.id);
    const left = (this.#perAddress.get(host) ?? 1) - 1;
    if (left === 0) this.#perAddress.delete(host);
    else this.#perAddress.set(host, left);
  }

  #sweepLater(): Timer {
    return this.#options.runtime.clock.after(IDLE_SWEEP_MS, () => {
      this.#closeIdle();
      this.#sweep = this.#sweepLater();
    });
  }

  /** `connections.max.idle.ms`; whoever waits for an answer is not idle. */
  #closeIdle(): void {
    const maxIdleMs = this.#options.config.number('connections.max.idle.ms');
    if (maxIdleMs < 0) return;
    const nowMs = this.#options.runtime.clock.monotonicMs();
    for (const connection of this.#connections.keys()) {
      if (connection.isQuiet && nowMs - connection.lastUsedMs > maxIdleMs) connection.destroy();
    }
  }
}

/** `max.connections.per.ip`, or what its overrides say of a host. */
function connectionsFrom(host: string, config: KafkaConfig): number {
  const overrides = config.string('max.connections.per.ip.overrides');
  const own = overrides === '' ? undefined : connectionOverrides(overrides).get(host);
  return own ?? config.number('max.connections.per.ip');
}

/** A listener's own `max.connections`, beside that of all together. */
function connectionsTo(listenerName: string, config: KafkaConfig): number {
  const own = config.current.get(`listener.name.${listenerName.toLowerCase()}.max.connections`);
  return own === undefined ? Infinity : parseNumber(own);
}

/** An empty host is every address, of both families where the machine has both: `localhost` is ::1 to some clients. */
async function listenOn(
  network: Network,
  host: string,
  port: number,
  accept: (connection: Connection) => ClientConnection,
): Promise<Listener> {
  if (host !== '') return network.listen({ host, port }, accept);
  try {
    return await network.listen({ host: '::', port }, accept);
  } catch (error) {
    const isIpv4Only =
      error instanceof NetworkError && (error.code === 'EAFNOSUPPORT' || error.code === 'EADDRNOTAVAIL');
    if (!isIpv4Only) throw error;
    return network.listen({ host: '0.0.0.0', port }, accept);
  }
}
