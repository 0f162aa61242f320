import type { Timer } from '../../runtime/clock.ts';
import { MalformedError } from '../../wire/errors.ts';
import type { Zxid } from '../jute/ids.ts';
import { LeaderSilence } from '../quorum/leader-silence.ts';
import { LearnerStart, type LearnerStartEffect, type LearnerStartEvent } from '../quorum/learner-start.ts';
import type { PeerLink } from '../quorum/peer-link.ts';
import type { QuorumPacket } from '../quorum/quorum-packet.ts';
import type { ServerId } from '../quorum/quorum-verifier.ts';
import type { ServingServer } from '../server/serving-server.ts';
import { LeaderConnection } from './leader-connection.ts';
import type { LearnerHandler } from './learner-handler.ts';
import { LearnerHistory } from './learner-history.ts';
import { type LearnerMaster, leaderOf } from './learner-masters.ts';
import { LearnerService } from './learner-service.ts';
import type { Term, TermHost } from './term.ts';

type Effect<K extends LearnerStartEffect['kind']> = Extract<LearnerStartEffect, { readonly kind: K }>;

/**
 * A term under a leader (Follower.followLeader, Observer.observeLeader): it connects, takes over the leader's history, serves, and
 * ends when the leader is not heard any more. For an observer a follower may stand in the leader's place.
 */
export class LearnerTerm implements Term {
  readonly state: 'FOLLOWING' | 'OBSERVING';
  /** Another server leads. */
  readonly leading = undefined;
  readonly #host: TermHost;
  readonly #master: LearnerMaster;
  readonly #start: LearnerStart;
  readonly #connection: LeaderConnection;
  readonly #history: LearnerHistory;
  readonly #silence: LeaderSilence;
  #service: LearnerService | undefined;
  /** Since when it is brought to the leader's history. */
  #syncingMs: number | undefined;
  #watchTimer: Timer | undefined;
  #isOver = false;
  #work: Promise<void> = Promise.resolve();

  constructor(host: TermHost, state: 'FOLLOWING' | 'OBSERVING', leader: ServerId) {
    const { self, database, memberships, runtime, masters, config } = host;
    const { current } = memberships;
    this.state = state;
    this.#host = host;
    this.#master = state === 'OBSERVING' ? masters.forObserver(current, leader) : leaderOf(current, leader);
    this.#history = new LearnerHistory(host);
    this.#silence = new LeaderSilence({
      initLimitMs: config.initLimitTicks * config.tickTimeMs,
      syncLimitMs: config.syncLimitTicks * config.tickTimeMs,
      nowMs: runtime.clock.monotonicMs(),
    });
    this.#connection = new LeaderConnection({
      host,
      master: this.#master,
      connected: () => {
        this.#heard();
        this.#guarded(() => this.#step({ kind: 'connected' }));
      },
      received: (packet) => this.#guarded(() => this.#packet(packet)),
      over: (reason) => this.#end(reason),
    });
    this.#start = new LearnerStart({
      self,
      role: state === 'OBSERVING' ? 'observer' : 'participant',
      acceptedEpoch: database.acceptedEpoch,
      currentEpoch: database.currentEpoch,
      lastLoggedZxid: database.lastZxid,
      configVersion: current.version,
      needsAll: database.needsAll,
    });
  }

  /** There is one from the first packet on. */
  get #link(): PeerLink {
    return this.#connection.link as PeerLink;
  }

  get server(): ServingServer | undefined {
    return this.#service?.server;
  }

  get master(): ServerId {
    return this.#master.server;
  }

  /** Observers under us. */
  get learners(): Iterable<LearnerHandler> {
    return this.#service?.observers ?? [];
  }

  start(): void {
    this.#host.entered('discovery');
    const { server, addresses } = this.#master;
    if (addresses.length === 0) {
      this.#end(`server ${server} is not in the membership`);
      return;
    }
    this.#watch();
    this.#connection.start();
  }

  /** Once connected we hear from itself how it is. */
  leaderLooks(): void {
    if (!this.#isOver && this.#start.phase === 'connecting') this.#end('the leader looks for a leader itself');
  }

  async close(): Promise<void> {
    this.#isOver = true;
    this.#watchTimer?.cancel();
    this.#connection.close();
    if (this.#syncingMs !== undefined) this.#host.figures.metrics.quorum.socketClosingTime.add(0);
    await this.#work;
    await this.#service?.close();
  }

  // ---------------------------------------------------------------- time

  #heard(): void {
    this.#silence.heard(this.#host.runtime.clock.monotonicMs());
  }

  /** The leader pings twice a tick. */
  #watch(): void {
    const { runtime, config } = this.#host;
    const { clock } = runtime;
    this.#watchTimer = clock.after(config.tickTimeMs / 2, () => {
      const nowMs = clock.monotonicMs();
      // What it sent while we stalled may wait in the kernel: hear it first.
      clock.afterPoll(() => this.#judge(nowMs));
      this.#watch();
    });
  }

  #judge(nowMs: number): void {
    const reason = this.#silence.judge(nowMs, this.#start);
    if (reason !== undefined) this.#end(reason);
  }

  // ---------------------------------------------------------------- its packets

  #packet(packet: QuorumPacket): void {
    this.#heard();
    if (this.#service?.isOpen) this.#service.received(packet);
    else this.#step({ kind: 'received', packet });
  }

  #step(event: LearnerStartEvent): void {
    if (this.#isOver) return;
    for (const effect of this.#start.step(event)) this.#perform(effect);
    if (this.#start.phase === 'choosing') this.#beginSync();
  }

  /** Once it has promised the epoch. */
  #beginSync(): void {
    if (this.#syncingMs !== undefined) return;
    this.#syncingMs = this.#host.runtime.clock.monotonicMs();
    this.#host.entered('synchronization');
  }

  #endSync(): void {
    const { runtime, figures } = this.#host;
    const tookMs = Math.floor(runtime.clock.monotonicMs() - (this.#syncingMs ?? runtime.clock.monotonicMs()));
    const { followerSyncTime, observerSyncTime } = figures.metrics.quorum;
    this.#host.entered('broadcast');
    (this.state === 'FOLLOWING' ? followerSyncTime : observerSyncTime).add(tookMs);
  }

  #perform(effect: LearnerStartEffect): void {
    switch (effect.kind) {
      case 'send':
        this.#link.send(effect.packet);
        break;
      case 'acceptEpoch':
        this.#busy(() => this.#host.database.acceptEpoch(effect.epoch));
        break;
      case 'receiveSnapshot':
        this.#receiveSnapshot(effect.zxid);
        break;
      case 'truncate':
        this.#busy(async () => {
          const reason = await this.#history.truncate(effect.zxid);
          if (reason !== undefined) this.#end(reason);
        });
        break;
      case 'receiveNothing':
        this.#history.receiveNothing();
        break;
      case 'apply':
        this.#history.apply(effect.proposal);
        break;
      case 'adoptHistory':
        this.#busy(() => this.#history.adopt(effect, this.#logs));
        break;
      case 'serve':
        this.#serve(effect);
        break;
      default:
        effect satisfies never;
    }
  }

  /** On the disk, packets wait meanwhile. */
  #busy(work: () => Promise<void>): void {
    this.#link.hold();
    this.#work = this.#work.then(async () => {
      if (this.#isOver) return;
      try {
        await work();
        this.#done();
      } catch (error) {
        this.#failed(error);
      }
    });
  }

  #done(): void {
    if (this.#isOver) return;
    this.#heard();
    this.#guarded(() => this.#step({ kind: 'done' }));
    this.#link.release();
  }

  #receiveSnapshot(zxid: Zxid): void {
    const take = this.#history.receive(zxid, () => this.#guarded(() => this.#step({ kind: 'done' })));
    this.#link.receiveRaw((chunk) => {
      this.#heard();
      return take(chunk);
    });
  }

  /** `syncEnabled=false`: an observer does without a log. */
  get #logs(): boolean {
    return this.state === 'FOLLOWING' || this.#host.config.observersSync;
  }

  #serve({ epoch, config: membership, proposals, committed }: Effect<'serve'>): void {
    const { database, masters } = this.#host;
    const link = this.#link;
    link.hold();
    this.#work = this.#work.then(async () => {
      if (this.#isOver) return;
      try {
        if (await this.#isReplaced(membership)) return this.#end('the membership has changed');
        this.#host.epochBegan(epoch);
        masters.reached();
        if (!this.#logs) database.leaveLogBehind();
        const service = this.#newService(link);
        this.#service = service;
        await service.open();
        this.#endSync();
        if (this.#isOver) return;
        await service.begin(epoch, proposals, committed);
        link.release();
      } catch (error) {
        this.#failed(error);
      }
    });
  }

  #newService(link: PeerLink): LearnerService {
    return new LearnerService({
      host: this.#host,
      state: this.state,
      link,
      history: this.#history,
      logs: this.#logs,
      isOver: () => this.#isOver,
      end: (reason) => this.#end(reason),
      failed: (error) => this.#failed(error),
    });
  }

  /** The membership of NEWLEADER is in force now; whether it makes another server of us, or of our leader. */
  async #isReplaced(config: Uint8Array | null): Promise<boolean> {
    const membership = this.#history.membershipOf(config);
    return membership !== undefined && (await this.#host.activate(membership));
  }

  // ---------------------------------------------------------------- the end

  /** What the leader got wrong ends the term, anything else is a fault of ours. */
  #guarded(act: () => void): void {
    if (this.#isOver) return;
    try {
      act();
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    if (error instanceof MalformedError) this.#end(`leaving the leader after a bad packet: ${error.message}`);
    else this.#host.fatal(error);
  }

  #end(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#connection.close();
    this.#host.over(this, reason);
  }
}
