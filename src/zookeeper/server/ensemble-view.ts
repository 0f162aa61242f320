import type { ServerSpec } from '../../config/server-spec.ts';
import type { SizeStats } from './size-stats.ts';

/** How far a member has come with its leader (QuorumPeer.ZabState). */
export type ZabState = 'election' | 'discovery' | 'synchronization' | 'broadcast';

/** Who is in the ensemble. */
export interface MembershipView {
  /** As `/zookeeper/config` has it. */
  readonly text: string;
  readonly servers: ReadonlyMap<number, ServerSpec>;
  readonly verifier: { readonly voters: ReadonlySet<number> };
}

/** Where clients connect. */
export interface ClientPlace {
  /** Undefined: every interface. */
  readonly host: string | undefined;
  readonly port: number;
}

/** What a member of an ensemble shows operators, beside what every server shows. */
export interface EnsembleView {
  readonly self: number;
  readonly membership: MembershipView;
  /** Where clients connect, as it is configured. */
  readonly client: ClientPlace | undefined;
  readonly zabState: ZabState;
  /** `following - broadcast` */
  readonly peerState: string;
  /** Undefined while there is none. */
  readonly leader: number | undefined;
  /** Undefined where another server leads. */
  readonly leading: LeaderView | undefined;
  /** From whom it has its history: the leader, or a follower that takes observers. Undefined where it leads, or has no leader. */
  readonly master: number | undefined;
  /** Those that have their history from here: from a leader, or from a follower with an `observerMasterPort`. */
  observers(): readonly ObserverFacts[];
  resetObservers(): void;
}

/** What only a leader knows. */
export interface LeaderView {
  readonly learnerCount: number;
  /** Those who get all that is proposed; with those of them that have no vote. */
  readonly followerCount: number;
  readonly nonVotingCount: number;
  readonly pendingSyncCount: number;
  readonly uptimeMs: number;
  readonly proposalSizes: SizeStats;
}

/** A connected observer (LearnerHandler.getLearnerHandlerInfo). */
export interface ObserverFacts {
  readonly remote: { readonly host: string; readonly port: number };
  readonly server: number;
  /** Milliseconds since 1970. */
  readonly establishedMs: number;
  /** Bytes that wait. */
  readonly unsentBytes: number;
  readonly packetsReceived: number;
  readonly packetsSent: number;
  readonly requests: number;
  /** Of the last packet that had one; -1 before the first. */
  readonly lastZxid: bigint;
}

/** Undefined for a server that is no QuorumZooKeeperServer in Apache's eyes: one without others, and a read-only one. */
export function memberOf(server: {
  readonly mode: string;
  readonly ensemble: EnsembleView | undefined;
}): EnsembleView | undefined {
  return server.mode === 'read-only' ? undefined : server.ensemble;
}
