import type { Clock, Timer } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import {
  type Address,
  type Connection,
  type ConnectionHandler,
  type Listener,
  type Network,
  NetworkError,
} from '../../runtime/network.ts';
import type { MalformedError } from '../../wire/errors.ts';
import { ElectionLink } from './election-link.ts';
import { FirstConnection } from './first-connection.ts';
import { encodeHello, type Hello, OBSERVER_WITHOUT_ID } from './hello.ts';
import type { QuorumAuth } from './quorum-auth.ts';
import type { ServerId } from './quorum-verifier.ts';
import type { WayCheck } from './way-check.ts';

export interface ElectionPortOptions {
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Log;
  readonly self: ServerId;
  /** Our own, as others reach them. */
  readonly addresses: readonly Address[];
  /** `multiAddress.enabled`: others hear of all of them, otherwise of the first. Default false. */
  readonly multiAddress?: boolean;
  /** Where to listen, if not at `addresses`: `quorumListenOnAllIPs`. */
  readonly listenAt?: readonly Address[];
  /** `zookeeper.electionPortBindRetry`, 0 for any number. Default 3. */
  readonly bindTries?: number;
  /** Of the other members; none of a stranger. */
  readonly addressesOf: (server: ServerId) => readonly Address[];
  /** Looks after connections to members with several addresses, where that is asked. */
  readonly wayCheck?: WayCheck | undefined;
  /** `zookeeper.tcpKeepAlive`. Default false. */
  readonly keepAlive?: boolean;
  /** `zookeeper.cnxTimeout`. Default 5 s. */
  readonly connectTimeoutMs?: number;
  /** How long a peer may take for its hello, and for authentication: tickTime × syncLimit. */
  readonly helloTimeoutMs: number;
  /** Undefined: nobody authenticates. */
  readonly auth?: QuorumAuth | undefined;
  readonly received: (from: ServerId, message: Uint8Array) => void;
}

/** Nobody can be elected with us, and we hear of nobody who was. */
export class ElectionPortError extends NetworkError {
  constructor(cause: NetworkError) {
    super(cause.code, `the election port cannot be opened: ${cause.message}`, { cause });
    this.name = 'ElectionPortError';
  }
}

const BIND_RETRY_DELAY_MS = 1000;

/**
 * Connections between the members' election ports (QuorumCnxManager). Of two servers the one with the higher id connects: a
 * connection from a lower id is closed, and that server called back. For each server the newest message waits until there is a
 * connection, and the last one is said again on a new one.
 */
export class ElectionPort {
  readonly #options: ElectionPortOptions;
  readonly #links = new Map<ServerId, ElectionLink>();
  readonly #connecting = new Map<ServerId, { close(): void }>();
  /** The newest for each server; `waits` until it has left. */
  readonly #messages = new Map<ServerId, { readonly message: Uint8Array; waits: boolean }>();
  #listeners: Listener[] = [];
  /** Our own, as others reach them. */
  #addresses: readonly Address[];
  #observerCount = 0;
  #isClosed = false;

  constructor(options: ElectionPortOptions) {
    this.#options = options;
    this.#addresses = options.addresses;
  }

  /** Rejects with ElectionPortError if a port is still taken after all tries. */
  start(): Promise<void> {
    return this.#listenAll(this.#options.listenAt ?? this.#addresses);
  }

  /** Connections to the old place end: who made them looks for us at the new one. Rejects as `start`. */
  async move(addresses: readonly Address[], listenAt: readonly Address[] = addresses): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    this.#listeners = [];
    this.#addresses = addresses;
    for (const link of [...this.#links.values()]) link.close();
    if (!this.#isClosed) await this.#listenAll(listenAt);
  }

  async #listenAll(addresses: readonly Address[]): Promise<void> {
    for (const at of addresses) await this.#listen(at);
  }

  /** Something has left for some server since it was sent; before anything was sent, no. */
  get hasDelivered(): boolean {
    return [...this.#messages.values()].some(({ waits }) => !waits);
  }

  send(to: ServerId, message: Uint8Array): void {
    if (this.#isClosed) return;
    this.#messages.set(to, { message, waits: true });
    const link = this.#links.get(to);
    if (link === undefined) this.#connect(to, this.#options.addressesOf(to));
    else {
      this.#deliver(to, link);
      this.#checkWay(to, link);
    }
  }

  /** Connections to all servers that we have a message for. */
  connectAll(): void {
    for (const server of this.#messages.keys()) {
      const link = this.#links.get(server);
      if (link === undefined) this.#connect(server, this.#options.addressesOf(server));
      else this.#checkWay(server, link);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const attempt of this.#connecting.values()) attempt.close();
    for (const link of this.#links.values()) link.close();
    await Promise.all(this.#listeners.map((listener) => listener.close()));
  }

  async #listen(at: Address): Promise<void> {
    const { network, clock, log, bindTries = 3, keepAlive = false } = this.#options;
    for (let tries = 1; !this.#isClosed; tries += 1) {
      try {
        const accept = (connection: Connection): ConnectionHandler => this.#accept(connection);
        this.#listeners.push(await network.listen(at, accept, { keepAlive }));
        return;
      } catch (error) {
        if (!(error instanceof NetworkError)) throw error;
        if (tries === bindTries) throw new ElectionPortError(error);
        log.error('Exception while listening to address', { ...at, tries, error: error.message });
      }
      await new Promise<void>((resolve) => clock.after(BIND_RETRY_DELAY_MS, resolve));
    }
  }

  #connect(server: ServerId, to: readonly Address[]): void {
    if (this.#isClosed || to.length === 0 || this.#connecting.has(server)) return;
    const { network, clock, connectTimeoutMs = 5000, helloTimeoutMs, auth, self, keepAlive = false } = this.#options;
    let opened: Connection | undefined;
    const over = (): void => {
      timer.cancel();
      this.#connecting.delete(server);
    };
    const failed = (reason?: NetworkError): void => {
      over();
      if (reason !== undefined) this.#options.log.debug('no connection to a member', { server, error: reason.message });
    };
    const first = new FirstConnection({
      network,
      addresses: to,
      options: { keepAlive },
      failed,
      opened: (connection) => {
        opened = connection;
        const settled = (): void => {
          over();
          if (server > self) connection.end();
          else this.#adopt(server, link);
        };
        const link = new ElectionLink({ ...this.#linkEvents(server), authenticated: settled });
        const exchange = auth?.connecting(connection);
        link.attach(connection, exchange);
        return {
          connected: () => {
            connection.write([this.#hello()]);
            if (exchange === undefined) return settled();
            timer.cancel();
            timer = clock.after(helloTimeoutMs, close);
            exchange.begin?.();
          },
          data: (chunk) => link.data(chunk),
          drained: () => this.#drained(server, link),
          closed: (reason) => {
            failed(reason);
            link.closed();
          },
        };
      },
    });
    const close = (): void => {
      first.close();
      opened?.destroy();
      over();
    };
    let timer: Timer = clock.after(connectTimeoutMs, close);
    this.#connecting.set(server, { close });
  }

  /** To a server with several addresses a new connection is made when the way of this one is cut. */
  #checkWay(server: ServerId, link: ElectionLink): void {
    const { wayCheck, addressesOf } = this.#options;
    const addresses = addressesOf(server);
    const [first] = addresses;
    if (wayCheck === undefined || first === undefined || addresses.length < 2) return;
    const { host } = link.remote;
    const port = addresses.find((address) => address.host === host)?.port ?? first.port;
    wayCheck.begin({ host, port }, () => {
      if (this.#links.get(server) !== link) return;
      this.#options.log.warn('the way of a connection is cut', { server, host });
      link.close();
      this.#connect(server, addresses);
    });
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
    const named = addressesIn(hello);
    this.#connect(server, named.length > 0 ? named : this.#options.addressesOf(server));
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
    const { self, multiAddress = false } = this.#options;
    const texts = this.#addresses.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`);
    return encodeHello({ server: self, addresses: texts }, multiAddress);
  }
}

function addressesIn({ addresses }: Hello): Address[] {
  return addresses.flatMap((text) => {
    const [, bracketed, host, port] = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
    const name = bracketed ?? host;
    return name === undefined ? [] : [{ host: name, port: Number(port) }];
  });
}
