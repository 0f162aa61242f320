import type { ZooCfg } from '../../config/zoo-cfg.ts';
import type { Address } from '../../runtime/network.ts';
import { below, type Random } from '../../runtime/random.ts';
import type { Membership } from '../quorum/membership.ts';
import type { ServerId } from '../quorum/quorum-verifier.ts';
import { atPort, peerAddresses } from '../quorum/server-addresses.ts';

/** From whom a learner takes its history. */
export interface LearnerMaster {
  readonly server: ServerId;
  readonly addresses: readonly Address[];
  /** Before it is connected to. */
  readonly delayMs: number;
}

/**
 * Whom an observer connects to (QuorumPeer.findLearnerMaster): with `observerMasterPort` the followers in turn, in an order of chance,
 * so that observers spread over them. When none of them could be reached it is the leader itself, which Apache's observers leave
 * alone: better a loaded leader than an observer that serves nobody.
 */
export class LearnerMasters {
  readonly #config: ZooCfg;
  readonly #random: Random;
  #membership: Membership | undefined;
  #order: ServerId[] = [];
  #next = 0;
  #failures = 0;

  constructor(config: ZooCfg, random: Random) {
    this.#config = config;
    this.#random = random;
  }

  forObserver(membership: Membership, leader: ServerId): LearnerMaster {
    const { observerMasterPort, observerReconnectDelayMs } = this.#config;
    const delayMs = observerReconnectDelayMs > 0 ? below(this.#random, observerReconnectDelayMs) : 0;
    if (observerMasterPort === undefined) return leaderOf(membership, leader, delayMs);
    if (membership !== this.#membership) this.#shuffle(membership);
    const followers = this.#order.filter((server) => server !== leader);
    if (this.#failures >= followers.length) {
      this.#failures = 0;
      return leaderOf(membership, leader, delayMs);
    }
    this.#failures += 1;
    const server = followers[this.#next % followers.length] as ServerId;
    this.#next += 1;
    return { server, addresses: atPort(membership.servers.get(server), observerMasterPort), delayMs: 0 };
  }

  /** The last one has brought us up to date. */
  reached(): void {
    this.#failures = 0;
  }

  #shuffle(membership: Membership): void {
    this.#membership = membership;
    const left = [...membership.verifier.voters];
    this.#order = [];
    while (left.length > 0) this.#order.push(...left.splice(below(this.#random, left.length), 1));
  }
}

/** A follower has no choice. */
export function leaderOf(membership: Membership, leader: ServerId, delayMs = 0): LearnerMaster {
  return { server: leader, addresses: peerAddresses(membership.servers.get(leader)), delayMs };
}
