import { printHex, type Zxid } from '../jute/ids.ts';
import type { CommittedProposal } from '../persistence/recovery.ts';
import { streamSignature } from '../persistence/snapshot-stream.ts';
import { SnapshotWriter } from '../persistence/snapshot-writer.ts';
import { encodePacket, PacketType } from '../quorum/quorum-packet.ts';
import { planSync, type SyncPlan } from '../quorum/sync-plan.ts';
import type { Database } from './database.ts';
import type { LearnerHandler } from './learner-handler.ts';
import type { SyncThrottle } from './sync-throttle.ts';

/** Nodes that are written at a time, between which the server goes on. */
const NODES_PER_PIECE = 500;
/** Proposals that are put into one piece. */
const PIECE_BYTES = 64 * 1024;

export interface LearnerSyncOptions {
  readonly database: Database;
  /** `zookeeper.forceSnapshotSync` */
  readonly forceSnapshot: boolean;
  readonly throttle: SyncThrottle;
  /** The kind of the plan, for logs and figures. */
  readonly planned: (plan: SyncPlan) => void;
}

/**
 * Sends what the learner lacks of our history: a difference, or the whole database as it is now. What is sent after this call
 * leaves behind it. False: the learner has to come again, since too many are being synchronised.
 */
export function synchronise(learner: LearnerHandler, lastZxid: Zxid, options: LearnerSyncOptions): boolean {
  const { database, forceSnapshot, throttle, planned } = options;
  const plan: SyncPlan = forceSnapshot
    ? { kind: 'SNAP' }
    : planSync(lastZxid, {
        lastProcessedZxid: database.lastZxid,
        committed: [...database.committed],
        logged: (from) => database.logged(from),
      });
  const over = throttle.begin(plan.kind === 'SNAP' ? 'SNAP' : 'DIFF', !learner.isObserver);
  if (over === undefined) {
    learner.close('too many learners are being synchronised');
    return false;
  }
  planned(plan);
  learner.synchronising(over);
  if (plan.kind === 'SNAP') {
    sendSnapshot(learner, database);
    return true;
  }
  learner.send(plan.kind === 'DIFF' ? PacketType.DIFF : PacketType.TRUNC, plan.zxid);
  sendProposals(learner, plan.proposals);
  return true;
}

/** Each with its commit: it is history. */
function sendProposals(learner: LearnerHandler, proposals: readonly CommittedProposal[]): void {
  if (proposals.length === 0) return;
  const left = proposals[Symbol.iterator]();
  learner.link.sendStream(
    () => {
      const parts: Uint8Array[] = [];
      for (let size = 0; size < PIECE_BYTES; ) {
        const next = left.next();
        if (next.done === true) break;
        const { zxid, bytes } = next.value;
        parts.push(encodePacket({ type: PacketType.PROPOSAL, zxid, data: bytes, authinfo: null }));
        parts.push(encodePacket({ type: PacketType.COMMIT, zxid, data: null, authinfo: null }));
        size += bytes.length;
      }
      return parts.length === 0 ? undefined : Buffer.concat(parts);
    },
    () => undefined,
  );
}

/** Transactions that are applied while it is written may be in it or not: those after its zxid are sent behind it. */
function sendSnapshot(learner: LearnerHandler, database: Database): void {
  const { tree, sessions } = database;
  const writer = new SnapshotWriter({ tree, sessions, form: 'stream' });
  learner.send(PacketType.SNAP, writer.zxid);
  let isSigned = false;
  learner.onGone(() => writer.close());
  learner.link.sendStream(
    () => {
      if (!writer.isDone) return writer.step(NODES_PER_PIECE);
      if (isSigned) return undefined;
      isSigned = true;
      return streamSignature();
    },
    () => undefined,
  );
}

/** For a log line. */
export function describe(plan: SyncPlan): Readonly<Record<string, string | number>> {
  if (plan.kind === 'SNAP') return { kind: plan.kind };
  return { kind: plan.kind, zxid: printHex(plan.zxid), proposals: plan.proposals.length };
}
