import { assert } from '../../base/assert.ts';
import { ErrorCode } from '../jute/errors.ts';
import type { SessionId, Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import type { TxnRecord } from '../jute/txn.ts';
import type { CommittedProposal } from '../persistence/recovery.ts';
import {
  type LearnedProposal,
  LearnerBroadcast,
  type LearnerEffect,
  type LearnerEvent,
} from '../quorum/learner-broadcast.ts';
import type { CommittedZxid, ReceivedProposal } from '../quorum/learner-start.ts';
import type { LogWriter } from '../quorum/log-writer.ts';
import { readLearnerRequest, type SessionTouch, writeTouches } from '../quorum/packet-data.ts';
import type { PeerLink } from '../quorum/peer-link.ts';
import { PacketType, type QuorumPacket } from '../quorum/quorum-packet.ts';
import type { ServerId } from '../quorum/quorum-verifier.ts';
import type { Proposal } from '../server/agreement.ts';
import { addLatency } from '../server/metrics/quorum-metrics.ts';
import type { PendingRequest } from '../server/pending-request.ts';
import type { Role, RoleParts } from '../server/role.ts';
import type { Session } from '../server/sessions.ts';
import type { Database } from './database.ts';
import { LeaderRequests, refused, requestPacket } from './leader-requests.ts';
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

/** A client of ours that waits for a sync, or what tells an observer under us that its own is done. */
type SyncWaiter = PendingRequest | (() => void);
type Revalidated = (isValid: boolean) => void;
type Event = LearnerEvent<SyncWaiter, Revalidated>;
type Effect = LearnerEffect<SyncWaiter, Revalidated>;
type EffectOf<K extends Effect['kind']> = Extract<Effect, { readonly kind: K }>;

/**
 * A server whose leader makes the transactions: requests that change something go there, and come back as transactions of the order
 * that all share (FollowerZooKeeperServer, ObserverZooKeeperServer). What the leader sends `LearnerBroadcast` decides on: this is
 * its log, its link and its clients.
 */
export class LearnerRole implements Role {
  readonly mode: 'follower' | 'observer';
  readonly preparer = undefined;
  readonly #parts: RoleParts;
  readonly #options: LearnerRoleOptions;
  readonly #log: LogWriter;
  readonly #upgrades: SessionUpgrades;
  readonly #broadcast: LearnerBroadcast<SyncWaiter, Revalidated>;
  readonly #requests = new LeaderRequests();
  /** Under way, or done. */
  #activation: Promise<void> = Promise.resolve();
  /** Committed, to be applied together at the end of the turn. */
  #group: Proposal[] = [];
  /** Its transactions. */
  #agreedGroup: LearnedProposal[] = [];
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
    this.#broadcast = new LearnerBroadcast(mode);
    this.#log = memberLog(parts, database, (upTo) => this.#step({ kind: 'durable', upTo }));
    this.#upgrades = new SessionUpgrades({
      parts,
      take: (request) => this.#forward(request),
      refuse: (request) => this.#forward(refused(request, ErrorCode.EPHEMERALONLOCALSESSION)),
    });
    applier.onApplied = ({ txn }) => this.#checkDigest(txn);
  }

  get pendingCount(): number {
    return this.#broadcast.outstandingCount + this.#requests.count + this.#broadcast.syncCount;
  }

  // ---------------------------------------------------------------- from clients

  submit(request: PendingRequest): void {
    this.#upgrades.submit(request);
  }

  #forward(request: PendingRequest): void {
    const { session, type } = request;
    this.#requests.add(request);
    if (type === OpCode.sync) this.#step({ kind: 'syncAsked', waiter: request });
    if (type === OpCode.closeSession) this.#parts.sessions.markClosing(session);
    this.#options.link.send(requestPacket(request));
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
    this.#step({ kind: 'revalidate', touch, waiter: answer });
  }

  /** Resolves when the log is written. What it holds and nobody has committed is in `unapplied` then. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#log.close();
  }

  get unapplied(): CommittedProposal[] {
    return [...this.#agreedGroup, ...this.#broadcast.outstanding];
  }

  // ---------------------------------------------------------------- from observers under us

  /** Committed, and not in the tree yet. */
  get agreed(): readonly CommittedProposal[] {
    return this.#agreedGroup;
  }

  /** A request of an observer's client. What comes of it the observer hears as a transaction; that a sync is done, by `synced`. */
  forward({ type, zxid, data, authinfo }: QuorumPacket, synced: () => void): void {
    if (readLearnerRequest(data).opCode === OpCode.sync) this.#step({ kind: 'syncAsked', waiter: synced });
    this.#options.link.send({ type, zxid, data: Buffer.from(data as Uint8Array), authinfo });
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
    for (const proposal of proposals) this.#step({ kind: 'proposed', proposal });
    for (const each of committed) {
      this.#step({ kind: 'committed', committed: each });
      if (this.#broadcast.isBusy) await this.#activation;
      if (this.#isClosed) return;
    }
  }

  /** @throws MalformedError: leave such a leader */
  received(packet: QuorumPacket): void {
    const { proposalsReceived, commitsReceived } = this.#parts.metrics.quorum;
    if (packet.type === PacketType.PROPOSAL) proposalsReceived.add();
    else if (packet.type === PacketType.COMMIT || packet.type === PacketType.INFORM) commitsReceived.add();
    this.#step({ kind: 'received', packet });
    if (this.#broadcast.isBusy) this.#holdUntilActivated();
  }

  /** What the leader sends next waits. */
  #holdUntilActivated(): void {
    const { link, failed } = this.#options;
    link.hold();
    this.#activation.then(() => link.release(), failed);
  }

  #step(event: Event): void {
    for (const effect of this.#broadcast.step(event)) this.#perform(effect);
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case 'append':
        this.#append(effect);
        break;
      case 'acknowledge':
        this.#acknowledge(effect.proposals);
        break;
      case 'deliver':
        this.#deliver(effect.proposal, effect.leader);
        break;
      case 'activate':
        this.#activation = this.#activate(effect);
        break;
      case 'leave':
        this.#apply();
        this.#options.reconfigured();
        break;
      case 'send':
        this.#options.link.send(effect.packet);
        break;
      case 'answerPing':
        this.#answerPing(effect.zxid);
        break;
      case 'synced':
        this.#synced(effect.waiter);
        break;
      case 'revalidated':
        effect.waiter?.(effect.isValid);
        this.#schedule();
        break;
      case 'warn':
        this.#parts.log.warn(effect.message);
        break;
      case 'unknown':
        this.#parts.log.warn('a leader sends what is not known', { packet: effect.type });
        break;
      default:
        effect satisfies never;
    }
  }

  #append({ proposal, membership, isInformed }: EffectOf<'append'>): void {
    if (isInformed && !this.#options.logs) return;
    const { zxid, bytes, record } = proposal;
    const { metrics, clock } = this.#parts;
    if (!isInformed) addLatency(metrics.quorum.proposalLatency, record.header.time, clock.wallMs());
    metrics.logged.add();
    if (membership !== undefined) this.#log.holdUntil(this.#options.saw(membership));
    this.#log.append(zxid, bytes);
  }

  /** The leader may count us. */
  #acknowledge(proposals: readonly LearnedProposal[]): void {
    const { metrics, clock } = this.#parts;
    for (const { zxid, record } of proposals) {
      addLatency(metrics.quorum.proposalAckCreationLatency, record.header.time, clock.wallMs());
      this.#options.link.send({ type: PacketType.ACK, zxid, data: null, authinfo: null });
    }
  }

  async #activate({ zxid, membership, leader }: EffectOf<'activate'>): Promise<void> {
    const isOver = await this.#options.activate(membership, leader, zxid);
    if (!this.#isClosed) this.#step({ kind: 'activated', isOver });
  }

  #deliver(proposal: LearnedProposal, leader: ServerId | undefined): void {
    const { record } = proposal;
    const { metrics, clock } = this.#parts;
    metrics.quorum.commitsQueued.add();
    addLatency(metrics.quorum.commitPropagationLatency, record.header.time, clock.wallMs());
    this.#agreedGroup.push(proposal);
    this.#push({ txn: record, changeCount: 0, request: this.#requests.take(record.header) });
    this.onCommitted?.(proposal, leader);
  }

  #synced(waiter: SyncWaiter): void {
    if (typeof waiter === 'function') {
      waiter();
      return;
    }
    this.#requests.takeNext(waiter.session.id);
    this.#parts.metrics.quorum.commitsQueued.add();
    this.#push({ txn: undefined, changeCount: 0, request: waiter });
  }

  #answerPing(zxid: Zxid): void {
    const touches = [...this.#options.takeTouched()].map(({ id, timeoutMs }) => ({ sessionId: id, timeoutMs }));
    this.#options.link.send({ type: PacketType.PING, zxid, data: writeTouches(touches), authinfo: null });
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
