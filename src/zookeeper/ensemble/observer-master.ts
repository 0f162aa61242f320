import type { Timer } from '../../runtime/clock.ts';
import type { Connection, ConnectionHandler, Listener } from '../../runtime/network.ts';
import { epochOf, makeZxid, type Zxid } from '../jute/ids.ts';
import type { CommittedProposal } from '../persistence/recovery.ts';
import { informPacket } from '../quorum/commit-packets.ts';
import type { HistorySummary, LearnerId } from '../quorum/leader-start.ts';
import type { LearnerInfo, SessionTouch } from '../quorum/packet-data.ts';
import { encodePacket, PacketType, type QuorumPacket } from '../quorum/quorum-packet.ts';
import type { ServerId } from '../quorum/quorum-verifier.ts';
import { atPort, listenAddresses } from '../quorum/server-addresses.ts';
import { type LearnerEvents, type LearnerHandler, learnerHandler } from './learner-handler.ts';
import type { LearnerRole } from './learner-role.ts';
import { describe, synchronise } from './learner-sync.ts';
import { SyncThrottle } from './sync-throttle.ts';
import type { TermHost } from './term.ts';

export interface ObserverMasterOptions {
  readonly host: TermHost;
  /** `observerMasterPort` */
  readonly port: number;
  /** Of the leader that we follow. */
  readonly epoch: number;
  readonly role: LearnerRole;
}

/**
 * The observers under a follower (ObserverMaster): it brings them to its own history and tells them what is committed, as the leader
 * would, and hands what they ask for on to the leader. Nothing is kept for observers that come back: what this server has committed
 * and not applied yet is with its role, and all before that in its database.
 */
export class ObserverMaster implements LearnerEvents {
  readonly #options: ObserverMasterOptions;
  readonly #throttle: SyncThrottle;
  readonly #observers = new Map<LearnerId, LearnerHandler>();
  #observerCount = 0;
  readonly #listeners: Listener[] = [];
  #timer: Timer | undefined;
  #lastInformed: Zxid;
  #isClosed = false;

  constructor(options: ObserverMasterOptions) {
    this.#options = options;
    this.#throttle = new SyncThrottle(options.host.config, options.host.figures.metrics.quorum);
    this.#lastInformed = options.host.database.lastZxid;
    options.role.onCommitted = (proposal, designatedLeader) => this.#committed(proposal, designatedLeader);
  }

  /** Those that have come, wherever they are in the protocol. */
  get observers(): Iterable<LearnerHandler> {
    return this.#observers.values();
  }

  /** Rejects with NetworkError. */
  async start(): Promise<void> {
    const { host, port } = this.#options;
    const { memberships, self, config, network } = host;
    const addresses = atPort(memberships.current.servers.get(self), port);
    for (const at of listenAddresses(addresses, config.quorumListenOnAllIps)) {
      if (this.#isClosed) return;
      this.#listeners.push(await network.listen(at, (connection) => this.#accept(connection)));
    }
    if (this.#isClosed) await this.#stopListening();
    else this.#armTick();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#options.role.onCommitted = undefined;
    this.#timer?.cancel();
    for (const observer of this.#observers.values()) observer.close();
    await this.#stopListening();
  }

  async #stopListening(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.close()));
  }

  #accept(connection: Connection): ConnectionHandler {
    this.#observerCount += 1;
    const observer = learnerHandler(this.#options.host, { id: this.#observerCount, connection, events: this });
    if (this.#isClosed) observer.close();
    else this.#observers.set(observer.id, observer);
    return observer.link;
  }

  // ---------------------------------------------------------------- from observers

  informed(observer: LearnerHandler, { server, configVersion }: LearnerInfo): boolean {
    const { memberships, log } = this.#options.host;
    if (!observer.isObserver || configVersion > memberships.current.version) {
      const reason = observer.isObserver ? 'it knows a newer membership' : 'it is no observer';
      log.warn('a learner is not taken in by a follower', { server, reason });
      return false;
    }
    log.info('an observer has come', { server });
    observer.tellEpoch(this.#options.epoch);
    return true;
  }

  promised(observer: LearnerHandler, { lastZxid }: HistorySummary): void {
    const { host, role, epoch } = this.#options;
    const { database, config, memberships, log } = host;
    if (epochOf(lastZxid) === epoch && lastZxid > database.lastZxid) {
      // It was told by another one, and shall not forget what we are about to hear of; Apache's follower has it truncate its log.
      observer.close('the observer is ahead of us');
      return;
    }
    const isBegun = synchronise(observer, lastZxid, {
      database,
      forceSnapshot: config.forceSnapshotSync,
      throttle: this.#throttle,
      planned: (plan) => log.info('synchronising an observer', { server: observer.server, ...describe(plan) }),
    });
    if (!isBegun) return;
    host.figures.metrics.quorum.learnerJoined(observer.server);
    for (const { zxid, bytes } of role.agreed) observer.send(PacketType.INFORM, zxid, bytes);
    observer.forward();
    observer.send(PacketType.NEWLEADER, makeZxid(epoch, 0), Buffer.from(memberships.current.text));
  }

  synchronised(observer: LearnerHandler): void {
    observer.send(PacketType.UPTODATE, -1n as Zxid);
  }

  acknowledged(): void {
    // observers have nothing to agree on
  }

  touched(touches: readonly SessionTouch[]): void {
    this.#options.role.touched(touches);
  }

  revalidate(observer: LearnerHandler, touch: SessionTouch): void {
    this.#options.host.figures.metrics.quorum.revalidateCount.add();
    this.#options.role.ask(touch, (isValid) => observer.answerRevalidation(touch.sessionId, isValid));
  }

  requested(observer: LearnerHandler, packet: QuorumPacket): void {
    this.#options.role.forward(packet, () => observer.send(PacketType.SYNC, 0n as Zxid));
  }

  closed(observer: LearnerHandler): void {
    this.#options.host.figures.metrics.quorum.socketClosingTime.add(0);
    this.#observers.delete(observer.id);
  }

  // ---------------------------------------------------------------- to observers

  #committed({ zxid, bytes }: CommittedProposal, designatedLeader: ServerId | undefined): void {
    this.#lastInformed = zxid;
    let packet: Uint8Array | undefined;
    for (const observer of this.#observers.values()) {
      if (!observer.isForwarded) continue;
      packet ??= encodePacket(informPacket(zxid, bytes, designatedLeader));
      observer.sendPrepared(zxid, packet);
    }
  }

  /** As the leader does, twice a tick. */
  #armTick(): void {
    const { runtime, config } = this.#options.host;
    const { clock } = runtime;
    this.#timer = clock.after(config.tickTimeMs / 2, () => {
      const nowMs = clock.monotonicMs();
      clock.afterPoll(() => this.#tick(nowMs));
      this.#armTick();
    });
  }

  #tick(nowMs: number): void {
    if (this.#isClosed) return;
    for (const observer of [...this.#observers.values()]) {
      const reason = observer.overdue(nowMs);
      if (reason === undefined) observer.ping(this.#lastInformed);
      else observer.close(reason);
    }
  }
}
