import { counterOf, epochOf, type Zxid } from '../jute/ids.ts';
import type { CommittedProposal } from '../persistence/recovery.ts';

/** How a leader brings a learner to its own state. */
export type SyncPlan =
  /** The learner's history is a beginning of ours: it lacks these. */
  | { readonly kind: 'DIFF'; readonly zxid: Zxid; readonly proposals: readonly CommittedProposal[] }
  /** The learner has what was never committed: it forgets what is after `zxid`, then takes these. */
  | { readonly kind: 'TRUNC'; readonly zxid: Zxid; readonly proposals: readonly CommittedProposal[] }
  /** The whole database. */
  | { readonly kind: 'SNAP' };

export interface SyncSource {
  /** Of the leader's tree. */
  readonly lastProcessedZxid: Zxid;
  /** The newest committed proposals in memory, oldest first, without gaps. */
  readonly committed: readonly CommittedProposal[];
  /**
   * Proposals of the log on disk from the last one at or before a zxid on; empty where the disk does not reach so far back, or where
   * a snapshot is the smaller thing to send (`snapshotSizeFactor`).
   */
  readonly logged: (from: Zxid) => Iterable<CommittedProposal>;
}

/** @param peerZxid the last transaction that the learner has logged (LearnerHandler.syncFollower) */
export function planSync(peerZxid: Zxid, { lastProcessedZxid, committed, logged }: SyncSource): SyncPlan {
  const oldest = committed[0]?.zxid ?? lastProcessedZxid;
  const newest = committed.at(-1)?.zxid ?? lastProcessedZxid;
  if (peerZxid === lastProcessedZxid) return { kind: 'DIFF', zxid: peerZxid, proposals: [] };
  // A zxid that opens an epoch stands in nobody's log: there is nothing to truncate.
  if (peerZxid > newest && !opensEpoch(peerZxid)) return { kind: 'TRUNC', zxid: newest, proposals: [] };
  if (peerZxid >= oldest && peerZxid <= newest) return planFrom(peerZxid, committed, newest);
  if (peerZxid < oldest) return planFromLog(peerZxid, { committed, logged, oldest, newest });
  return { kind: 'SNAP' };
}

interface LogSource {
  readonly committed: readonly CommittedProposal[];
  readonly logged: SyncSource['logged'];
  readonly oldest: Zxid;
  readonly newest: Zxid;
}

/** The log up to where memory begins, then what is in memory. */
function planFromLog(peerZxid: Zxid, { committed, logged, oldest, newest }: LogSource): SyncPlan {
  const history: CommittedProposal[] = [];
  for (const proposal of logged(peerZxid)) {
    if (proposal.zxid > oldest) break;
    history.push(proposal);
  }
  const reached = history.at(-1)?.zxid;
  if (reached === undefined || reached < oldest) return { kind: 'SNAP' };
  return planFrom(peerZxid, [...history, ...committed.filter(({ zxid }) => zxid > reached)], newest);
}

function planFrom(peerZxid: Zxid, history: readonly CommittedProposal[], newest: Zxid): SyncPlan {
  const proposals = history.filter(({ zxid }) => zxid > peerZxid);
  if (opensEpoch(peerZxid) || history.some(({ zxid }) => zxid === peerZxid)) {
    return { kind: 'DIFF', zxid: newest, proposals };
  }
  // It has a proposal that we have not: one of a leader that died with it. Back to what we share, if that is in its log.
  const next = proposals[0];
  const before = history.findLast(({ zxid }) => zxid < peerZxid);
  if (next === undefined || before === undefined || epochOf(next.zxid) !== epochOf(peerZxid)) return { kind: 'SNAP' };
  return { kind: 'TRUNC', zxid: before.zxid, proposals };
}

function opensEpoch(zxid: Zxid): boolean {
  return counterOf(zxid) === 0;
}
