/** What `LeaderBroadcast` hears, and what it wants done. */
import type { Zxid } from '../jute/ids.ts';
import type { LearnerId } from './leader-start.ts';
import type { Membership } from './membership.ts';
import type { QuorumVerifier, ServerId } from './quorum-verifier.ts';

/** What a reconfiguration does. */
export interface MembershipChange {
  /** In force while it is proposed. */
  readonly before: Membership;
  readonly next: Membership;
}

export interface BroadcastProposal {
  readonly zxid: Zxid;
  /** Undefined of any transaction but a reconfiguration. */
  readonly change: MembershipChange | undefined;
}

/** Who is there, of those whom it takes. */
export interface Presence {
  /** Connections to learners that were heard within syncLimit, wherever they are in the protocol. */
  readonly heard: readonly { readonly learner: LearnerId; readonly server: ServerId }[];
  /** Of the memberships in force and proposed: all have to agree that this server leads. */
  readonly verifiers: readonly QuorumVerifier[];
}

/** @template P proposals, and M marks in their order (a sync), as whoever made them wants them back */
export type LeaderEvent<P, M> =
  /** The learner is sent our history; what is proposed and committed from here on has to follow it. */
  | { readonly kind: 'join'; readonly learner: LearnerId; readonly server: ServerId; readonly isObserver: boolean }
  | { readonly kind: 'gone'; readonly learner: LearnerId }
  /** `verifiers` have to agree, all of them: the same array while the memberships are the same. */
  | { readonly kind: 'propose'; readonly proposal: P; readonly verifiers: readonly QuorumVerifier[] }
  | { readonly kind: 'sync'; readonly mark: M }
  /** A server has everything up to `zxid` on its disk, says the connection of a learner; without one, we ourselves. */
  | {
      readonly kind: 'acknowledged';
      readonly zxid: Zxid;
      readonly from: ServerId;
      readonly learner: LearnerId | undefined;
    }
  /** What `count` asked for: acknowledgements that came together are counted together. */
  | { readonly kind: 'count' }
  /** The membership of `activate` is in force and on our disk. Another leader has until then to be followed. */
  | { readonly kind: 'activated'; readonly handOverUntilMs: number }
  /** The membership that was completed at the beginning wants another leader: this one commits nothing. */
  | { readonly kind: 'handOver'; readonly untilMs: number }
  /** Who is there has changed: an oracle speaks only where no follower is. */
  | { readonly kind: 'heard'; readonly presence: Presence }
  /** Twice a tick. */
  | { readonly kind: 'tick'; readonly nowMs: number; readonly presence: Presence }
  /** The term is over. */
  | { readonly kind: 'end' };

export type LeaderEffect<P, M> =
  /** PROPOSAL. Nothing has to be durable: it is what asks for that. */
  | { readonly kind: 'propose'; readonly proposal: P; readonly to: readonly LearnerId[] }
  /** Into our own log; `acknowledged` by ourselves once it is synced. A new membership has to be in its file before. */
  | { readonly kind: 'append'; readonly proposal: P }
  /** To be answered by `count` once what has come with this has been told too. */
  | { readonly kind: 'count' }
  /** In force, with its leader: roles, ports, files. Durable, then `activated`. A quorum of each membership has logged it. */
  | { readonly kind: 'activate'; readonly proposal: P; readonly next: Membership; readonly leader: ServerId }
  /**
   * COMMIT to followers and INFORM to observers; with `leader`, of a reconfiguration alone, COMMITANDACTIVATE and
   * INFORMANDACTIVATE. Quorums have all of them in their logs.
   */
  | {
      readonly kind: 'commit';
      readonly proposals: readonly P[];
      readonly leader: ServerId | undefined;
      readonly followers: readonly LearnerId[];
      readonly observers: readonly LearnerId[];
    }
  /** Apply them here, and answer who asked. All learners have been told. */
  | { readonly kind: 'deliver'; readonly items: readonly (P | M)[] }
  /** PROPOSALs that a follower comes too late for, behind the history that it is sent. */
  | { readonly kind: 'owe'; readonly learner: LearnerId; readonly proposals: readonly P[] }
  | { readonly kind: 'ping'; readonly to: readonly LearnerId[]; readonly zxid: Zxid }
  /** This server leads no more. */
  | { readonly kind: 'resign'; readonly reason: string };
