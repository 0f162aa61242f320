import type { Address, Network } from '../../runtime/network.ts';
import { below, fraction, type Random } from '../../runtime/random.ts';

/** Asks of every server's clients what spreads them evenly when the servers change (ZOOKEEPER-1355). */
interface Migration {
  /** The client leaves its server. */
  readonly moves: boolean;
  /** The chance that its next server is one that was added, as long as there are some of both sorts. */
  readonly toAdded: number;
}

/** One address to try. */
export interface Candidate {
  /** As the connect string names it. */
  readonly server: Address;
  readonly address: Address;
}

/**
 * The servers of an ensemble in an order drawn once, so that clients spread; then round-robin
 * (org.apache.zookeeper.client.StaticHostProvider). A name is resolved each time its turn comes, and all of its
 * addresses are tried before the next server's.
 */
export class HostList {
  readonly #network: Network;
  readonly #random: Random;
  #servers: readonly Address[];
  #next = 0;
  /** Addresses of the current server not yet tried. */
  #left: Candidate[] = [];

  constructor(servers: readonly Address[], network: Network, random: Random) {
    this.#network = network;
    this.#random = random;
    this.#servers = shuffled(servers, random);
  }

  get size(): number {
    return this.#servers.length;
  }

  get servers(): readonly Address[] {
    return this.#servers;
  }

  /** Every server was tried: time to wait a little. */
  get roundIsOver(): boolean {
    return this.#next === 0 && this.#left.length === 0;
  }

  /** The next address to try; undefined when the next server's name does not resolve. */
  async next(): Promise<Candidate | undefined> {
    const remaining = this.#left.shift();
    if (remaining !== undefined) return remaining;
    const servers = this.#servers;
    const server = servers[this.#next] as Address;
    this.#next = (this.#next + 1) % servers.length;
    const addresses = await this.#network.resolve(server.host).catch((): readonly string[] => []);
    if (this.#servers !== servers) return this.next(); // the list has changed meanwhile
    this.#left = addresses.map((host) => ({ server, address: { host, port: server.port } }));
    return this.#left.shift();
  }

  /** The connection worked: what follows its loss begins with the next server. */
  connected(): void {
    this.#left = [];
  }

  /** Another list. Answers whether the client must leave the server that it is connected to. */
  update(servers: readonly Address[], present: Candidate | undefined): boolean {
    const before = this.#servers;
    const order = shuffled(servers, this.#random);
    const isIn = (list: readonly Address[], { host, port }: Address): boolean =>
      list.some((each) => each.host === host && each.port === port);
    const kept = order.filter((server) => isIn(before, server));
    const added = order.filter((server) => !isIn(before, server));
    const stays = present !== undefined && (isIn(order, present.server) || isIn(order, present.address));
    const { moves, toAdded } = this.#migration(before.length, kept.length, added.length, stays);
    this.#servers = moves ? mixed(added, kept, toAdded, this.#random) : order;
    this.#next = 0;
    this.#left = [];
    return moves;
  }

  /** `before` servers are `kept` and `added` ones now. */
  #migration(before: number, kept: number, added: number, stays: boolean): Migration {
    const now = kept + added;
    if (stays) return { moves: now > before && fraction(this.#random) < 1 - before / now, toAdded: 1 };
    if (now > before || kept === before) return { moves: true, toAdded: 1 };
    return { moves: true, toAdded: 1 - (kept * (before - now)) / (now * (before - kept)) };
  }

  /** A server that must be tried next. */
  prefer(server: Address, address: Address): void {
    this.#left = [{ server, address }];
  }
}

function shuffled(servers: readonly Address[], random: Random): Address[] {
  const order = [...servers];
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = below(random, last + 1);
    [order[last], order[other]] = [order[other] as Address, order[last] as Address];
  }
  return order;
}

/** Both lists in their orders, the next one of `first` with the given chance. */
function mixed<T>(first: readonly T[], second: readonly T[], chance: number, random: Random): T[] {
  const order: T[] = [];
  let taken = 0;
  while (taken < first.length && order.length - taken < second.length) {
    if (fraction(random) < chance) {
      order.push(first[taken] as T);
      taken += 1;
    } else order.push(second[order.length - taken] as T);
  }
  return [...order, ...first.slice(taken), ...second.slice(order.length - taken)];
}
