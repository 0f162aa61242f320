import type { Slices } from '../../base/slices.ts';
import type { Id } from '../jute/data.ts';
import type { ApplyResult } from '../tree/data-tree.ts';
import type { Session } from './sessions.ts';

/** Who waits for the answer to a write: a connection. */
export interface Requester {
  /** The transaction was just applied: the tree is as it left it. Undefined for sync, which has none. */
  completed(request: PendingRequest, result: ApplyResult | undefined): void;
}

/** A request that has its place in the order of its session: a write under way, or a read that waits behind one. */
export interface PendingRequest {
  readonly requester: Requester;
  readonly session: Session;
  readonly xid: number;
  readonly type: number;
  /** Its body begins at byte 8, behind xid and type. Empty once a write is prepared: nobody reads it any more. */
  frame: Slices;
  /** Who the client is: its address and what it authenticated as. */
  readonly ids: readonly Id[];
  /** Monotonic. */
  readonly receivedMs: number;
}
