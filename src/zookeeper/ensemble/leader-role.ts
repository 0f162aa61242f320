import { Deque } from '../../base/deque.ts';
import { MalformedError } from '../../wire/errors.ts';
import { Reader } from '../../wire/reader.ts';
import type { ErrorCode } from '../jute/errors.ts';
import { type SessionId, serverIn, type Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import type { ReconfigRequest } from '../jute/proto.ts';
import type { CommittedProposal } from '../persistence/recovery.ts';
import { designatedLeader } from '../quorum/designated-leader.ts';
import type { Membership } from '../quorum/membership.ts';
import type { Memberships } from '../quorum/memberships.ts';
import {
  readLearnerRequest,
  type SessionTouch,
  writeDesignatedLeader,
  writeInformedActivation,
} from '../quorum/packet-data.ts';
import { Proposals } from '../quorum/proposals.ts';
import { encodePacket, PacketType, type QuorumPacket } from '../quorum/quorum-packet.ts';
import type { ServerId } from '../quorum/quorum-verifier.ts';
import { reconfigure } from '../quorum/reconfiguration.ts';
import { addLatency } from '../server/metrics/quorum-metrics.ts';
import type { PendingRequest } from '../server/pending-request.ts';
import { Pipeline } from '../server/pipeline.ts';
import { Preparer } from '../server/prepare.ts';
import type { NextMembership } from '../server/reconfig.ts';
import type { Role, RoleParts } from '../server/role.ts';
import type { Session } from '../server/sessions.ts';
import type { SizeStats } from '../server/size-stats.ts';
import type { Database } from './database.ts';
import { LeaderAgreement, type OutstandingProposal } from './leader-agreement.ts';
import type { LearnerHandler } from './learner-handler.ts';
import { memberLog } from './member-log.ts';
import { SessionUpgrades } from './session-upgrades.ts';

export interface LeaderRoleOptions {
  readonly self: ServerId;
  /** The one that opens the epoch; a later one where a test wants to see the end of the epoch. */
  readonly lastZxid: Zxid;
  readonly database: Database;
  readonly memberships: Memberships;
  /** It is in force with its leader, here too. Resolves when that is on the disk. */
  readonly activate: (membership: Membership, leader: ServerId) => Promise<void>;
  readonly learners: () => Iterable<LearnerHandler>;
  readonly proposalSizes: SizeStats;
  /** The last zxid of the epoch is used. */
  readonly exhausted: () => void;
}

interface Unlogged {
  readonly zxid: Zxid;
  readonly timeMs: number;
}

/** `leader.ackLoggingFrequency` */
const ACKS_PER_SAMPLE = 1000n;

/** Bytes before the body in the frame of a request: xid and type. */
const HEADER_BYTES = 8;

/** A server that makes the transactions of its ensemble: clients' and learners' requests go one way. */
export class LeaderRole implements Role {
  readonly mode = 'leader';
  readonly preparer: Preparer;
  readonly #parts: RoleParts;
  readonly #options: LeaderRoleOptions;
  readonly #proposals: Proposals;
  readonly #agreement: LeaderAgreement;
  readonly #pipeline: Pipeline;
  /** Of the reconfiguration whose commit is next: who leads from there on. */
  #designated: ServerId | undefined;
  #hasEnded = false;
  /** On their way to our disk, oldest first. */
  readonly #unlogged = new Deque<Unlogged>();
  readonly #upgrades: SessionUpgrades;
  /** Of the end of the term. */
  #unapplied: CommittedProposal[] = [];

  constructor(parts: RoleParts, options: LeaderRoleOptions) {
    const { clock, applier, sessions } = parts;
    const { self, lastZxid, database, memberships, exhausted } = options;
    this.#parts = parts;
    this.#options = options;
    this.preparer = new Preparer({
      ...parts,
      lastZxid,
      reconfigure: (request, zxid) => this.#reconfigure(request, zxid),
    });
    this.#proposals = new Proposals(lastZxid);
    this.#agreement = new LeaderAgreement({
      self,
      clock,
      proposals: this.#proposals,
      verifiers: () => memberships.verifiers,
      log: memberLog(parts, database, (zxid) => this.#durable(zxid)),
      proposed: (proposal) => this.#proposed(proposal),
      membershipWritten: () => memberships.written,
      activate: (proposal) => this.#activate(proposal),
      committed: (proposal) => this.#committed(proposal),
      listener: applier,
      exhausted,
    });
    applier.onApplied = (proposal) => this.preparer.applied(proposal);
    this.#pipeline = new Pipeline({ sessions, preparer: this.preparer, agreement: this.#agreement });
    const take = (request: PendingRequest): void => this.#pipeline.submit(request);
    this.#upgrades = new SessionUpgrades({ parts, take, refuse: take });
  }

  get pendingCount(): number {
    return this.#pipeline.pendingCount;
  }

  /** Syncs that wait for what was proposed before them. */
  get pendingSyncCount(): number {
    return this.#agreement.syncCount;
  }

  get lastProposed(): Zxid {
    return this.#proposals.lastProposed;
  }

  /** In our log, perhaps in those of others; nobody was told that it is agreed. After `close`. */
  get unapplied(): readonly CommittedProposal[] {
    return this.#unapplied;
  }

  /** Another server leads, or will. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Commits no more. */
  end(): void {
    this.#hasEnded = true;
    this.#agreement.end();
  }

  /** An oracle may let what is proposed be committed without others. */
  reconsider(): void {
    this.#agreement.reconsider();
  }

  outstanding(): Iterable<OutstandingProposal> {
    return this.#agreement.outstanding();
  }

  submit(request: PendingRequest): void {
    this.#upgrades.submit(request);
  }

  expireSession(id: SessionId): void {
    this.#pipeline.expireSession(id);
  }

  deleteContainer(path: string): void {
    this.#pipeline.deleteContainer(path);
  }

  revalidate(id: SessionId, timeoutMs: number, answer: (session: Session | undefined) => void): void {
    answer(this.#parts.sessions.resume(id, timeoutMs));
  }

  async close(): Promise<void> {
    await this.#pipeline.close();
    this.#unapplied = [...this.#agreement.outstanding()];
  }

  // ---------------------------------------------------------------- for learners

  acknowledge(zxid: Zxid, from: ServerId): void {
    if (zxid % ACKS_PER_SAMPLE === 0n) this.#sampleAck(zxid, from);
    this.#agreement.acknowledge(zxid, from);
  }

  touched(touches: readonly SessionTouch[]): void {
    this.#parts.sessions.touchAll(touches.map(({ sessionId }) => sessionId));
  }

  /** Whether the session lives; then it is the learner's from now on. */
  revalidateFor(learner: LearnerHandler, { sessionId, timeoutMs }: SessionTouch): boolean {
    const { sessions } = this.#parts;
    if (sessions.get(sessionId)?.scope === 'local') return false;
    const session = sessions.resume(sessionId, timeoutMs);
    if (session === undefined) return false;
    session.owner = learner;
    return true;
  }

  /** @throws MalformedError */
  requested(learner: LearnerHandler, { data, authinfo }: QuorumPacket): void {
    const { sessionId, cxid, opCode, body } = readLearnerRequest(data);
    // Views of the connection's memory do not outlive this call, a sync keeps its path.
    const frame = Buffer.alloc(HEADER_BYTES + body.length);
    frame.set(body, HEADER_BYTES);
    this.submit({
      requester: learner,
      session: this.#sessionOf(learner, sessionId, opCode, body),
      xid: cxid,
      type: opCode,
      frame: { chunks: [frame], size: frame.length },
      ids: authinfo ?? [],
      receivedMs: this.#parts.clock.monotonicMs(),
    });
  }

  #sessionOf(learner: LearnerHandler, id: SessionId, opCode: number, body: Uint8Array): Session {
    const { sessions } = this.#parts;
    const known = sessions.get(id);
    if (opCode === OpCode.createSession) {
      const session = known ?? sessions.add(id, timeoutIn(body));
      session.owner = learner;
      return session;
    }
    if (known === undefined) return this.#unknownSession(learner, id);
    known.owner ??= learner;
    return known;
  }

  #durable(upTo: Zxid): void {
    const { metrics, clock } = this.#parts;
    for (let next = this.#unlogged.peek(); next !== undefined && next.zxid <= upTo; next = this.#unlogged.peek()) {
      this.#unlogged.shift();
      addLatency(metrics.quorum.proposalAckCreationLatency, next.timeMs, clock.wallMs());
    }
    this.acknowledge(upTo, this.#options.self);
  }

  #sampleAck(zxid: Zxid, from: ServerId): void {
    for (const proposal of this.#agreement.outstanding()) {
      if (proposal.zxid !== zxid) continue;
      const { metrics, clock } = this.#parts;
      addLatency(metrics.quorum.ackLatency.of(String(from)), proposal.record.header.time, clock.wallMs());
    }
  }

  /** The learner's own, as far as we can tell; else it is over, and what it asks for is refused in its place in the order. */
  #unknownSession(learner: LearnerHandler, id: SessionId): Session {
    const isForeign = this.#parts.config.localSessionsEnabled && serverIn(id) !== this.#options.self;
    const session = { id, timeoutMs: 0, deadlineMs: -1, closing: !isForeign };
    return isForeign
      ? { ...session, scope: 'foreign', owner: learner }
      : { ...session, scope: 'global', owner: undefined };
  }

  // ---------------------------------------------------------------- to learners

  #proposed({ zxid, bytes, record }: OutstandingProposal): void {
    const { quorum, logged } = this.#parts.metrics;
    this.#options.proposalSizes.add(bytes.length);
    quorum.proposalCount.add();
    logged.add();
    this.#unlogged.push({ zxid, timeMs: record.header.time });
    let packet: Uint8Array | undefined;
    for (const learner of this.#options.learners()) {
      if (!learner.isForwarded || learner.isObserver) continue;
      packet ??= encodePacket({ type: PacketType.PROPOSAL, zxid, data: bytes, authinfo: null });
      learner.sendPrepared(zxid, packet);
      learner.proposed(zxid);
    }
  }

  #committed({ zxid, bytes, record }: OutstandingProposal): void {
    const designated = this.#designated;
    this.#designated = undefined;
    const { quorum } = this.#parts.metrics;
    quorum.commitCount.add();
    quorum.commitsQueued.add();
    addLatency(quorum.quorumAckLatency, record.header.time, this.#parts.clock.wallMs());
    let commit: Uint8Array | undefined;
    let inform: Uint8Array | undefined;
    for (const learner of this.#options.learners()) {
      if (!learner.isForwarded) continue;
      if (learner.isObserver) {
        inform ??= encodePacket(informPacket(zxid, bytes, designated));
        learner.sendPrepared(zxid, inform);
      } else {
        commit ??= encodePacket(commitPacket(zxid, designated));
        learner.sendPrepared(zxid, commit);
      }
    }
    this.#options.database.committed.add(zxid, bytes);
    if (designated !== undefined && designated !== this.#options.self) this.end();
  }

  // ---------------------------------------------------------------- the membership

  #reconfigure(request: ReconfigRequest, zxid: Zxid): NextMembership | ErrorCode {
    const { memberships } = this.#options;
    const { config, log } = this.#parts;
    const next = reconfigure(
      request,
      {
        current: memberships.current,
        lastSeen: memberships.lastSeen,
        rules: config,
        isQuorumSynced: (membership) => this.#isQuorumSynced(membership),
      },
      zxid,
    );
    if (next.kind === 'refused') {
      log.warn('a reconfiguration is refused', { code: next.code, reason: next.reason });
      return next.code;
    }
    const { membership } = next;
    return { text: membership.text, proposed: () => void memberships.saw(membership) };
  }

  /** Leader.isQuorumSynced */
  #isQuorumSynced({ verifier }: Membership): boolean {
    const { self, learners } = this.#options;
    const nowMs = this.#parts.clock.monotonicMs();
    const synced = new Set([self]);
    for (const learner of learners()) {
      if (learner.isForwarded && !learner.isObserver && learner.isHeard(nowMs)) synced.add(learner.server);
    }
    return verifier.isQuorum(synced);
  }

  async #activate({ zxid }: OutstandingProposal): Promise<void> {
    const { self, memberships, activate } = this.#options;
    const { current: before, lastSeen: next, verifiers } = memberships;
    const { acknowledged } = this.#proposals;
    this.#designated = designatedLeader({ self, before, next, verifiers, zxid, acknowledged });
    await activate(next, this.#designated);
  }
}

/** @param designated the leader that the new membership wants, of a reconfiguration alone */
function commitPacket(zxid: Zxid, designated: ServerId | undefined): QuorumPacket {
  if (designated === undefined) return { type: PacketType.COMMIT, zxid, data: null, authinfo: null };
  return { type: PacketType.COMMITANDACTIVATE, zxid, data: writeDesignatedLeader(designated), authinfo: null };
}

/** The same for observers, who have not seen the proposal. */
function informPacket(zxid: Zxid, bytes: Uint8Array, designated: ServerId | undefined): QuorumPacket {
  if (designated === undefined) return { type: PacketType.INFORM, zxid, data: bytes, authinfo: null };
  const data = writeInformedActivation({ designatedLeader: designated, proposal: bytes });
  return { type: PacketType.INFORMANDACTIVATE, zxid, data, authinfo: null };
}

function timeoutIn(body: Uint8Array): number {
  if (body.length < 4) throw new MalformedError('createSession without a timeout');
  return new Reader(body).int32();
}
