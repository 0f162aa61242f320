import type { ZooCfg } from '../../config/zoo-cfg.ts';
import type { Log } from '../../runtime/log.ts';
import type { Network } from '../../runtime/network.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Zxid } from '../jute/ids.ts';
import type { Membership } from '../quorum/membership.ts';
import type { Memberships } from '../quorum/memberships.ts';
import type { PeerState } from '../quorum/notification.ts';
import type { QuorumAuth } from '../quorum/quorum-auth.ts';
import type { ServerId } from '../quorum/quorum-verifier.ts';
import type { LeaderView, ZabState } from '../server/ensemble-view.ts';
import type { ProcessFigures } from '../server/process-figures.ts';
import type { Role, RoleParts } from '../server/role.ts';
import type { ServingServer } from '../server/serving-server.ts';
import type { Session } from '../server/sessions.ts';
import type { Database } from './database.ts';
import type { LearnerHandler } from './learner-handler.ts';
import type { LearnerMasters } from './learner-masters.ts';

/** What a member does between two elections: it leads, follows or observes. */
export interface Term {
  readonly state: Exclude<PeerState, 'LOOKING'>;
  /** Clients may come; undefined until the history of the ensemble is agreed on. */
  readonly server: ServingServer | undefined;
  /** What it shows as leader; undefined where another server leads, and before it serves. */
  readonly leading: LeaderView | undefined;
  /** From whom it takes its history; undefined where it leads. */
  readonly master: ServerId | undefined;
  /** Those that take theirs from this server, whatever they have come to. */
  readonly learners: Iterable<LearnerHandler>;
  start(): void;
  /** A voter that elected this server looks for a leader again. */
  lookedAgain?(voter: ServerId): void;
  /** The leader of this term looks for one itself, in a later round than the one that found it. */
  leaderLooks?(): void;
  /** Resolves when nothing of the term goes on and the database holds all that was logged. */
  close(): Promise<void>;
}

export interface Designation {
  readonly leader: ServerId;
  /** Of the reconfiguration; others hear of it in notifications. */
  readonly zxid: Zxid;
}

/** What the member gives its term. */
export interface TermHost {
  readonly runtime: Runtime;
  readonly config: ZooCfg;
  readonly log: Log;
  /** To other members. */
  readonly network: Network;
  /** Undefined: members do not authenticate. */
  readonly auth: QuorumAuth | undefined;
  readonly self: ServerId;
  readonly memberships: Memberships;
  readonly database: Database;
  readonly figures: ProcessFigures;
  /** Whom it connects to as an observer. */
  readonly masters: LearnerMasters;
  /** The server for clients in this role; its port is open when this resolves. */
  serve(role: (parts: RoleParts) => Role, onSessionTouched?: (session: Session) => void): Promise<ServingServer>;
  /**
   * The membership is in force (QuorumPeer.processReconfig). Resolves when that is on the disk; true: the term has to end, since our
   * role or our leader is another one now.
   *
   * @param designation who is to lead from now on: without an election; undefined where nobody has said so
   */
  activate(membership: Membership, designation?: Designation): Promise<boolean>;
  /** `/zookeeper/config` becomes what our membership says. */
  keepMembership(): void;
  /** The term has come so far. */
  entered(zabState: Exclude<ZabState, 'election'>): void;
  /** Elections must tell those who come late of it. */
  epochBegan(epoch: number): void;
  /** The term cannot go on: look for a leader again. */
  over(term: Term, reason: string): void;
  /** The disk failed or an invariant broke: this member stops. */
  fatal(error: unknown): void;
}
