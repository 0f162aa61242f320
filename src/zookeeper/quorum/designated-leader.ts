import { longMapOrder } from '../../base/java-order.ts';
import type { Zxid } from '../jute/ids.ts';
import type { Membership } from './membership.ts';
import type { QuorumVerifier, ServerId } from './quorum-verifier.ts';

export interface Handover {
  readonly self: ServerId;
  /** Of the membership that is replaced. */
  readonly before: Membership;
  readonly next: Membership;
  /** Those that had to agree on what was proposed behind the reconfiguration. */
  readonly verifiers: readonly QuorumVerifier[];
  /** Of the reconfiguration: it is agreed on. */
  readonly zxid: Zxid;
  /** Up to where each server has logged. */
  readonly acknowledged: ReadonlyMap<ServerId, Zxid>;
}

/**
 * Who leads once the membership is in force (Leader.getDesignatedLeader): the leader itself if it votes in it and is found where it
 * was; else one of its voters that have agreed on it, and of these one that has logged the most of what was proposed behind it.
 */
export function designatedLeader({ self, before, next, verifiers, zxid, acknowledged }: Handover): ServerId {
  if (next.verifier.voters.has(self) && hasSamePeerAddress(self, before, next)) return self;
  const logged = (server: ServerId): Zxid => acknowledged.get(server) ?? (-1n as Zxid);
  const candidates = longMapOrder(
    [...next.verifier.voters].filter((server) => server !== self && logged(server) >= zxid),
  );
  const ahead = candidates.filter(
    (server) => logged(server) > zxid && verifiers.every(({ voters }) => voters.has(server)),
  );
  const [first, ...others] = ahead;
  if (first === undefined) return candidates[0] ?? self;
  return others.reduce((best, server) => (logged(server) > logged(best) ? server : best), first);
}

/** Where followers find it, while it leads. */
export function hasSamePeerAddress(server: ServerId, one: Membership, other: Membership): boolean {
  return peerAddresses(server, one) === peerAddresses(server, other);
}

function peerAddresses(server: ServerId, { servers }: Membership): string {
  const addresses = servers.get(server)?.addresses ?? [];
  return addresses
    .map(({ host, peerPort }) => `${host}:${peerPort}`)
    .sort()
    .join('|');
}
