import type { TxnRecord } from '../jute/txn.ts';
import type { PendingRequest } from './pending-request.ts';

/** A step of the pipeline between prepare and apply. Without a transaction it is a mark in the order: sync. */
export interface Proposal {
  readonly txn: TxnRecord | undefined;
  /** How many changes prepare foresaw, to be forgotten once it is applied. */
  readonly changeCount: number;
  /** Whom to answer; undefined where no client of this server asked. */
  readonly request: PendingRequest | undefined;
}

/** Who hears what has been agreed. */
export interface AgreementListener {
  /** In the order of `propose`; one call for all that one sync or one commit covered. */
  committed(proposals: readonly Proposal[]): void;
  /** Nothing proposed is acknowledged any more. Called once. */
  failed(error: unknown): void;
}

/**
 * Makes a transaction durable where the role says that it must be: in our own log (standalone), in the logs of a quorum
 * (leader, follower). Never commits what is not durable, never out of order.
 */
export interface Agreement {
  propose(proposal: Proposal): void;
  /** Proposed and not yet committed. */
  readonly pendingCount: number;
  /** Commits no more; what was proposed is dropped unanswered. Resolves when files are closed. */
  close(): Promise<void>;
}
