import { MalformedError } from '../../wire/errors.ts';
import { Reader } from '../../wire/reader.ts';
import type { ErrorCode } from '../jute/errors.ts';
import { type SessionId, serverIn, type Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import type { ReconfigRequest } from '../jute/proto.ts';
import type { CommittedProposal } from '../persistence/recovery.ts';
import type { Membership } from '../quorum/membership.ts';
import type { Memberships } from '../quorum/memberships.ts';
import { readLearnerRequest, type SessionTouch } from '../quorum/packet-data.ts';
import type { QuorumPacket } from '../quorum/quorum-packet.ts';
import type { ServerId } from '../quorum/quorum-verifier.ts';
import { reconfigure } from '../quorum/reconfiguration.ts';
import type { PendingRequest } from '../server/pending-request.ts';
import { Pipeline } from '../server/pipeline.ts';
import { Preparer } from '../server/prepare.ts';
import type { NextMembership } from '../server/reconfig.ts';
import type { Role, RoleParts } from '../server/role.ts';
import type { Session } from '../server/sessions.ts';
import type { SizeStats } from '../server/size-stats.ts';
import type { LeaderAgreement } from './leader-agreement.ts';
import type { LearnerHandler } from './learner-handler.ts';
import { SessionUpgrades } from './session-upgrades.ts';

export interface LeaderRoleOptions {
  readonly self: ServerId;
  readonly memberships: Memberships;
  readonly agreement: LeaderAgreement;
  readonly learners: () => Iterable<LearnerHandler>;
  readonly proposalSizes: SizeStats;
}

/** Bytes before the body in the frame of a request: xid and type. */
const HEADER_BYTES = 8;

/** A server that makes the transactions of its ensemble: clients' and learners' requests go one way. */
export class LeaderRole implements Role {
  readonly mode = 'leader';
  readonly preparer: Preparer;
  readonly #parts: RoleParts;
  readonly #options: LeaderRoleOptions;
  readonly #pipeline: Pipeline;
  readonly #upgrades: SessionUpgrades;
  /** Of the end of the term. */
  #unapplied: CommittedProposal[] = [];

  constructor(parts: RoleParts, options: LeaderRoleOptions) {
    const { applier, sessions } = parts;
    const { agreement, proposalSizes } = options;
    this.#parts = parts;
    this.#options = options;
    this.preparer = new Preparer({
      ...parts,
      lastZxid: agreement.lastProposed,
      reconfigure: (request, zxid) => this.#reconfigure(request, zxid),
    });
    applier.onApplied = (proposal) => this.preparer.applied(proposal);
    agreement.serve(parts, proposalSizes);
    this.#pipeline = new Pipeline({ sessions, preparer: this.preparer, agreement });
    const take = (request: PendingRequest): void => this.#pipeline.submit(request);
    this.#upgrades = new SessionUpgrades({ parts, take, refuse: take });
  }

  get pendingCount(): number {
    return this.#pipeline.pendingCount;
  }

  /** In our log, perhaps in those of others; nobody was told that it is agreed. After `close`. */
  get unapplied(): readonly CommittedProposal[] {
    return this.#unapplied;
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
    this.#unapplied = [...this.#options.agreement.outstanding];
  }

  // ---------------------------------------------------------------- for learners

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

  /** The learner's own, as far as we can tell; else it is over, and what it asks for is refused in its place in the order. */
  #unknownSession(learner: LearnerHandler, id: SessionId): Session {
    const isForeign = this.#parts.config.localSessionsEnabled && serverIn(id) !== this.#options.self;
    const session = { id, timeoutMs: 0, deadlineMs: -1, closing: !isForeign };
    return isForeign
      ? { ...session, scope: 'foreign', owner: learner }
      : { ...session, scope: 'global', owner: undefined };
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
}

function timeoutIn(body: Uint8Array): number {
  if (body.length < 4) throw new MalformedError('createSession without a timeout');
  return new Reader(body).int32();
}
