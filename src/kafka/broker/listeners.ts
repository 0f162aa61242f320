import { ConfigError } from '../../config/config-error.ts';
import { BufferPool } from '../../runtime/buffer-pool.ts';
import type { Timer } from '../../runtime/clock.ts';
import { type Connection, type Listener, type Network, NetworkError } from '../../runtime/network.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { TurnEnd } from '../../runtime/turn-end.ts';
import { FRAME_PIECE_BYTES } from '../../wire/framing.ts';
import { ApiKey } from '../protocol/api-keys.ts';
import type { ApiHandler } from './api-handler.ts';
import { ANONYMOUS, type BrokerSecurity, type ListenerSecurity } from './broker-security.ts';
import { ByteBudget } from './byte-budget.ts';
import { ClientConnection } from './client-connection.ts';
import type { KafkaConfig } from './config/kafka-config.ts';
import type { ListenerEndpoint } from './config/listener-endpoints.ts';
import { queuedBytesMaxOf } from './config/queued-bytes.ts';
import type { ConnectionMetrics } from './metrics/connection-metrics.ts';
import type { RequestMetrics } from './metrics/request-metrics.ts';
import type { ClientQuotas } from './quotas/client-quotas.ts';
import { ConnectionGate } from './quotas/connection-gate.ts';
import type { ConnectionQuotas } from './quotas/connection-quotas.ts';

/** What the connections of a broker hold in memory. */
export interface NetworkLoad {
  readonly connectionCount: number;
  /** Of requests that are being received or handled. */
  readonly requestBytes: number;
  /** Of answers that clients have not taken yet. */
  readonly unsentBytes: number;
}

/** One listener, and who lets its connections in. */
interface Door {
  readonly endpoint: ListenerEndpoint;
  readonly listener: Listener;
  readonly gate: ConnectionGate;
}

/** What a door's connections are met with. */
type Reception = Pick<Door, 'endpoint' | 'gate'> & { readonly security: ListenerSecurity };

/** Where a connection came from. */
interface Origin {
  readonly host: string;
  readonly listenerName: string;
  /** It counts. */
  isLetIn: boolean;
}

export interface ListenersOptions {
  readonly runtime: Runtime;
  readonly config: KafkaConfig;
  readonly handlers: ReadonlyMap<number, ApiHandler>;
  readonly security: BrokerSecurity;
  readonly turnEnd: TurnEnd;
  /** What belongs to a connection ends with it. */
  readonly onClosed: (connectionId: string) => void;
  readonly quotas: ClientQuotas;
  /** Undefined where nobody looks at metrics. */
  readonly metrics: RequestMetrics | undefined;
  readonly connectionMetrics: ConnectionMetrics | undefined;
  readonly connectionQuotas: ConnectionQuotas;
  readonly onFatal: (error: unknown) => void;
}

/** Answers that slow clients have not taken, all together; beyond it the broker waits for them. (Apache has no such bound.) */
const UNSENT_BYTES_MAX = 256 << 20;
/** For requests that do not come in one read. Many connections may each have the beginning of a small one: that is allocated. */
const REQUEST_MEMORY = { bufferBytes: FRAME_PIECE_BYTES, lentFromBytes: 16_384, freeBytesMax: 8 << 20 };
/** Idle connections are looked for this often. */
const IDLE_SWEEP_MS = 10_000;

/** The broker's doors: one listener for each address, and all connections that came through them (`SocketServer`). */
export class Listeners {
  readonly #options: ListenersOptions;
  readonly #budget: ByteBudget;
  readonly #responseBudget = new ByteBudget(UNSENT_BYTES_MAX);
  readonly #requestMemory: BufferPool;
  readonly #connections = new Map<ClientConnection, Origin>();
  readonly #doors = new Map<string, Door>();
  #sequence = 0;
  #isClosed = false;
  #sweep: Timer | undefined;

  constructor(options: ListenersOptions) {
    this.#options = options;
    this.#budget = new ByteBudget(queuedBytesMaxOf(options.config));
    const { fillByte } = options.runtime.disk.buffers;
    this.#requestMemory = new BufferPool({ ...REQUEST_MEMORY, ...(fillByte === undefined ? {} : { fillByte }) });
  }

  get load(): NetworkLoad {
    let unsentBytes = 0;
    for (const connection of this.#connections.keys()) unsentBytes += connection.unsentBytes;
    return { connectionCount: this.#connections.size, requestBytes: this.#budget.held, unsentBytes };
  }

  /** Opens a door; answers the port that it really has. @throws NetworkError EADDRINUSE, EACCES, ECANCELED; ConfigError */
  async open(endpoint: ListenerEndpoint): Promise<number> {
    const { listenerName } = endpoint;
    const { runtime, config, connectionQuotas: quotas } = this.#options;
    const security = this.#options.security.of(endpoint);
    const waitingMax = config.number('socket.listen.backlog.size');
    const gate = new ConnectionGate({ listenerName, quotas, clock: runtime.clock, waitingMax });
    const reception = { endpoint, gate, security };
    const accept = (connection: Connection): ClientConnection => this.#accept(connection, reception);
    quotas.addListener(listenerName);
    try {
      const listener = await listenOn(runtime.network, { ...endpoint, tls: security.tls }, accept);
      if (this.#isClosed) {
        await listener.close();
        throw new NetworkError('ECANCELED', `the broker ended while ${listenerName} was being opened`);
      }
      this.#doors.set(listenerName, { endpoint, listener, gate });
      this.#sweep ??= this.#sweepLater();
      return listener.address.port;
    } catch (error) {
      gate.close();
      quotas.removeListener(listenerName);
      throw error;
    }
  }

  /** Keys and trust as they are configured now: who connects from now on meets them. What cannot be used leaves the old ones. */
  renewKeys(): void {
    const { security, runtime } = this.#options;
    for (const { endpoint, listener } of this.#doors.values()) {
      try {
        const material = security.renewedMaterial(endpoint);
        if (material !== undefined) listener.replaceTls(material);
      } catch (error) {
        if (!(error instanceof ConfigError || error instanceof NetworkError)) throw error;
        const facts = { listener: endpoint.listenerName, reason: error.message };
        runtime.log.error('changed key or trust stores cannot be used, the old ones stay', facts);
      }
    }
  }

  /** Closes a door with all connections that came through it; what they wait for is not answered (`SocketServer.removeListeners`). */
  async closeListener(listenerName: string): Promise<void> {
    const door = this.#doors.get(listenerName);
    if (door === undefined) return;
    this.#doors.delete(listenerName);
    door.gate.close();
    const closed = door.listener.close();
    for (const [connection, origin] of this.#connections) {
      if (origin.listenerName === listenerName) connection.destroy();
    }
    this.#options.connectionQuotas.removeListener(listenerName);
    await closed;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#sweep?.cancel();
    const doors = [...this.#doors.values()];
    for (const { gate } of doors) gate.close();
    await Promise.all(doors.map(({ listener }) => listener.close()));
    for (const connection of this.#connections.keys()) connection.destroy();
  }

  #accept(connection: Connection, { endpoint, gate, security }: Reception): ClientConnection {
    const { listenerName } = endpoint;
    const { runtime, config, handlers, turnEnd, quotas, onFatal } = this.#options;
    const host = connection.remote.host;
    const principal = security.principalOf(connection.tls);
    this.#sequence += 1;
    const client = new ClientConnection(connection, {
      id: `${connection.local.host}:${connection.local.port}-${host}:${connection.remote.port}-${this.#sequence}`,
      listenerName,
      handlers,
      budget: this.#budget,
      responseBudget: this.#responseBudget,
      requestMemory: this.#requestMemory,
      turnEnd,
      requestBytesMax: config.number('socket.request.max.bytes'),
      log: runtime.log.named('kafka.network'),
      clock: runtime.clock,
      quotas,
      metrics: this.#options.metrics,
      principal: principal ?? ANONYMOUS,
      authenticator: security.authenticator(handlers.get(ApiKey.ApiVersions)?.lastVersion ?? 0),
      failedAuthenticationDelayMs: config.number('connection.failed.authentication.delay.ms'),
      onClosed: (closed) => this.#forget(closed),
      onFatal,
    });
    const origin: Origin = { host, listenerName, isLetIn: false };
    this.#connections.set(client, origin);
    gate.enter({
      address: host,
      get isClosed() {
        return client.isClosed;
      },
      admit: () => this.#letIn(client, origin),
      refuse: (reason) => client.destroy(reason),
    });
    if (!origin.isLetIn) client.hold();
    if (principal === undefined) client.destroy('no rule of ssl.principal.mapping.rules applies to a certificate');
    return client;
  }

  #letIn(client: ClientConnection, origin: Origin): void {
    const quotas = this.#options.connectionQuotas;
    origin.isLetIn = true;
    this.#options.connectionMetrics?.opened(origin.listenerName);
    if (!quotas.add(origin.listenerName, origin.host)) return client.destroy('too many connections of one address');
    client.letIn();
    if (quotas.isProtected(origin.listenerName) && quotas.isOverfull) this.#closeLongestIdle();
  }

  /** Brokers must reach each other: where there are too many connections, one of another listener goes (KIP-402). */
  #closeLongestIdle(): void {
    let longest: ClientConnection | undefined;
    for (const [client, { listenerName, isLetIn }] of this.#connections) {
      if (!isLetIn || this.#options.connectionQuotas.isProtected(listenerName)) continue;
      if (longest === undefined || client.lastUsedMs < longest.lastUsedMs) longest = client;
    }
    longest?.destroy('the listener between brokers needs its place');
  }

  #forget(connection: ClientConnection): void {
    const origin = this.#connections.get(connection);
    if (origin === undefined) return;
    this.#connections.delete(connection);
    this.#options.onClosed(connection.id);
    if (!origin.isLetIn) return;
    this.#options.connectionQuotas.remove(origin.listenerName, origin.host);
    this.#options.connectionMetrics?.closed(origin.listenerName);
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

/** An empty host is every address, of both families where the machine has both: `localhost` is ::1 to some clients. */
async function listenOn(
  network: Network,
  { host, port, tls }: Pick<ListenerEndpoint, 'host' | 'port'> & Pick<ListenerSecurity, 'tls'>,
  accept: (connection: Connection) => ClientConnection,
): Promise<Listener> {
  const options = tls === undefined ? {} : { tls };
  if (host !== '') return network.listen({ host, port }, accept, options);
  try {
    return await network.listen({ host: '::', port }, accept, options);
  } catch (error) {
    const isIpv4Only =
      error instanceof NetworkError && (error.code === 'EAFNOSUPPORT' || error.code === 'EADDRNOTAVAIL');
    if (!isIpv4Only) throw error;
    return network.listen({ host: '0.0.0.0', port }, accept, options);
  }
}
