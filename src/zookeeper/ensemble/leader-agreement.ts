import { Deque } from '../../base/deque.ts';
import type { Clock } from '../../runtime/clock.ts';
import { Writer } from '../../wire/writer.ts';
import { counterOf, type Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import { type TxnRecord, writeTxnRecord } from '../jute/txn.ts';
import type { LogWriter } from '../quorum/log-writer.ts';
import type { Proposals } from '../quorum/proposals.ts';
import type { QuorumVerifier, ServerId } from '../quorum/quorum-verifier.ts';
import type { Agreement, AgreementListener, Proposal } from '../server/agreement.ts';

/** A proposal of this leader that is not committed. */
export interface OutstandingProposal {
  readonly zxid: Zxid;
  /** Header, body, digest: in the log, on the wire and for learners that come later alike. */
  readonly bytes: Uint8Array;
  readonly record: TxnRecord;
}

interface Pending {
  readonly proposal: Proposal;
  /** Undefined for a mark in the order: a sync. */
  readonly outstanding: OutstandingProposal | undefined;
}

export interface LeaderAgreementOptions {
  readonly self: ServerId;
  readonly clock: Clock;
  readonly proposals: Proposals;
  /** Who has to agree on what is proposed now. The same array while the membership is the same. */
  readonly verifiers: () => readonly QuorumVerifier[];
  /** Our own log: its `durable` is an acknowledgement of ours. */
  readonly log: LogWriter;
  readonly proposed: (proposal: OutstandingProposal) => void;
  /** Has to be on the disk before a proposal that changes the membership is in the log. */
  readonly membershipWritten: () => Promise<void>;
  /** A quorum agrees to a new membership: it is in force and on the disk when this resolves. Then the proposal is committed. */
  readonly activate: (proposal: OutstandingProposal) => Promise<void>;
  /** A quorum has it; before it is applied here. */
  readonly committed: (proposal: OutstandingProposal) => void;
  readonly listener: AgreementListener;
  /** The last number of this epoch is near: a new epoch has to begin. */
  readonly exhausted: () => void;
}

/** Counters end here; the one behind would look like another epoch (ZOOKEEPER-1277). */
const LAST_COUNTER = 0xffff_ffff;

/** Agreement of a leader with a quorum: proposed to all who follow, logged here, committed in order. */
export class LeaderAgreement implements Agreement {
  readonly #options: LeaderAgreementOptions;
  readonly #pending = new Deque<Pending>();
  #outstandingCount = 0;
  #isScheduled = false;
  #isOver = false;
  /** Proposals that a quorum has and that are not committed, of the oldest. */
  #agreedCount = 0;
  /** Of the membership that is being activated, or was last. */
  #activated: Zxid | undefined;
  #isActivating = false;

  constructor(options: LeaderAgreementOptions) {
    this.#options = options;
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  /** Marks in the order. */
  get syncCount(): number {
    return this.#pending.size - this.#outstandingCount;
  }

  /** Oldest first: what a learner that comes now has to hear of. */
  *outstanding(): Generator<OutstandingProposal> {
    for (let index = 0; index < this.#pending.size; index += 1) {
      const outstanding = this.#pending.at(index)?.outstanding;
      if (outstanding !== undefined) yield outstanding;
    }
  }

  propose(proposal: Proposal): void {
    if (this.#isOver) return;
    const { txn } = proposal;
    if (txn === undefined) {
      this.#pending.push({ proposal, outstanding: undefined });
      if (this.#outstandingCount === 0) this.#schedule();
      return;
    }
    const { proposals, verifiers, log, proposed, exhausted } = this.#options;
    const { zxid } = txn.header;
    if (counterOf(zxid) === LAST_COUNTER) {
      this.#isOver = true;
      exhausted();
      return;
    }
    const outstanding = { zxid, bytes: encode(txn), record: txn };
    this.#pending.push({ proposal, outstanding });
    this.#outstandingCount += 1;
    proposals.propose(zxid, verifiers());
    proposed(outstanding);
    if (isReconfiguration(outstanding)) log.holdUntil(this.#options.membershipWritten());
    log.append(zxid, outstanding.bytes);
  }

  /** A server, we too, has everything up to this on its disk. */
  acknowledge(zxid: Zxid, from: ServerId): void {
    this.#options.proposals.acknowledge(zxid, from);
    this.#schedule();
  }

  /** Commits no more: another server leads from here on. */
  end(): void {
    this.#isOver = true;
  }

  /** Who has to agree may have changed. */
  reconsider(): void {
    this.#schedule();
  }

  close(): Promise<void> {
    this.#isOver = true;
    return this.#options.log.close();
  }

  /** Acknowledgements of one poll are counted together. */
  #schedule(): void {
    if (this.#isScheduled || this.#isOver) return;
    this.#isScheduled = true;
    this.#options.clock.soon(this.#advance);
  }

  readonly #advance = (): void => {
    this.#isScheduled = false;
    if (this.#isOver || this.#isActivating) return;
    const { proposals, listener, committed } = this.#options;
    this.#agreedCount += proposals.advance();
    let group: Proposal[] = [];
    for (let next = this.#pending.peek(); next !== undefined; next = this.#pending.peek()) {
      const { outstanding, proposal } = next;
      if (outstanding === undefined) {
        // A learner must hear of its sync after the commits before it, and before those behind it.
        if (group.length > 0) listener.committed(group);
        group = [];
        this.#pending.shift();
        listener.committed([proposal]);
        continue;
      }
      if (this.#agreedCount === 0) break;
      if (isReconfiguration(outstanding) && outstanding.zxid !== this.#activated) {
        this.#activate(outstanding);
        break;
      }
      this.#agreedCount -= 1;
      this.#pending.shift();
      this.#outstandingCount -= 1;
      committed(outstanding);
      group.push(proposal);
      // Committing may end our leadership: of what was agreed by then all is applied, of the rest nothing.
      if (this.#isOver) break;
    }
    if (group.length > 0) listener.committed(group);
  };

  #activate(outstanding: OutstandingProposal): void {
    this.#activated = outstanding.zxid;
    this.#isActivating = true;
    this.#options.activate(outstanding).then(
      () => {
        this.#isActivating = false;
        this.#advance();
      },
      (error) => this.#options.listener.failed(error),
    );
  }
}

function isReconfiguration({ record }: OutstandingProposal): boolean {
  return record.txn.type === OpCode.reconfig;
}

function encode({ header, txn, digest }: TxnRecord): Uint8Array {
  const to = new Writer(256);
  writeTxnRecord(to, header, txn, digest);
  return to.finishFlat();
}
