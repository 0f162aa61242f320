import type { Timer } from '../../runtime/clock.ts';
import { makeZxid, type Zxid } from '../jute/ids.ts';
import { designatedLeader } from '../quorum/designated-leader.ts';
import { LeaderStart, type LeaderStartEffect, type LeaderStartEvent, type LearnerId } from '../quorum/leader-start.ts';
import { establish } from '../quorum/membership.ts';
import { PacketType } from '../quorum/quorum-packet.ts';
import type { ServerId } from '../quorum/quorum-verifier.ts';
import type { LeaderView } from '../server/ensemble-view.ts';
import type { ServingServer } from '../server/serving-server.ts';
import { LeaderAgreement } from './leader-agreement.ts';
import { LeaderLearners } from './leader-learners.ts';
import { LeaderRole } from './leader-role.ts';
import type { LearnerHandler } from './learner-handler.ts';
import type { Term, TermHost } from './term.ts';
import { TermView } from './term-view.ts';

/**
 * An elected server's term (Leader.lead): it takes learners in, begins an epoch with a quorum of them, brings each to its own
 * history, serves, and ends when a quorum is not there any more.
 */
export class LeaderTerm implements Term {
  readonly state = 'LEADING';
  readonly master = undefined;
  readonly #host: TermHost;
  readonly #start: LeaderStart;
  readonly #learners: LeaderLearners;
  #view: TermView | undefined;
  #server: ServingServer | undefined;
  /** From the beginning of the epoch on. */
  #agreement: LeaderAgreement | undefined;
  #role: LeaderRole | undefined;
  #timer: Timer | undefined;
  /** When the phase under way has to be over, monotonic. */
  #deadlineMs = 0;
  #isOver = false;
  #startedMs = 0;
  /** What was begun and has to end before another term begins. */
  #work: Promise<void> = Promise.resolve();

  constructor(host: TermHost) {
    const { self, database, memberships } = host;
    this.#host = host;
    this.#learners = new LeaderLearners({
      host,
      step: (event) => this.#step(event),
      gone: (learner) => this.#start.gone(learner),
      agreement: () => this.#agreement,
      role: () => this.#role,
    });
    this.#start = new LeaderStart({
      self,
      acceptedEpoch: database.acceptedEpoch,
      history: { currentEpoch: database.currentEpoch, lastZxid: database.lastZxid },
      verifiers: memberships.verifiers,
    });
  }

  get server(): ServingServer | undefined {
    return this.#server;
  }

  get learners(): Iterable<LearnerHandler> {
    return this.#learners.all.values();
  }

  get leading(): LeaderView | undefined {
    return this.#view;
  }

  start(): void {
    this.#host.entered('discovery');
    this.#startedMs = this.#host.runtime.clock.monotonicMs();
    this.#extendDeadline();
    this.#armTick();
    this.#do(async () => {
      await this.#learners.listen();
      this.#step({ kind: 'begin' });
    });
  }

  async close(): Promise<void> {
    this.#isOver = true;
    this.#timer?.cancel();
    await this.#learners.close();
    await this.#work;
    await this.#server?.close();
    for (const verifier of this.#host.memberships.verifiers)
      if (verifier.isNeeded !== undefined) verifier.isNeeded = true;
    for (const proposal of this.#role?.unapplied ?? []) this.#host.database.replay(proposal);
  }

  /** Without it there may never be a quorum for our epoch: rather elect again than wait until the time is over. */
  lookedAgain(voter: ServerId): void {
    const { runtime, config } = this.#host;
    const { maxTimeToWaitForEpochMs: limitMs } = config;
    if (limitMs === undefined || this.#start.phase !== 'collecting') return;
    if (runtime.clock.monotonicMs() - this.#startedMs > limitMs) this.#end(`Quit leading due to voter ${voter}`);
  }

  // ---------------------------------------------------------------- becoming a leader

  #step(event: LeaderStartEvent): void {
    if (this.#isOver) return;
    for (const effect of this.#start.step(event)) this.#perform(effect);
  }

  #perform(effect: LeaderStartEffect): void {
    const { database } = this.#host;
    switch (effect.kind) {
      case 'acceptEpoch':
        this.#do(async () => {
          await database.acceptEpoch(effect.epoch);
          await this.#establish();
          this.#extendDeadline();
          this.#step({ kind: 'epochAccepted' });
        });
        break;
      case 'beginEpoch':
        this.#do(async () => {
          await database.beginEpoch(effect.epoch);
          this.#extendDeadline();
          this.#host.entered('synchronization');
          this.#agreement = this.#agree();
          this.#step({ kind: 'epochBegun' });
        });
        break;
      case 'tellEpoch':
        this.#learners.all.get(effect.learner)?.tellEpoch(effect.epoch);
        break;
      case 'synchronise':
        this.#synchronise(effect.learner, effect.lastZxid);
        break;
      case 'refuse':
        this.#learners.all.get(effect.learner)?.close(effect.reason);
        break;
      case 'serve':
        this.#serve();
        break;
      case 'upToDate':
        this.#upToDate(effect.learner);
        break;
      default:
        effect satisfies never;
    }
  }

  /**
   * A membership of version 0 is only what each member's file says. The ensemble's first leader gives it a version, above that of
   * any file, once a quorum has it (ZOOKEEPER-1783).
   */
  async #establish(): Promise<void> {
    const { memberships, config } = this.#host;
    const { lastSeen } = memberships;
    if (!config.reconfigEnabled || lastSeen.version !== 0n) return;
    await memberships.saw(establish(lastSeen, makeZxid(this.#start.epoch, 0), config));
  }

  /** One after the other; a failure of the disk is the server's, everything else ends the term. */
  #do(work: () => Promise<void>): void {
    this.#work = this.#work.then(async () => {
      if (this.#isOver) return;
      try {
        await work();
      } catch (error) {
        this.#failed(error);
      }
    });
  }

  #failed(error: unknown): void {
    if (error instanceof Error && error.name === 'NetworkError') this.#end(error.message);
    else this.#host.fatal(error);
  }

  #serve(): void {
    const { self, database, log, memberships } = this.#host;
    const { epoch } = this.#start;
    const agreement = this.#agreement as LeaderAgreement;
    const newEpoch = makeZxid(epoch, 0);
    log.info('Have quorum of supporters, starting up', { servers: [...this.#start.supporters].join(), epoch });
    database.tree.lastProcessedZxid = newEpoch;
    const view = new TermView({
      clock: this.#host.runtime.clock,
      verifier: () => this.#host.memberships.verifiers[0],
      learners: () => this.#learners.all.values(),
      agreement,
    });
    this.#view = view;
    this.#do(async () => {
      const designated = await this.#completeReconfiguration();
      this.#host.epochBegan(epoch);
      if (designated !== self) agreement.step({ kind: 'handOver', untilMs: this.#deadlineMs });
      const options = { self, memberships, agreement, learners: () => this.#learners.all.values() };
      this.#server = await this.#host.serve((parts) => {
        this.#role = new LeaderRole(parts, { ...options, proposalSizes: view.proposalSizes });
        return this.#role;
      });
      this.#host.entered('broadcast');
    });
  }

  #agree(): LeaderAgreement {
    const { config } = this.#host;
    const { epoch } = this.#start;
    const agreement: LeaderAgreement = new LeaderAgreement({
      host: this.#host,
      lastZxid: makeZxid(epoch, config.initialCounter),
      learners: this.#learners.all,
      activate: (membership, leader) => this.#host.activate(membership, { leader, zxid: agreement.lastProposed }),
      resign: (reason) => this.#end(reason),
    });
    return agreement;
  }

  /** What was proposed under an earlier leader, or is being established: a quorum of each has it now. Answers who is to lead. */
  async #completeReconfiguration(): Promise<ServerId> {
    const { self, memberships, config, log } = this.#host;
    const { current: before, lastSeen: next, verifiers } = memberships;
    if (!config.reconfigEnabled) return self;
    const zxid = makeZxid(this.#start.epoch, 0);
    const acknowledged = new Map([...this.#start.supporters].map((server) => [server, zxid]));
    const leader = designatedLeader({ self, before, next, verifiers, zxid, acknowledged });
    await this.#host.activate(next, { leader, zxid });
    if (leader !== self) log.warn('another server is to lead the membership: nothing is committed here', { leader });
    return leader;
  }

  // ---------------------------------------------------------------- learners

  #synchronise(id: LearnerId, lastZxid: Zxid): void {
    if (!this.#learners.synchronise(id, lastZxid)) return;
    const { memberships } = this.#host;
    // Who is up to date activates what it is told here. A reconfiguration of ours is not agreed on, and comes as a proposal.
    const { text } = this.#role === undefined ? memberships.lastSeen : memberships.current;
    const newEpoch = makeZxid(this.#start.epoch, 0);
    this.#learners.all.get(id)?.send(PacketType.NEWLEADER, newEpoch, Buffer.from(text));
  }

  #upToDate(id: LearnerId): void {
    // It may ask at once.
    this.#do(async () => this.#learners.all.get(id)?.send(PacketType.UPTODATE, -1n as Zxid));
  }

  // ---------------------------------------------------------------- time

  #extendDeadline(): void {
    const { runtime, config } = this.#host;
    this.#deadlineMs = runtime.clock.monotonicMs() + config.initLimitTicks * config.tickTimeMs;
  }

  #armTick(): void {
    const { clock } = this.#host.runtime;
    this.#timer = clock.after(this.#host.config.tickTimeMs / 2, () => {
      const nowMs = clock.monotonicMs();
      // We may have stalled, and what learners sent meanwhile may wait in the kernel: hear it first.
      clock.afterPoll(() => this.#tick(nowMs));
      this.#armTick();
    });
  }

  /** Twice a tick learners are pinged, once a tick a quorum has to be there. */
  #tick(nowMs: number): void {
    if (this.#isOver) return;
    this.#learners.dropOverdue(nowMs);
    const { phase } = this.#start;
    if (phase !== 'serving') {
      if (nowMs > this.#deadlineMs) this.#end(`no quorum in time, while ${phase}`);
      return;
    }
    this.#agreement?.step({ kind: 'tick', nowMs, presence: this.#learners.presence(nowMs) });
  }

  #end(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#learners.refuse();
    this.#host.over(this, reason);
  }
}
