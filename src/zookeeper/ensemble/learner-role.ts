import { assert } from '../../base/assert.ts';
import { Deque } from '../../base/deque.ts';
import { flatten } from '../../base/slices.ts';
import { MalformedError } from '../../wire/errors.ts';
import { Writer } from '../../wire/writer.ts';
import { ErrorCode } from '../jute/errors.ts';
import { printHex, type SessionId, type Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import type { TxnHeader, TxnRecord } from '../jute/txn.ts';
import type { CommittedProposal } from '../persistence/recovery.ts';
import type { CommittedZxid, ReceivedProposal } from '../quorum/learner-start.ts';
import type { LogWriter } from '../quorum/log-writer.ts';
import {
  readDesignatedLeader,
  readInformedActivation,
  readLearnerRequest,
  readRevalidationAnswer,
  type SessionTouch,
  writeLearnerRequest,
  writeRevalidation,
  writeTouches,
} from '../quorum/packet-data.ts';
import type { PeerLink } from '../quorum/peer-link.ts';
import { PacketType, type QuorumPacket } from '../quorum/quorum-packet.ts';
import type { ServerId } from '../quorum/quorum-verifier.ts';
import type { Proposal } from '../server/agreement.ts';
import { addLatency } from '../server/metrics/quorum-metrics.ts';
import type { PendingRequest, Requester } from '../server/pending-request.ts';
import type { Role, RoleParts } from '../server/role.ts';
import type { Session } from '../server/sessions.ts';
import { type Database, recordOf } from './database.ts';
import { memberLog } from './member-log.ts';
import { SessionUpgrades } from './session-upgrades.ts';

export interface LearnerRoleOptions {
  readonly mode: 'follower' | 'observer';
  readonly link: PeerLink;
  readonly database: Database;
  /** `syncEnabled`: an observer may do without a log. */
  readonly logs: boolean;
  /** A membership is proposed. Resolves when that is on the disk. */
  readonly saw: (text: string) => Promise<void>;
  /** It is in force. Resolves when that is on the disk; true: this term has to end. */
  readonly activate: (text: string, leader: ServerId, zxid: Zxid) => Promise<boolean>;
  /** The term ends, since our role or our leader is another one now. */
  readonly reconfigured: () => void;
  /** What was sent after something that takes time is none of the protocol. */
  readonly failed: (error: unknown) => void;
  /** Of touches since the last ping. */
  readonly takeTouched: () => Iterable<Session>;
}

interface CommittedHeader {
  readonly zxid: Zxid;
  /** Of the transaction, by the clock of the leader. */
  readonly timeMs: number;
}

/** In our log, or on its way into it, and not committed. */
interface Logged extends CommittedProposal {
  readonly record: TxnRecord;
}

const HEADER_BYTES = 8;
const noBytes = new Uint8Array(0);

/**
 * A server whose leader makes the transactions: requests that change something go there, and come back as transactions of the order
 * that all share (FollowerZooKeeperServer, ObserverZooKeeperServer).
 */
export class LearnerRole implements Role {
  readonly mode: 'follower' | 'observer';
  readonly preparer = undefined;
  readonly #parts: RoleParts;
  readonly #options: LearnerRoleOptions;
  readonly #log: LogWriter;
  readonly #upgrades: SessionUpgrades;
  /** Proposed by the leader, oldest first. */
  readonly #logged = new Deque<Logged>();
  /** Those whose place on our disk the leader has not heard of, oldest first; they may be committed. */
  readonly #unacknowledged = new Deque<CommittedHeader>();
  /** Requests of our clients that the leader has, in the order of each session. */
  readonly #requests = new Map<SessionId, Deque<PendingRequest>>();
  #requestCount = 0;
  /** Syncs that the leader has: of our clients, and of observers under us, who are told. */
  readonly #syncs = new Deque<PendingRequest | (() => void)>();
  readonly #revalidations = new Map<SessionId, ((isValid: boolean) => void)[]>();
  /** Committed, to be applied together at the end of the turn. */
  #group: Proposal[] = [];
  /** Its transactions. */
  #agreedGroup: Logged[] = [];
  #isScheduled = false;
  #hasParted = false;
  #isClosed = false;
  /** Hears of what is committed, before it is applied; with the leader that a new membership wants. For observers under a follower. */
  onCommitted: ((proposal: CommittedProposal, designatedLeader: ServerId | undefined) => void) | undefined;

  constructor(parts: RoleParts, options: LearnerRoleOptions) {
    const { applier } = parts;
    const { database, mode } = options;
    this.mode = mode;
    this.#parts = parts;
    this.#options = options;
    this.#log = memberLog(parts, database, (zxid) => this.#durable(zxid));
    this.#upgrades = new SessionUpgrades({
      parts,
      take: (request) => this.#forward(request),
      refuse: (request) => this.#forward(withError(request, ErrorCode.EPHEMERALONLOCALSESSION)),
    });
    applier.onApplied = ({ txn }) => this.#checkDigest(txn);
  }

  get pendingCount(): number {
    return this.#logged.size + this.#requestCount + this.#syncs.size;
  }

  // ---------------------------------------------------------------- from clients

  submit(request: PendingRequest): void {
    this.#upgrades.submit(request);
  }

  #forward(request: PendingRequest): void {
    const { session, xid, type, ids } = request;
    this.#requestCount += 1;
    const pending = this.#requests.get(session.id);
    if (pending === undefined) {
      const first = new Deque<PendingRequest>();
      first.push(request);
      this.#requests.set(session.id, first);
    } else pending.push(request);
    if (type === OpCode.sync) this.#syncs.push(request);
    if (type === OpCode.closeSession) this.#parts.sessions.markClosing(session);
    const data = writeLearnerRequest({ sessionId: session.id, cxid: xid, opCode: type, body: bodyOf(request) });
    this.#options.link.send({ type: PacketType.REQUEST, zxid: -1n as Zxid, data, authinfo: ids });
  }

  expireSession(id: SessionId): void {
    assert(false, 'sessions end where transactions are made', id);
  }

  deleteContainer(path: string): void {
    assert(false, 'containers go where transactions are made', path);
  }

  revalidate(id: SessionId, timeoutMs: number, answer: (session: Session | undefined) => void): void {
    this.ask({ sessionId: id, timeoutMs }, (isValid) =>
      answer(isValid ? this.#parts.sessions.add(id, timeoutMs) : undefined),
    );
  }

  /** Whether the leader knows the session; it is ours then. */
  ask(touch: SessionTouch, answer: (isValid: boolean) => void): void {
    const waiting = this.#revalidations.get(touch.sessionId) ?? [];
    waiting.push(answer);
    this.#revalidations.set(touch.sessionId, waiting);
    const data = writeRevalidation(touch);
    this.#options.link.send({ type: PacketType.REVALIDATE, zxid: -1n as Zxid, data, authinfo: null });
  }

  /** Resolves when the log is written. What it holds and nobody has committed is in `unapplied` then. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#log.close();
  }

  get unapplied(): CommittedProposal[] {
    return [...this.#agreedGroup, ...this.#logged];
  }

  // ---------------------------------------------------------------- from observers under us

  /** Committed, and not in the tree yet. */
  get agreed(): readonly CommittedProposal[] {
    return this.#agreedGroup;
  }

  /** A request of an observer's client. What comes of it the observer hears as a transaction; that a sync is done, by `synced`. */
  forward({ type, zxid, data, authinfo }: QuorumPacket, synced: () => void): void {
    if (readLearnerRequest(data).opCode === OpCode.sync) this.#syncs.push(synced);
    this.#options.link.send({ type, zxid, data: Buffer.from(present(data)), authinfo });
  }

  /** Sessions that an observer has heard of: the leader hears of them with our own. */
  touched(touches: readonly SessionTouch[]): void {
    this.#parts.sessions.touchAll(touches.map(({ sessionId }) => sessionId));
  }

  // ---------------------------------------------------------------- from the leader

  /**
   * What came before we were up to date: proposals to log, of which the first ones are committed. The link is held meanwhile.
   * Rejects with MalformedError.
   */
  async begin(proposals: readonly ReceivedProposal[], committed: readonly CommittedZxid[]): Promise<void> {
    for (const { zxid, bytes } of proposals) this.#proposed(zxid, bytes);
    for (const { zxid, designatedLeader } of committed) {
      if (designatedLeader === undefined) this.#commit(zxid);
      else await this.#activate(zxid, designatedLeader);
    }
  }

  /** @throws MalformedError: leave such a leader */
  received({ type, zxid, data }: QuorumPacket): void {
    switch (type) {
      case PacketType.PROPOSAL:
        this.#parts.metrics.quorum.proposalsReceived.add();
        this.#proposed(zxid, Buffer.from(present(data)));
        break;
      case PacketType.COMMIT:
        this.#parts.metrics.quorum.commitsReceived.add();
        this.#commit(zxid);
        break;
      case PacketType.COMMITANDACTIVATE:
        this.#holding(this.#activate(zxid, readDesignatedLeader(data)));
        break;
      case PacketType.INFORM:
        this.#parts.metrics.quorum.commitsReceived.add();
        this.#informed(zxid, Buffer.from(present(data)));
        break;
      case PacketType.INFORMANDACTIVATE: {
        const { designatedLeader, proposal } = readInformedActivation(data);
        const bytes = Buffer.from(proposal);
        this.#logInformed(zxid, bytes);
        this.#logged.push({ zxid, bytes, record: recordOf(bytes) });
        this.#holding(this.#activate(zxid, designatedLeader));
        break;
      }
      case PacketType.PING:
        this.#ping(zxid);
        break;
      case PacketType.REVALIDATE:
        this.#revalidated(data);
        break;
      case PacketType.SYNC:
        this.#synced();
        break;
      default:
        this.#parts.log.warn('a leader sends what is not known', { packet: type });
    }
  }

  #proposed(zxid: Zxid, bytes: Uint8Array): void {
    const last = this.#logged.at(this.#logged.size - 1)?.zxid;
    if (last !== undefined && zxid !== last + 1n) {
      this.#parts.log.warn(`Got zxid ${printHex(zxid)} expected ${printHex(last + 1n)}`);
    }
    const { metrics, clock } = this.#parts;
    const record = recordOf(bytes);
    const timeMs = record.header.time;
    addLatency(metrics.quorum.proposalLatency, timeMs, clock.wallMs());
    metrics.logged.add();
    this.#logged.push({ zxid, bytes, record });
    if (this.mode === 'follower') this.#unacknowledged.push({ zxid, timeMs });
    if (record.txn.type === OpCode.reconfig) this.#log.holdUntil(this.#options.saw(membershipIn(record)));
    this.#log.append(zxid, bytes);
  }

  /** Everything up to this is on our disk: the leader may count us. */
  #durable(upTo: Zxid): void {
    const { metrics, clock } = this.#parts;
    for (let next = this.#unacknowledged.peek(); next !== undefined; next = this.#unacknowledged.peek()) {
      const { zxid, timeMs } = next;
      if (zxid > upTo) break;
      this.#unacknowledged.shift();
      addLatency(metrics.quorum.proposalAckCreationLatency, timeMs, clock.wallMs());
      this.#options.link.send({ type: PacketType.ACK, zxid, data: null, authinfo: null });
    }
  }

  #commit(zxid: Zxid, designatedLeader?: ServerId): void {
    const next = this.#nextLogged(zxid);
    this.#logged.shift();
    this.#agreed(next);
    this.onCommitted?.(next, designatedLeader);
  }

  #nextLogged(zxid: Zxid): Logged {
    const next = this.#logged.peek();
    if (next?.zxid === zxid) return next;
    throw new MalformedError(
      `Committing zxid ${printHex(zxid)} but next pending txn is ${next === undefined ? 'none' : printHex(next.zxid)}`,
    );
  }

  /** What the leader sends next waits. */
  #holding(activation: Promise<void>): void {
    const { link, failed } = this.#options;
    link.hold();
    activation.then(() => link.release(), failed);
  }

  /** First the membership is ours, then the transaction is applied: who is told of it finds it so. */
  async #activate(zxid: Zxid, leader: ServerId): Promise<void> {
    const { record } = this.#nextLogged(zxid);
    const isOver = await this.#options.activate(membershipIn(record), leader, zxid);
    if (this.#isClosed) return;
    this.#commit(zxid, leader);
    if (!isOver) return;
    this.#apply();
    this.#options.reconfigured();
  }

  #logInformed(zxid: Zxid, bytes: Uint8Array): void {
    if (!this.#options.logs) return;
    this.#parts.metrics.logged.add();
    this.#log.append(zxid, bytes);
  }

  #informed(zxid: Zxid, bytes: Uint8Array): void {
    this.#logInformed(zxid, bytes);
    this.#agreed({ zxid, bytes, record: recordOf(bytes) });
  }

  #agreed(logged: Logged): void {
    const { record } = logged;
    const { metrics, clock } = this.#parts;
    metrics.quorum.commitsQueued.add();
    addLatency(metrics.quorum.commitPropagationLatency, record.header.time, clock.wallMs());
    this.#agreedGroup.push(logged);
    this.#push({ txn: record, changeCount: 0, request: this.#requestOf(record.header) });
  }

  /** Ours, if it is next in its session's order; another server's otherwise. */
  #requestOf({ clientId, cxid, type }: TxnHeader): PendingRequest | undefined {
    const next = this.#requests.get(clientId)?.peek();
    if (next === undefined || next.xid !== cxid) return undefined;
    // A session that the leader ends has no number of a request.
    if ((type === OpCode.closeSession) !== (next.type === OpCode.closeSession)) return undefined;
    this.#forget(clientId);
    return next;
  }

  #forget(session: SessionId): void {
    const requests = this.#requests.get(session) as Deque<PendingRequest>;
    requests.shift();
    this.#requestCount -= 1;
    if (requests.size === 0) this.#requests.delete(session);
  }

  #synced(): void {
    const request = this.#syncs.shift();
    if (request === undefined) throw new MalformedError('SYNC, and nobody asked for it');
    if (typeof request === 'function') {
      request();
      return;
    }
    this.#forget(request.session.id);
    this.#parts.metrics.quorum.commitsQueued.add();
    this.#push({ txn: undefined, changeCount: 0, request });
  }

  #ping(zxid: Zxid): void {
    const touches = [...this.#options.takeTouched()].map(({ id, timeoutMs }) => ({ sessionId: id, timeoutMs }));
    this.#options.link.send({ type: PacketType.PING, zxid, data: writeTouches(touches), authinfo: null });
  }

  #revalidated(data: Uint8Array | null): void {
    const { sessionId, isValid } = readRevalidationAnswer(data);
    const waiting = this.#revalidations.get(sessionId);
    const answer = waiting?.shift();
    if (waiting?.length === 0) this.#revalidations.delete(sessionId);
    answer?.(isValid);
    this.#schedule();
  }

  // ---------------------------------------------------------------- applying

  /** What one read brought is applied together, and answered together. */
  #push(proposal: Proposal): void {
    this.#group.push(proposal);
    this.#schedule();
  }

  /** What waits to be told clients leaves then too, also where nothing is to be applied. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#parts.clock.soon(() => {
      this.#isScheduled = false;
      if (!this.#isClosed) this.#apply();
    });
  }

  #apply(): void {
    const group = this.#group;
    for (const { zxid, bytes } of this.#agreedGroup) this.#options.database.committed.add(zxid, bytes);
    this.#group = [];
    this.#agreedGroup = [];
    this.#parts.applier.committed(group);
  }

  /** The tree must be what the leader foresaw: otherwise the two have parted. */
  #checkDigest(record: TxnRecord | undefined): void {
    const { tree, log } = this.#parts;
    if (record === undefined || tree.matchesDigest(record.digest) || this.#hasParted) return;
    this.#hasParted = true;
    log.error(`Digests are not matching. Value is Zxid. ${record.header.zxid}`);
  }
}

/** @throws MalformedError */
function membershipIn({ txn }: TxnRecord): string {
  if (txn.type !== OpCode.reconfig || txn.data === null) throw new MalformedError('an activation of no membership');
  return Buffer.from(txn.data).toString();
}

function bodyOf({ type, frame, session }: PendingRequest): Uint8Array {
  if (type === OpCode.createSession) {
    const to = new Writer(4);
    to.int32(session.timeoutMs);
    return to.finishFlat();
  }
  return frame.size <= HEADER_BYTES ? noBytes : flatten(frame).subarray(HEADER_BYTES);
}

/**
 * The leader will refuse it, and cannot know why as well as we do. What the operations of a multi are told stays what the leader
 * says, as at Apache's.
 */
function withError(request: PendingRequest, err: ErrorCode): PendingRequest {
  const { requester } = request;
  const completed: Requester['completed'] = (_, result) => {
    const isMulti = result === undefined || result.type === OpCode.multi;
    requester.completed(request, isMulti ? result : { ...result, type: OpCode.error, err });
  };
  return { ...request, requester: { completed } };
}

/** @throws MalformedError */
function present(data: Uint8Array | null): Uint8Array {
  if (data === null) throw new MalformedError('a proposal without data');
  return data;
}
