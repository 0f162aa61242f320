import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { Connection, NetworkError } from '../../runtime/network.ts';
import { MalformedError } from '../../wire/errors.ts';
import { epochOf, makeZxid, type SessionId, type Zxid } from '../jute/ids.ts';
import type { HistorySummary, LearnerId } from '../quorum/leader-start.ts';
import { LearnerPatience } from '../quorum/learner-patience.ts';
import {
  type LearnerInfo,
  readAckEpoch,
  readLearnerInfo,
  readRevalidation,
  readTouches,
  type SessionTouch,
  writeLeaderInfo,
  writeRevalidationAnswer,
} from '../quorum/packet-data.ts';
import { PeerLink } from '../quorum/peer-link.ts';
import type { AuthExchange } from '../quorum/quorum-auth.ts';
import { PacketType, type QuorumPacket } from '../quorum/quorum-packet.ts';
import type { ServerId } from '../quorum/quorum-verifier.ts';
import type { ObserverFacts } from '../server/ensemble-view.ts';
import type { PendingRequest, Requester } from '../server/pending-request.ts';
import type { TermHost } from './term.ts';

/** What a learner tells its leader. */
export interface LearnerEvents {
  /** FOLLOWERINFO or OBSERVERINFO: `server` and `role` are known. False: it is not taken. */
  informed(learner: LearnerHandler, info: LearnerInfo, acceptedEpoch: number): boolean;
  promised(learner: LearnerHandler, history: HistorySummary): void;
  /** The ACK of NEWLEADER. */
  synchronised(learner: LearnerHandler, zxid: Zxid): void;
  acknowledged(learner: LearnerHandler, zxid: Zxid): void;
  touched(touches: readonly SessionTouch[]): void;
  revalidate(learner: LearnerHandler, touch: SessionTouch): void;
  /** A client of the learner asks. */
  requested(learner: LearnerHandler, packet: QuorumPacket): void;
  closed(learner: LearnerHandler): void;
}

export interface LearnerHandlerOptions {
  readonly id: LearnerId;
  readonly clock: Clock;
  readonly log: Log;
  readonly sizeMax: number;
  readonly connection: Connection;
  /** What the learner has to pass first, if anything. */
  readonly exchange: AuthExchange | undefined;
  /** Patience until the learner has our history, and after that, in milliseconds. */
  readonly initLimitMs: number;
  readonly syncLimitMs: number;
  readonly events: LearnerEvents;
}

/** For a connection to one of this member's ports. */
export function learnerHandler(
  { runtime, log, auth, config }: Pick<TermHost, 'runtime' | 'log' | 'auth' | 'config'>,
  { id, connection, events }: Pick<LearnerHandlerOptions, 'id' | 'connection' | 'events'>,
): LearnerHandler {
  return new LearnerHandler({
    ...{ id, connection, events, log },
    clock: runtime.clock,
    sizeMax: config.juteMaxBuffer + config.juteMaxBufferExtra,
    exchange: auth?.accepting(connection),
    initLimitMs: config.initLimitTicks * config.tickTimeMs,
    syncLimitMs: config.syncLimitTicks * config.tickTimeMs,
  });
}

type Stage = 'connected' | 'informed' | 'promised' | 'synchronising' | 'synchronised';

/**
 * A learner as its leader sees it (LearnerHandler): one connection, and where in the protocol it is. It owns the sessions of the
 * learner's clients.
 */
export class LearnerHandler implements Requester {
  readonly id: LearnerId;
  readonly link: PeerLink;
  readonly #options: LearnerHandlerOptions;
  readonly #patience: LearnerPatience;
  #stage: Stage = 'connected';
  #server: ServerId = -1;
  #role: 'participant' | 'observer' = 'participant';
  #protocolVersion = 0;
  /** Live traffic goes to it. */
  #isForwarded = false;
  #onGone: (() => void) | undefined;
  /** While it is brought up to date. */
  #syncOver: (() => void) | undefined;
  // For operators.
  readonly #establishedMs: number;
  #packetsReceived = 0;
  #packetsSent = 0;
  #requests = 0;
  #lastZxid = -1n as Zxid;

  constructor(options: LearnerHandlerOptions) {
    const { id, clock, sizeMax, connection, exchange, initLimitMs, syncLimitMs } = options;
    this.id = id;
    this.#options = options;
    this.#establishedMs = clock.wallMs();
    this.#patience = new LearnerPatience({ initLimitMs, syncLimitMs, nowMs: clock.monotonicMs() });
    this.link = new PeerLink({
      clock,
      sizeMax,
      events: {
        received: (packet) => this.#received(packet),
        faulty: (error) => this.#warn('closing a learner after a bad packet', error.message),
        closed: (reason) => this.#closed(reason),
      },
    });
    this.link.attach(connection, exchange);
  }

  get server(): ServerId {
    return this.#server;
  }

  get role(): 'participant' | 'observer' {
    return this.#role;
  }

  get isObserver(): boolean {
    return this.#role === 'observer';
  }

  /** 0x10000 since Zab 1.0; older ones acknowledge no epoch. */
  get protocolVersion(): number {
    return this.#protocolVersion;
  }

  /** Live traffic goes to it, behind what it needs first. */
  get isForwarded(): boolean {
    return this.#isForwarded;
  }

  forward(): void {
    this.#isForwarded = true;
  }

  /** To be called when the connection is gone: what is being sent may be let go. */
  onGone(act: () => void): void {
    this.#onGone = act;
  }

  /** @param over to be called when it has our history, or is gone before */
  synchronising(over: () => void): void {
    this.#stage = 'synchronising';
    this.#syncOver = over;
  }

  /** Whether it was heard lately: a leader without a quorum of such ones leads no more. */
  isHeard(nowMs: number): boolean {
    return !this.link.isClosed && this.#patience.isHeard(nowMs);
  }

  /** What it is silent about for too long; undefined if nothing. */
  overdue(nowMs: number): string | undefined {
    return this.#patience.overdue(nowMs);
  }

  /** A proposal was sent. */
  proposed(zxid: Zxid): void {
    if (!this.isObserver) this.#patience.proposed(zxid, this.#options.clock.monotonicMs());
  }

  send(type: number, zxid: Zxid, data: Uint8Array | null = null): void {
    this.link.send({ type, zxid, data, authinfo: null });
    this.#sent(zxid);
  }

  /** A packet by `encodePacket`, for many learners. */
  sendPrepared(zxid: Zxid, packet: Uint8Array): void {
    this.link.sendPrepared(packet);
    this.#sent(zxid);
  }

  #sent(zxid: Zxid): void {
    this.#packetsSent += 1;
    if (zxid > 0n) this.#lastZxid = zxid;
  }

  /** For operators. */
  get facts(): ObserverFacts {
    return {
      remote: this.#options.connection.remote,
      server: this.#server,
      establishedMs: this.#establishedMs,
      unsentBytes: this.link.unsentBytes,
      packetsReceived: this.#packetsReceived,
      packetsSent: this.#packetsSent,
      requests: this.#requests,
      lastZxid: this.#lastZxid,
    };
  }

  /** `orst` */
  resetFacts(): void {
    this.#packetsReceived = 0;
    this.#packetsSent = 0;
    this.#requests = 0;
    this.#lastZxid = -1n as Zxid;
  }

  tellEpoch(epoch: number): void {
    this.send(PacketType.LEADERINFO, makeZxid(epoch, 0), writeLeaderInfo());
  }

  ping(lastProposed: Zxid): void {
    if (this.#isForwarded) this.send(PacketType.PING, lastProposed);
  }

  answerRevalidation(sessionId: SessionId, isValid: boolean): void {
    this.send(PacketType.REVALIDATE, -1n as Zxid, writeRevalidationAnswer({ sessionId, isValid }));
  }

  /** A sync has come to its place in the order; all else the learner hears of as a proposal. */
  completed(_request: PendingRequest, result: unknown): void {
    if (result === undefined) this.send(PacketType.SYNC, 0n as Zxid);
  }

  close(reason?: string): void {
    if (reason !== undefined && !this.link.isClosed) this.#warn('closing a learner', reason);
    this.link.close();
  }

  #received(packet: QuorumPacket): void {
    this.#patience.heard(this.#options.clock.monotonicMs());
    switch (this.#stage) {
      case 'connected':
        this.#inform(packet);
        break;
      case 'informed':
        this.#promise(packet);
        break;
      case 'synchronising':
        this.#acknowledgeHistory(packet);
        break;
      case 'synchronised':
        this.#live(packet);
        break;
      default:
        throw new MalformedError(`packet ${packet.type} is not awaited`);
    }
  }

  #inform({ type, zxid, data }: QuorumPacket): void {
    if (type !== PacketType.FOLLOWERINFO && type !== PacketType.OBSERVERINFO) {
      throw new MalformedError(`packet ${type} is neither FOLLOWERINFO nor OBSERVERINFO`);
    }
    const info = readLearnerInfo(data);
    this.#server = info.server;
    this.#role = type === PacketType.OBSERVERINFO ? 'observer' : 'participant';
    this.#protocolVersion = info.protocolVersion;
    this.#stage = 'informed';
    if (!this.#options.events.informed(this, info, epochOf(zxid))) this.close();
  }

  #promise({ type, zxid, data }: QuorumPacket): void {
    if (type !== PacketType.ACKEPOCH) throw new MalformedError(`packet ${type} in place of ACKEPOCH`);
    this.#stage = 'promised';
    this.#options.events.promised(this, { currentEpoch: readAckEpoch(data), lastZxid: zxid });
  }

  #acknowledgeHistory({ type, zxid }: QuorumPacket): void {
    if (type !== PacketType.ACK) throw new MalformedError(`packet ${type} in place of the ACK of NEWLEADER`);
    this.#stage = 'synchronised';
    this.#syncOver?.();
    this.#patience.synchronised();
    this.#options.events.synchronised(this, zxid);
  }

  #live(packet: QuorumPacket): void {
    const { events } = this.#options;
    this.#packetsReceived += 1;
    switch (packet.type) {
      case PacketType.ACK:
        this.#patience.acknowledged(packet.zxid);
        if (!this.isObserver) events.acknowledged(this, packet.zxid);
        break;
      case PacketType.PING:
        events.touched(readTouches(packet.data));
        break;
      case PacketType.REVALIDATE:
        events.revalidate(this, readRevalidation(packet.data));
        break;
      case PacketType.REQUEST:
        this.#requests += 1;
        events.requested(this, packet);
        break;
      default:
        this.#warn('a learner sends what is not known', `packet ${packet.type}`);
    }
  }

  #closed(reason: NetworkError | undefined): void {
    if (reason !== undefined) this.#warn('a learner is gone', reason.message);
    this.#onGone?.();
    this.#syncOver?.();
    this.#options.events.closed(this);
  }

  #warn(message: string, reason: string): void {
    this.#options.log.warn(message, { server: this.#server, reason });
  }
}
