import type { Address, Network } from '../../runtime/network.ts';
import { below, type Random } from '../../runtime/random.ts';

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
  readonly #servers: Address[];
  #next = 0;
  /** Addresses of the current server not yet tried. */
  #left: Candidate[] = [];

  constructor(servers: readonly Address[], network: Network, random: Random) {
    this.#network = network;
    this.#servers = shuffled(servers, random);
  }

  get size(): number {
    return this.#servers.length;
  }

  /** Every server was tried: time to wait a little. */
  get roundIsOver(): boolean {
    return this.#next === 0 && this.#left.length === 0;
  }

  /** The next address to try; undefined when the next server's name does not resolve. */
  async next(): Promise<Candidate | undefined> {
    const remaining = this.#left.shift();
    if (remaining !== undefined) return remaining;
    const server = this.#servers[this.#next] as Address;
    this.#next = (this.#next + 1) % this.#servers.length;
    const addresses = await this.#network.resolve(server.host).catch((): readonly string[] => []);
    this.#left = addresses.map((host) => ({ server, address: { host, port: server.port } }));
    return this.#left.shift();
  }

  /** The connection worked: what follows its loss begins with the next server. */
  connected(): void {
    this.#left = [];
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
