import type { Clock, Timer } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { Address, Connection, ConnectionHandler, Listener, Network } from '../../runtime/network.ts';
import type { MalformedError } from '../../wire/errors.ts';
import { ElectionLink } from './election-link.ts';
import { encodeHello, type Hello, OBSERVER_WITHOUT_ID } from './hello.ts';
import type { QuorumAuth } from './quorum-auth.ts';
import type { ServerId } from './quorum-verifier.ts';

export interface ElectionPortOptions {
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Log;
  readonly self: ServerId;
  /** Our own, as others reach it. */
  readonly address: Address;
  /** Where to listen, if not at `address`: `quorumListenOnAllIPs`. */
  readonly listenAt?: Address;
  /** Of the other members. */
  readonly addressOf: (server: ServerId) => Address | undefined;
  /** `zookeeper.cnxTimeout`. Default 5 s. */
  readonly connectTimeoutMs?: number;
  /** How long a peer may take for its hello, and for authentication: tickTime × syncLimit. */
  readonly helloTimeoutMs: number;
  /** Undefined: nobody authenticates. */
  readonly auth?: QuorumAuth | undefined;
  readonly received: (from: ServerId, message: Uint8Array) => void;
}

/**
 * Connections between the members' election ports (QuorumCnxManager). Of two servers the one with the higher id connects: a
 * connection from a lower id is closed, and that server called back. For each server the newest message waits until there is a
 * connection, and the last one is said again on a new one.
 */
export class ElectionPort {
  readonly #options: ElectionPortOptions;
  readonly #links = new Map<ServerId, ElectionLink>();
  readonly #connecting = new Map<ServerId, Connection>();
  /** The newest for each server; `waits` until it has left. */
  readonly #messages = new Map<ServerId, { readonly message: Uint8Array; waits: boolean }>();
  #listener: Listener | undefined;
  /** Our own, as others reach it. */
  #address: Address;
  #observerCount = 0;
  #isClosed = false;

  constructor(options: ElectionPortOptions) {
    this.#options = options;
    this.#address = options.address;
  }

  start(): Promise<void> {
    return this.#listen(this.#options.listenAt ?? this.#address);
  }

  /** Connections to the old place end: who made them looks for us at the new one. */
  async move(address: Address, listenAt: Address = address): Promise<void> {
    await this.#listener?.close();
    this.#address = address;
    for (const link of [...this.#links.values()]) link.close();
    if (!this.#isClosed) await this.#listen(listenAt);
  }

  async #listen(at: Address): Promise<void> {
    const listener = await this.#options.network.listen(at, (connection) => this.#accept(connection));
    this.#listener = listener;
    if (this.#isClosed) await listener.close();
  }

  /** Something has left for some server since it was sent; before anything was sent, no. */
  get hasDelivered(): boolean {
    return [...this.#messages.values()].some(({ waits }) => !waits);
  }

  send(to: ServerId, message: Uint8Array): void {
    if (this.#isClosed) return;
    this.#messages.set(to, { message, waits: true });
    const link = this.#links.get(to);
    if (link === undefined) this.#connect(to, this.#options.addressOf(to));
    else this.#deliver(to, link);
  }

  /** Connections to all servers that we have a message for. */
  connectAll(): void {
    for (const server of this.#messages.keys()) {
      if (!this.#links.has(server)) this.#connect(server, this.#options.addressOf(server));
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const connection of this.#connecting.values()) connection.destroy();
    for (const link of this.#links.values()) link.close();
    await this.#listener?.close();
  }

  #connect(server: ServerId, to: Address | undefined): void {
    if (this.#isClosed || to === undefined || this.#connecting.has(server)) return;
    const { network, clock, connectTimeoutMs = 5000, helloTimeoutMs, auth, self } = this.#options;
    const over = (): void => {
      timer.cancel();
      this.#connecting.delete(server);
    };
    const opened = (): void => {
      over();
      if (server > self) connection.end();
      else this.#adopt(server, link);
    };
    const link = new ElectionLink({ ...this.#linkEvents(server), authenticated: opened });
    const handler: ConnectionHandler = {
      connected: () => {
        connection.write([this.#hello()]);
        if (exchange === undefined) return opened();
        timer.cancel();
        timer = clock.after(helloTimeoutMs, () => connection.destroy());
        exchange.begin?.();
      },
      data: (chunk) => link.data(chunk),
      drained: () => this.#drained(server, link),
      closed: (reason) => {
        over();
        if (reason !== undefined)
          this.#options.log.debug('no connection to a member', { server, error: reason.message });
        link.closed();
      },
    };
    let timer: Timer = clock.after(connectTimeoutMs, () => connection.destroy());
    const connection = network.connect(to, handler);
    const exchange = auth?.connecting(connection);
    link.attach(connection, exchange);
    this.#connecting.set(server, connection);
  }

  #accept(connection: Connection): ConnectionHandler {
    const { clock, helloTimeoutMs, auth } = this.#options;
    let server: ServerId | undefined;
    const timer = clock.after(helloTimeoutMs, () => connection.destroy());
    const link = new ElectionLink({
      greeted: (hello) => {
        timer.cancel();
        server = this.#greeted(hello, link);
        return server !== undefined;
      },
      received: (message) => this.#options.received(server as ServerId, message),
      faulty: (error) => this.#faulty(server, error),
      closed: () => {
        if (server !== undefined && this.#links.get(server) === link) this.#links.delete(server);
      },
    });
    link.attach(connection, auth?.accepting(connection));
    return {
      data: (chunk) => link.data(chunk),
      drained: () => this.#drained(server, link),
      closed: () => {
        timer.cancel();
        link.closed();
      },
    };
  }

  /** The server whose connection this is from now on; undefined if it is not kept. */
  #greeted(hello: Hello, link: ElectionLink): ServerId | undefined {
    const { self, log } = this.#options;
    const server = hello.server === OBSERVER_WITHOUT_ID ? this.#nextObserver() : hello.server;
    if (server === self) {
      log.warn('a server connects to us with our own id: two members have the same myid', { server });
      link.close();
      return undefined;
    }
    if (server > self || server < 0) {
      this.#adopt(server, link);
      return server;
    }
    this.#links.get(server)?.close();
    link.close();
    this.#connect(server, addressIn(hello) ?? this.#options.addressOf(server));
    return undefined;
  }

  #nextObserver(): ServerId {
    this.#observerCount += 1;
    return -this.#observerCount;
  }

  #adopt(server: ServerId, link: ElectionLink): void {
    const older = this.#links.get(server);
    this.#links.set(server, link);
    older?.close();
    const last = this.#messages.get(server);
    if (last !== undefined) last.waits = true;
    this.#deliver(server, link);
  }

  #drained(server: ServerId | undefined, link: ElectionLink): void {
    link.drained();
    if (server !== undefined) this.#deliver(server, link);
  }

  #deliver(server: ServerId, link: ElectionLink): void {
    const last = this.#messages.get(server);
    if (last?.waits === true && this.#links.get(server) === link && link.send(last.message)) last.waits = false;
  }

  #linkEvents(server: ServerId): ConstructorParameters<typeof ElectionLink>[0] {
    return {
      greeted: undefined,
      received: (message) => this.#options.received(server, message),
      faulty: (error) => this.#faulty(server, error),
      closed: (link) => {
        if (this.#links.get(server) === link) this.#links.delete(server);
      },
    };
  }

  #faulty(server: ServerId | undefined, error: MalformedError): void {
    this.#options.log.warn('closing a connection of the election port', { server, error: error.message });
  }

  #hello(): Uint8Array {
    const { self } = this.#options;
    const address = this.#address;
    const host = address.host.includes(':') ? `[${address.host}]` : address.host;
    return encodeHello({ server: self, addresses: [`${host}:${address.port}`] }, false);
  }
}

function addressIn({ addresses }: Hello): Address | undefined {
  const [, bracketed, host, port] = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(addresses[0] ?? '') ?? [];
  const name = bracketed ?? host;
  return name === undefined ? undefined : { host: name, port: Number(port) };
}
