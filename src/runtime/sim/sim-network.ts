import {
  type Address,
  type Connection,
  type ConnectionHandler,
  type ConnectOptions,
  type Listener,
  type ListenOptions,
  type Network,
  NetworkError,
} from '../network.ts';
import { handshakeError } from '../tls.ts';
import type { Scheduler, SimProcess } from './scheduler.ts';
import { SimConnection } from './sim-connection.ts';
import { SimFlow } from './sim-flow.ts';
import { SimLink } from './sim-link.ts';
import type { SimRandom } from './sim-random.ts';
import { SimTlsListener, simTlsClient } from './sim-tls.ts';
import { SimTlsConnection } from './sim-tls-connection.ts';

/** Linux sends the first packet of a connection again after 1, 2, 4, … seconds, six times (tcp_syn_retries). */
const synRetriesMax = 6;
const loopback = '127.0.0.1';

/** A machine as the network sees it. */
export interface SimHost {
  readonly name: string;
  /** Its address. */
  readonly host: string;
  /** A machine without power answers nothing at all. */
  readonly powered: boolean;
}

/** All machines' network: latency from the seed, and the faults of cables, switches and firewalls. */
export class SimNetwork {
  readonly #scheduler: Scheduler;
  readonly #random: SimRandom;
  readonly #hosts = new Map<string, SimHost>();
  /** Machines by their further addresses. */
  readonly #aliases = new Map<string, SimHost>();
  readonly #names = new Map<string, readonly string[]>();
  readonly #links = new Map<string, SimLink>();
  readonly #listeners = new Map<string, SimListener>();
  readonly #connections = new Set<SimConnection>();
  #connectionCount = 0;
  #portCount = 0;

  constructor(scheduler: Scheduler, random: SimRandom) {
    this.#scheduler = scheduler;
    this.#random = random;
  }

  add(host: SimHost): void {
    this.#hosts.set(host.host, host);
    this.name(host.name, [host.host]);
  }

  /**
   * A second network card: the machine is reached on this address too. Second cards are joined by a network of their own, whose ways
   * are cut and slowed apart from those of the first ones.
   */
  alias(machine: SimHost, address: string): SimHost {
    const alias: SimHost = {
      name: `${machine.name} at ${address}`,
      host: address,
      get powered() {
        return machine.powered;
      },
    };
    this.#hosts.set(address, alias);
    this.#aliases.set(address, machine);
    return alias;
  }

  /** What a name resolves to from now on: several addresses, or others than before (DNS round robin, a replaced machine). */
  name(name: string, hosts: readonly string[]): void {
    this.#names.set(name, hosts);
  }

  /** A switch fails or a firewall drops: packets from `a` to `b` are lost, and back unless `oneWay`. TCP keeps trying. */
  partition(a: SimHost, b: SimHost, options: { readonly oneWay?: boolean } = {}): void {
    this.#scheduler.history.record(this.#scheduler.nowMs, a.name, 'partition', b.name);
    this.#link(a.host, b.host).block(this.#scheduler.nowMs);
    if (!options.oneWay) this.#link(b.host, a.host).block(this.#scheduler.nowMs);
  }

  /** A machine's cable is pulled: nothing to or from any other. */
  isolate(a: SimHost): void {
    for (const b of this.#hosts.values()) if (b !== a) this.partition(a, b);
  }

  /** Undoes partitions: between two machines, of one machine, or all. What was lost is retransmitted. */
  heal(a?: SimHost, b?: SimHost): void {
    this.#scheduler.history.record(this.#scheduler.nowMs, a?.name ?? 'all', 'heal', b?.name ?? 'all');
    for (const [way, link] of this.#links) {
      const ends = way.split('>');
      if (!link.blocked || (a && !ends.includes(a.host)) || (b && !ends.includes(b.host))) continue;
      link.unblock(this.#scheduler.nowMs);
      for (const acknowledge of link.lostAcks.splice(0)) {
        this.#scheduler.after(link.retransmissionMs(), 'ack', 0, undefined, acknowledge);
      }
      for (const flow of link.holding) flow.retransmit();
    }
  }

  /** A congested or long way: so much later, and so many bytes a millisecond. */
  slow(a: SimHost, b: SimHost, options: { readonly extraMs?: number; readonly bytesPerMs?: number }): void {
    for (const link of [this.#link(a.host, b.host), this.#link(b.host, a.host)]) {
      link.slow(options.extraMs ?? 0, options.bytesPerMs ?? Number.POSITIVE_INFINITY);
    }
  }

  /** A firewall or a load balancer forgets a connection: both ends get a reset. */
  reset(connection: Connection): void {
    const plain = connection instanceof SimTlsConnection ? connection.inner : connection;
    for (const each of this.#connections) if (each === (plain as SimConnection)) this.#reset(each);
  }

  /** Every connection between two machines is reset. */
  resetBetween(a: SimHost, b: SimHost): void {
    for (const each of this.#connections) {
      if (each.process.machine === a.name && each.twin?.process.machine === b.name) this.#reset(each);
    }
  }

  #reset(connection: SimConnection): void {
    for (const end of [connection, connection.twin]) {
      this.#scheduler.after(0, 'reset', 0, undefined, () => end?.receives.arrivedSignal('reset'));
    }
  }

  /** The kernel of a machine closes what its dead process had open; one without power says nothing. */
  crashed(process: SimProcess, kind: 'process' | 'power'): void {
    for (const [at, listener] of this.#listeners) if (listener.process === process) this.#listeners.delete(at);
    for (const connection of [...this.#connections]) {
      if (connection.process !== process) continue;
      if (kind === 'power') connection.vanish();
      else connection.abandon();
    }
  }

  /** Peers that kept trying get through to the new kernel, which knows none of their connections. */
  poweredOn(host: SimHost): void {
    for (const [way, link] of this.#links) {
      if (way.endsWith(`>${host.host}`)) for (const flow of link.holding) flow.retransmit();
    }
  }

  /** The network as one process on one machine uses it. */
  on(host: SimHost, process: SimProcess): Network {
    return {
      hostname: host.name,
      listen: (at, accept, options = {}) => this.#listen(host, process, at, accept, options),
      connect: (to, handler, { tls }: ConnectOptions = {}) => {
        if (tls === undefined) return this.#connect(host, process, to, handler);
        const connection = simTlsClient(tls, { scheduler: this.#scheduler, process });
        connection.attach(handler);
        connection.over(this.#connect(host, process, to, connection));
        return connection;
      },
      resolve: (name) => this.#resolve(process, name),
    };
  }

  async #listen(
    host: SimHost,
    process: SimProcess,
    at: Address,
    accept: (connection: Connection) => ConnectionHandler,
    { tls }: ListenOptions,
  ): Promise<Listener> {
    const secure =
      tls === undefined ? undefined : new SimTlsListener(tls, { scheduler: this.#scheduler, process }, accept);
    const port = at.port === 0 ? this.#freePort() : at.port;
    const bound = this.#lookUp(at.host === '' ? '0.0.0.0' : at.host, host);
    if (bound === undefined) throw new NetworkError('ENOTFOUND', `listen ENOTFOUND: ${at.host}`);
    if (this.#listenerAt(host.host, bound, port)) {
      throw new NetworkError('EADDRINUSE', `listen EADDRINUSE: ${at.host}:${port}`);
    }
    const take = secure === undefined ? accept : (connection: Connection) => secure.take(connection);
    const listener: SimListener = { process, accept: take, address: { host: bound, port } };
    const key = keyOf(host.host, bound, port);
    if (process.alive) this.#listeners.set(key, listener);
    return {
      address: listener.address,
      replaceTls: (material) => {
        if (secure === undefined) throw handshakeError('this port is plain');
        secure.replace(material);
      },
      close: async () => {
        secure?.close();
        if (this.#listeners.get(key) === listener) this.#listeners.delete(key);
      },
    };
  }

  #connect(host: SimHost, process: SimProcess, to: Address, handler: ConnectionHandler): Connection {
    const target = this.#lookUp(to.host, host);
    const inside = target === loopback || target === host.host || this.#aliases.get(target ?? '') === host;
    const source = this.#sourceFor(host, target ?? '');
    const from = inside && target !== undefined ? target : source;
    const there = inside ? host.host : (target ?? '');
    this.#connectionCount += 1;
    const random = this.#random.fork(`connection ${this.#connectionCount}`);
    const client = this.#end(process, { host: from, port: this.#freePort() }, to, random);
    client.attach(handler);
    const server: { end: SimConnection | undefined } = { end: undefined };
    const links = { link: this.#link(source, there), back: this.#link(there, source) };
    const windowBytes = () => 16_384 << random.below(5);
    const outgoing = new SimFlow(this.#scheduler, links, windowBytes(), {
      arrived: (bytes) => server.end?.receives.arrived(bytes),
      arrivedSignal: (signal) => server.end?.receives.arrivedSignal(signal),
      emptied: () => client.emptied(),
      released: (sent) => client.released(sent),
      reachable: () => this.#hosts.get(there)?.powered === true,
    });
    const incoming = new SimFlow(this.#scheduler, { link: links.back, back: links.link }, windowBytes(), {
      arrived: client.receives.arrived,
      arrivedSignal: client.receives.arrivedSignal,
      emptied: () => server.end?.emptied(),
      released: (sent) => server.end?.released(sent),
      reachable: () => host.powered,
    });
    client.wire(outgoing, incoming);
    const attempt: Attempt = {
      client,
      server,
      outgoing,
      incoming,
      links,
      target: target ?? '',
      there,
      random,
      tries: 0,
    };
    if (target === undefined) this.#refuse(attempt, 'ENOTFOUND', random.between(1, 5));
    else if (process.alive) this.#synchronize(attempt);
    return client;
  }

  #end(process: SimProcess, local: Address, remote: Address, random: SimRandom): SimConnection {
    const connection: SimConnection = new SimConnection({
      scheduler: this.#scheduler,
      process,
      local,
      remote,
      unsentBytesMax: 65_536 << random.below(5),
      forget: () => this.#connections.delete(connection),
    });
    this.#connections.add(connection);
    return connection;
  }

  /** The first packet goes out, and again later when no answer comes. */
  #synchronize(attempt: Attempt): void {
    this.#scheduler.after(attempt.links.link.latencyMs(), 'connect', 0, undefined, () => {
      if (attempt.client.closed) return;
      const unheard = attempt.links.link.blocked || this.#hosts.get(attempt.there)?.powered !== true;
      if (unheard || attempt.links.back.blocked) this.#tryAgain(attempt);
      else this.#answer(attempt);
    });
  }

  #tryAgain(attempt: Attempt): void {
    const waitMs = 1000 * 2 ** attempt.tries;
    attempt.tries += 1;
    if (attempt.tries > synRetriesMax) this.#refuse(attempt, 'ETIMEDOUT', waitMs);
    else this.#scheduler.after(waitMs, 'connect', attempt.tries, undefined, () => this.#synchronize(attempt));
  }

  #answer(attempt: Attempt): void {
    const { client, incoming, outgoing, links } = attempt;
    const listener = this.#listenerAt(this.#machineAt(attempt.there), attempt.target, client.remote.port);
    if (listener === undefined) {
      this.#refuse(attempt, 'ECONNREFUSED', links.back.latencyMs());
      return;
    }
    const local = { host: attempt.target, port: client.remote.port };
    const server = this.#end(listener.process, local, client.local, attempt.random);
    attempt.server.end = server;
    client.twin = server;
    server.twin = client;
    server.wire(incoming, outgoing);
    this.#scheduler.after(0, 'accept', 0, listener.process, () => {
      server.attach(listener.accept(server));
      server.introduce(false);
    });
    incoming.open();
    this.#scheduler.after(links.back.latencyMs(), 'established', 0, undefined, () => {
      outgoing.open();
      this.#scheduler.after(0, 'connected', 0, client.process, () => client.introduce(true));
    });
  }

  #refuse(attempt: Attempt, code: string, inMs: number): void {
    this.#scheduler.after(inMs, 'refused', 0, undefined, () => {
      const { host, port } = attempt.client.remote;
      attempt.client.fail(new NetworkError(code, `connect ${code} ${host}:${port}`));
    });
  }

  #resolve(process: SimProcess, name: string): Promise<readonly string[]> {
    const found = isIp(name) ? [name] : name === 'localhost' ? [loopback] : this.#names.get(name);
    return new Promise((resolve, reject) => {
      this.#scheduler.after(this.#random.between(0.1, 2), 'resolve', 0, process, () => {
        if (found === undefined) reject(new NetworkError('ENOTFOUND', `getaddrinfo ENOTFOUND ${name}`));
        else resolve(found);
      });
    });
  }

  #lookUp(name: string, from: SimHost): string | undefined {
    if (name === 'localhost' || name === '::1') return loopback;
    if (isIp(name)) return name;
    return name === from.name ? from.host : this.#names.get(name)?.[0];
  }

  #listenerAt(machine: string, target: string, port: number): SimListener | undefined {
    for (const bound of [target, '0.0.0.0', '::']) {
      const listener = this.#listeners.get(keyOf(machine, bound, port));
      if (listener !== undefined) return listener;
    }
    return undefined;
  }

  #sourceFor(host: SimHost, target: string): string {
    if (!this.#aliases.has(target)) return host.host;
    for (const [address, machine] of this.#aliases) if (machine === host) return address;
    return host.host;
  }

  #machineAt(address: string): string {
    return this.#aliases.get(address)?.host ?? address;
  }

  #link(from: string, to: string): SimLink {
    const way = `${from}>${to}`;
    let link = this.#links.get(way);
    if (link === undefined) {
      link = new SimLink(this.#random.fork(way), from === to);
      this.#links.set(way, link);
    }
    return link;
  }

  #freePort(): number {
    this.#portCount += 1;
    return 32_768 + (this.#portCount % 28_000);
  }
}

interface SimListener {
  readonly process: SimProcess;
  readonly accept: (connection: Connection) => ConnectionHandler;
  readonly address: Address;
}

/** A connection that is being made. */
interface Attempt {
  readonly client: SimConnection;
  readonly server: { end: SimConnection | undefined };
  readonly outgoing: SimFlow;
  readonly incoming: SimFlow;
  readonly links: { readonly link: SimLink; readonly back: SimLink };
  /** The address that was asked for, and the machine that has it. */
  readonly target: string;
  readonly there: string;
  readonly random: SimRandom;
  tries: number;
}

function keyOf(machine: string, bound: string, port: number): string {
  return `${machine}/${bound}:${port}`;
}

function isIp(name: string): boolean {
  return /^[\d.]+$/.test(name) || name.includes(':');
}
