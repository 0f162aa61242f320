import type { Connection, ConnectionHandler, Listener } from '../../runtime/network.ts';
import type { Zxid } from '../jute/ids.ts';
import type { Presence } from '../quorum/leader-events.ts';
import type { HistorySummary, LeaderStartEvent, LearnerId } from '../quorum/leader-start.ts';
import type { LearnerInfo } from '../quorum/packet-data.ts';
import { listenAddresses, peerAddresses } from '../quorum/server-addresses.ts';
import type { LeaderAgreement } from './leader-agreement.ts';
import type { LeaderRole } from './leader-role.ts';
import { type LearnerEvents, type LearnerHandler, learnerHandler } from './learner-handler.ts';
import { describe, synchronise } from './learner-sync.ts';
import { SyncThrottle } from './sync-throttle.ts';
import type { TermHost } from './term.ts';

export interface LeaderLearnersOptions {
  readonly host: TermHost;
  /** On the way to an epoch. */
  readonly step: (event: LeaderStartEvent) => void;
  readonly gone: (learner: LearnerId) => void;
  /** From the beginning of the epoch on. */
  readonly agreement: () => LeaderAgreement | undefined;
  /** Once the leader serves. */
  readonly role: () => LeaderRole | undefined;
}

/** The learners of a leader: it takes them in, and each hears and is heard by what the leader has come to. */
export class LeaderLearners implements LearnerEvents {
  readonly #options: LeaderLearnersOptions;
  readonly #learners = new Map<LearnerId, LearnerHandler>();
  readonly #throttle: SyncThrottle;
  readonly #listeners: Listener[] = [];
  #learnerCount = 0;
  #isClosed = false;

  constructor(options: LeaderLearnersOptions) {
    const { config, figures } = options.host;
    this.#options = options;
    this.#throttle = new SyncThrottle(config, figures.metrics.quorum);
  }

  /** By connection, in the order in which they came. */
  get all(): ReadonlyMap<LearnerId, LearnerHandler> {
    return this.#learners;
  }

  /** Rejects with NetworkError. */
  async listen(): Promise<void> {
    const { memberships, self, config, network } = this.#options.host;
    const accept = (connection: Connection): ConnectionHandler => this.#accept(connection);
    const addresses = peerAddresses(memberships.current.servers.get(self));
    for (const at of listenAddresses(addresses, config.quorumListenOnAllIps)) {
      this.#listeners.push(await network.listen(at, accept));
    }
    if (this.#isClosed) await this.#stopListening();
  }

  /** Takes nobody in any more. */
  refuse(): void {
    this.#isClosed = true;
  }

  async close(): Promise<void> {
    this.refuse();
    for (const learner of this.#learners.values()) learner.close();
    await this.#stopListening();
  }

  async #stopListening(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.close()));
  }

  dropOverdue(nowMs: number): void {
    for (const learner of [...this.#learners.values()]) {
      const reason = learner.overdue(nowMs);
      if (reason !== undefined) learner.close(reason);
    }
  }

  presence(nowMs: number): Presence {
    const heard = [...this.#learners.values()].filter((learner) => learner.isHeard(nowMs));
    return {
      heard: heard.map(({ id, server }) => ({ learner: id, server })),
      verifiers: this.#options.host.memberships.verifiers,
    };
  }

  /**
   * What the learner lacks, in its order: history, what is proposed and not committed; what is to come goes behind it. False: it is
   * gone, or has to come again.
   */
  synchronise(id: LearnerId, lastZxid: Zxid): boolean {
    const learner = this.#learners.get(id);
    if (learner === undefined) return false;
    const { host, agreement } = this.#options;
    const { database, config, log, figures, runtime } = host;
    figures.metrics.quorum.learnerJoined(learner.server);
    const isBegun = synchronise(learner, lastZxid, {
      database,
      forceSnapshot: config.forceSnapshotSync,
      throttle: this.#throttle,
      planned: (plan) => log.info('synchronising a learner', { server: learner.server, ...describe(plan) }),
    });
    if (!isBegun) return false;
    const { server, isObserver } = learner;
    agreement()?.step({ kind: 'join', learner: id, server, isObserver });
    learner.forward();
    agreement()?.step({ kind: 'heard', presence: this.presence(runtime.clock.monotonicMs()) });
    return true;
  }

  #accept(connection: Connection): ConnectionHandler {
    this.#learnerCount += 1;
    const learner = learnerHandler(this.#options.host, { id: this.#learnerCount, connection, events: this });
    if (this.#isClosed) learner.close();
    else this.#learners.set(learner.id, learner);
    return learner.link;
  }

  // ---------------------------------------------------------------- what they say

  informed(learner: LearnerHandler, { server, configVersion }: LearnerInfo, acceptedEpoch: number): boolean {
    const { memberships, log } = this.#options.host;
    const { current } = memberships;
    if (configVersion > current.version) {
      log.warn('a learner knows a newer membership than we', { server });
      return false;
    }
    const isMember = current.servers.has(server);
    log.info('a learner has come', { server, role: learner.role, acceptedEpoch, isMember });
    this.#options.step({ kind: 'informed', learner: learner.id, server, acceptedEpoch });
    return true;
  }

  promised(learner: LearnerHandler, history: HistorySummary): void {
    this.#options.step({ kind: 'promised', learner: learner.id, server: learner.server, history });
  }

  synchronised(learner: LearnerHandler, zxid: Zxid): void {
    this.#options.step({ kind: 'synchronised', learner: learner.id, server: learner.server, zxid });
  }

  acknowledged(learner: LearnerHandler, zxid: Zxid): void {
    this.#options.agreement()?.acknowledge(zxid, learner.server, learner.id);
  }

  touched(touches: Parameters<LearnerEvents['touched']>[0]): void {
    this.#options.role()?.touched(touches);
  }

  revalidate(learner: LearnerHandler, touch: Parameters<LearnerEvents['revalidate']>[1]): void {
    this.#options.host.figures.metrics.quorum.revalidateCount.add();
    learner.answerRevalidation(touch.sessionId, this.#options.role()?.revalidateFor(learner, touch) ?? false);
  }

  requested(learner: LearnerHandler, packet: Parameters<LearnerEvents['requested']>[1]): void {
    this.#options.role()?.requested(learner, packet);
  }

  closed(learner: LearnerHandler): void {
    this.#learners.delete(learner.id);
    // Nobody waits for it.
    this.#options.host.figures.metrics.quorum.socketClosingTime.add(0);
    this.#options.gone(learner.id);
    this.#options.agreement()?.step({ kind: 'gone', learner: learner.id });
  }
}
