/**
 * A learner that is up to date (Follower.processPacket, Observer.processPacket, SendAckRequestProcessor), as a step machine: events
 * in, effects out, in the order in which they are to be done.
 *
 *   serving ─ COMMITANDACTIVATE, INFORMANDACTIVATE ─▶ activating ─ the membership is in force, and on our disk ─▶ serving
 *                                                          └─ our role or our leader is another one now ─▶ left
 *
 *   a proposal at a follower:  PROPOSAL ─▶ appended ─ it is on our disk ─▶ acknowledged
 *                                  └─ COMMIT, which may come before that ─▶ delivered, in the order of proposals
 *   at an observer:            INFORM ─▶ appended and delivered
 *
 * Activation takes time: no packet may be given while it is under way; `activated` tells its end.
 */
import { Deque } from '../../base/deque.ts';
import { MalformedError } from '../../wire/errors.ts';
import { Reader } from '../../wire/reader.ts';
import { printHex, type SessionId, type Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import { readTxnRecord, type TxnRecord } from '../jute/txn.ts';
import type { CommittedZxid, ReceivedProposal } from './learner-start.ts';
import {
  readDesignatedLeader,
  readInformedActivation,
  readRevalidationAnswer,
  type SessionTouch,
  writeRevalidation,
} from './packet-data.ts';
import { PacketType, type QuorumPacket } from './quorum-packet.ts';
import type { ServerId } from './quorum-verifier.ts';

/** A proposal of the leader with what it says. */
export interface LearnedProposal extends ReceivedProposal {
  readonly record: TxnRecord;
}

/** @template S who waits for a sync, and R for the leader's word on a session, as whoever asked wants them back */
export type LearnerEvent<S, R> =
  | { readonly kind: 'received'; readonly packet: QuorumPacket }
  /** What came before UPTODATE: first all that is to be logged, then those of it that are committed. */
  | { readonly kind: 'proposed'; readonly proposal: ReceivedProposal }
  | { readonly kind: 'committed'; readonly committed: CommittedZxid }
  /** Everything appended up to this is on our disk. */
  | { readonly kind: 'durable'; readonly upTo: Zxid }
  /** The membership of `activate` is in force and on our disk. `isOver`: our role or our leader is another one now. */
  | { readonly kind: 'activated'; readonly isOver: boolean }
  /** The leader was asked for a sync. */
  | { readonly kind: 'syncAsked'; readonly waiter: S }
  /** Whether the leader knows the session; it is ours then. */
  | { readonly kind: 'revalidate'; readonly touch: SessionTouch; readonly waiter: R };

export type LearnerEffect<S, R> =
  | { readonly kind: 'send'; readonly packet: QuorumPacket }
  /**
   * Into our log; then `durable`. `membership`, of a reconfiguration alone, has to be in its file before. `isInformed`: it is agreed
   * on already, and a learner that does without a log need not have it.
   */
  | {
      readonly kind: 'append';
      readonly proposal: LearnedProposal;
      readonly membership: string | undefined;
      readonly isInformed: boolean;
    }
  /** ACK of each. All of them are on our disk, and what they say of memberships too. */
  | { readonly kind: 'acknowledge'; readonly proposals: readonly LearnedProposal[] }
  /** In force, with its leader: roles, ports, files. Durable, then `activated`. */
  | { readonly kind: 'activate'; readonly zxid: Zxid; readonly membership: string; readonly leader: ServerId }
  /** A quorum has it: apply it behind those before, answer who asked. `leader` of a reconfiguration alone; that is in force. */
  | { readonly kind: 'deliver'; readonly proposal: LearnedProposal; readonly leader: ServerId | undefined }
  /** Apply what was delivered, and leave: our role or our leader is another one now. */
  | { readonly kind: 'leave' }
  /** All that was committed when the leader was asked is delivered. */
  | { readonly kind: 'synced'; readonly waiter: S }
  /** Undefined: nobody asked. */
  | { readonly kind: 'revalidated'; readonly waiter: R | undefined; readonly isValid: boolean }
  /** With the sessions that were heard since the last one. */
  | { readonly kind: 'answerPing'; readonly zxid: Zxid }
  | { readonly kind: 'warn'; readonly message: string }
  | { readonly kind: 'unknown'; readonly type: number };

type Effects<S, R> = readonly LearnerEffect<S, R>[];

interface Activation {
  readonly zxid: Zxid;
  readonly leader: ServerId;
}

const nothing: readonly never[] = [];

export class LearnerBroadcast<S, R> {
  readonly #mode: 'follower' | 'observer';
  /** Not committed, oldest first. */
  readonly #outstanding = new Deque<LearnedProposal>();
  /** Those whose place on our disk the leader has not heard of, oldest first; they may be committed. */
  readonly #unacknowledged = new Deque<LearnedProposal>();
  #activation: Activation | undefined;
  readonly #syncs = new Deque<S>();
  readonly #revalidations = new Map<SessionId, R[]>();

  constructor(mode: 'follower' | 'observer') {
    this.#mode = mode;
  }

  /** An activation is under way: packets have to wait. */
  get isBusy(): boolean {
    return this.#activation !== undefined;
  }

  /** Proposed and not committed, oldest first. */
  get outstanding(): Iterable<LearnedProposal> {
    return this.#outstanding;
  }

  get outstandingCount(): number {
    return this.#outstanding.size;
  }

  get syncCount(): number {
    return this.#syncs.size;
  }

  /** @throws MalformedError for what no leader sends here: leave it */
  step(event: LearnerEvent<S, R>): Effects<S, R> {
    switch (event.kind) {
      case 'received':
        return this.#received(event.packet);
      case 'durable':
        return this.#durable(event.upTo);
      case 'proposed':
        return this.#propose(learn(event.proposal.zxid, event.proposal.bytes));
      case 'committed': {
        const { zxid, designatedLeader: leader } = event.committed;
        return [leader === undefined ? this.#commit(zxid) : this.#activate({ zxid, leader })];
      }
      case 'activated':
        return this.#activated(event.isOver);
      case 'syncAsked':
        this.#syncs.push(event.waiter);
        return nothing;
      case 'revalidate':
        return this.#revalidate(event.touch, event.waiter);
      default:
        return event satisfies never;
    }
  }

  #received({ type, zxid, data }: QuorumPacket): Effects<S, R> {
    switch (type) {
      case PacketType.PROPOSAL:
        return this.#propose(learn(zxid, data));
      case PacketType.COMMIT:
        return [this.#commit(zxid)];
      case PacketType.COMMITANDACTIVATE:
        return [this.#activate({ zxid, leader: readDesignatedLeader(data) })];
      case PacketType.INFORM: {
        const proposal = learn(zxid, data);
        return [informed(proposal), { kind: 'deliver', proposal, leader: undefined }];
      }
      case PacketType.INFORMANDACTIVATE: {
        const { designatedLeader: leader, proposal } = readInformedActivation(data);
        return this.#informAndActivate(learn(zxid, proposal), leader);
      }
      case PacketType.PING:
        return [{ kind: 'answerPing', zxid }];
      case PacketType.REVALIDATE:
        return [this.#revalidated(data)];
      case PacketType.SYNC:
        return [this.#synced()];
      default:
        return [{ kind: 'unknown', type }];
    }
  }

  // ---------------------------------------------------------------- proposals

  #propose(proposal: LearnedProposal): Effects<S, R> {
    const { zxid, record } = proposal;
    const membership = record.txn.type === OpCode.reconfig ? membershipIn(record) : undefined;
    const last = this.#outstanding.at(this.#outstanding.size - 1)?.zxid;
    this.#outstanding.push(proposal);
    if (this.#mode === 'follower') this.#unacknowledged.push(proposal);
    const append: LearnerEffect<S, R> = { kind: 'append', proposal, membership, isInformed: false };
    if (last === undefined || zxid === last + 1n) return [append];
    return [{ kind: 'warn', message: `Got zxid ${printHex(zxid)} expected ${printHex(last + 1n)}` }, append];
  }

  #durable(upTo: Zxid): Effects<S, R> {
    const proposals: LearnedProposal[] = [];
    for (let next = this.#unacknowledged.peek(); next !== undefined; next = this.#unacknowledged.peek()) {
      if (next.zxid > upTo) break;
      this.#unacknowledged.shift();
      proposals.push(next);
    }
    return proposals.length === 0 ? nothing : [{ kind: 'acknowledge', proposals }];
  }

  #commit(zxid: Zxid, leader?: ServerId): LearnerEffect<S, R> {
    const proposal = this.#nextOutstanding(zxid);
    this.#outstanding.shift();
    return { kind: 'deliver', proposal, leader };
  }

  /** Commits come in the order of proposals; a leader that says otherwise has another history than we. */
  #nextOutstanding(zxid: Zxid): LearnedProposal {
    const next = this.#outstanding.peek();
    if (next?.zxid === zxid) return next;
    throw new MalformedError(
      `Committing zxid ${printHex(zxid)} but next pending txn is ${next === undefined ? 'none' : printHex(next.zxid)}`,
    );
  }

  // ---------------------------------------------------------------- memberships

  /** First the membership is ours, then the transaction is delivered: who is told of it finds it so. */
  #activate(activation: Activation): LearnerEffect<S, R> {
    const { zxid, leader } = activation;
    const membership = membershipIn(this.#nextOutstanding(zxid).record);
    this.#activation = activation;
    return { kind: 'activate', zxid, membership, leader };
  }

  /** What cannot be activated is not taken in either: whatever is outstanding is in the log. */
  #informAndActivate(proposal: LearnedProposal, leader: ServerId): Effects<S, R> {
    const { zxid, record } = proposal;
    membershipIn(record);
    if (this.#outstanding.size > 0) this.#nextOutstanding(zxid);
    this.#outstanding.push(proposal);
    return [informed(proposal), this.#activate({ zxid, leader })];
  }

  #activated(isOver: boolean): Effects<S, R> {
    if (this.#activation === undefined) return nothing;
    const { zxid, leader } = this.#activation;
    this.#activation = undefined;
    const committed = this.#commit(zxid, leader);
    return isOver ? [committed, { kind: 'leave' }] : [committed];
  }

  // ---------------------------------------------------------------- answers to what was asked

  #synced(): LearnerEffect<S, R> {
    const waiter = this.#syncs.shift();
    if (waiter === undefined) throw new MalformedError('SYNC, and nobody asked for it');
    return { kind: 'synced', waiter };
  }

  #revalidate(touch: SessionTouch, waiter: R): Effects<S, R> {
    const waiting = this.#revalidations.get(touch.sessionId);
    if (waiting === undefined) this.#revalidations.set(touch.sessionId, [waiter]);
    else waiting.push(waiter);
    const data = writeRevalidation(touch);
    return [{ kind: 'send', packet: { type: PacketType.REVALIDATE, zxid: -1n as Zxid, data, authinfo: null } }];
  }

  #revalidated(data: Uint8Array | null): LearnerEffect<S, R> {
    const { sessionId, isValid } = readRevalidationAnswer(data);
    const waiting = this.#revalidations.get(sessionId);
    const waiter = waiting?.shift();
    if (waiting?.length === 0) this.#revalidations.delete(sessionId);
    return { kind: 'revalidated', waiter, isValid };
  }
}

function informed(proposal: LearnedProposal): Extract<LearnerEffect<never, never>, { readonly kind: 'append' }> {
  return { kind: 'append', proposal, membership: undefined, isInformed: true };
}

/** @throws MalformedError */
function learn(zxid: Zxid, data: Uint8Array | null): LearnedProposal {
  if (data === null) throw new MalformedError('a proposal without data');
  const bytes = Buffer.from(data);
  return { zxid, bytes, record: readTxnRecord(new Reader(bytes)) };
}

/** @throws MalformedError */
function membershipIn({ txn }: TxnRecord): string {
  if (txn.type !== OpCode.reconfig || txn.data === null) throw new MalformedError('an activation of no membership');
  return Buffer.from(txn.data).toString();
}
