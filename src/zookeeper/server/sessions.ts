import type { Clock, Timer } from '../../runtime/clock.ts';
import type { SessionId } from '../jute/ids.ts';

/**
 * Who knows a session: all servers, by its transaction; this server alone (`localSessionsEnabled`); or, on a leader, the learner
 * alone whose client asks for something.
 */
export type SessionScope = 'global' | 'local' | 'foreign';

/** A session that the server knows, with or without a connection. */
export interface Session {
  readonly id: SessionId;
  scope: SessionScope;
  timeoutMs: number;
  /** End of its expiry bucket, monotonic; -1 while it is in none. */
  deadlineMs: number;
  /** Its closeSession is under way: it can be neither touched nor resumed. */
  closing: boolean;
  /** Whose requests it takes; a resumed session has a new one (compared by identity). */
  owner: object | undefined;
}

export interface SessionsOptions {
  readonly clock: Clock;
  readonly tickTimeMs: number;
  /** A session's time is over; it is closing from now on. */
  readonly onExpired: (session: Session) => void;
  /** Whether we kept the session's requests waiting ourselves: its silence is our doing. */
  readonly isHeldBack: (session: Session) => boolean;
  /** Another server judges global sessions, and has to hear of touches; undefined where they are judged here. */
  readonly onTouched?: ((session: Session) => void) | undefined;
}

/**
 * The sessions and their deadlines (SessionTrackerImpl, ExpiryQueue). Deadlines are rounded up to ticks, so that a touch mostly
 * changes nothing, and all sessions of a tick expire together.
 */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #byId = new Map<SessionId, Session>();
  readonly #buckets = new Map<number, Set<Session>>();
  #localCount = 0;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#byId.size;
  }

  get localCount(): number {
    return this.#localCount;
  }

  get(id: SessionId): Session | undefined {
    return this.#byId.get(id);
  }

  [Symbol.iterator](): IterableIterator<Session> {
    return this.#byId.values();
  }

  /** Those that are judged here, by deadline, for `dump`. */
  get buckets(): ReadonlyMap<number, ReadonlySet<Session>> {
    return this.#buckets;
  }

  /** Begins to judge deadlines. */
  start(): void {
    this.#armTick();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  /** A new session, or one that recovery found, with a full timeout from now. */
  add(id: SessionId, timeoutMs: number, scope: 'global' | 'local' = 'global'): Session {
    let session = this.#byId.get(id);
    if (session === undefined) {
      session = { id, scope, timeoutMs, deadlineMs: -1, closing: false, owner: undefined };
      this.#byId.set(id, session);
      if (scope === 'local') this.#localCount += 1;
    }
    session.timeoutMs = timeoutMs;
    this.#schedule(session, this.#options.clock.monotonicMs());
    return session;
  }

  /** Its client is back and agreed on a timeout with us; undefined for one that is over, or will be. */
  resume(id: SessionId, timeoutMs: number): Session | undefined {
    const session = this.#byId.get(id);
    if (session === undefined || session.closing) return undefined;
    session.timeoutMs = timeoutMs;
    this.touch(session, this.#options.clock.monotonicMs());
    return session;
  }

  /** Gives the full timeout again; false for a session that is closing. */
  touch(session: Session, nowMs: number): boolean {
    if (session.closing) return false;
    if (!this.#isJudgedHere(session)) this.#options.onTouched?.(session);
    this.#schedule(session, nowMs);
    return true;
  }

  /** All servers are about to know it. */
  makeGlobal(session: Session): void {
    this.#unschedule(session);
    session.scope = 'global';
    this.#localCount -= 1;
    this.touch(session, this.#options.clock.monotonicMs());
  }

  /** Other servers have heard of the clients of these; those that are not known are passed over. */
  touchAll(ids: Iterable<SessionId>): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const id of ids) {
      const session = this.#byId.get(id);
      if (session !== undefined) this.touch(session, nowMs);
    }
  }

  /** No touch saves it any more; it stays known until its transaction is applied. */
  markClosing(session: Session): void {
    session.closing = true;
    this.#unschedule(session);
  }

  remove(id: SessionId): Session | undefined {
    const session = this.#byId.get(id);
    if (session === undefined) return undefined;
    session.closing = true;
    if (session.scope === 'local') this.#localCount -= 1;
    this.#byId.delete(id);
    this.#unschedule(session);
    return session;
  }

  #isJudgedHere({ scope }: Session): boolean {
    return scope === 'local' || this.#options.onTouched === undefined;
  }

  #schedule(session: Session, nowMs: number): void {
    if (!this.#isJudgedHere(session)) return;
    const tick = this.#options.tickTimeMs;
    const deadlineMs = (Math.floor((nowMs + session.timeoutMs) / tick) + 1) * tick;
    if (deadlineMs === session.deadlineMs) return;
    this.#unschedule(session);
    session.deadlineMs = deadlineMs;
    const bucket = this.#buckets.get(deadlineMs);
    if (bucket === undefined) this.#buckets.set(deadlineMs, new Set([session]));
    else bucket.add(session);
  }

  #unschedule(session: Session): void {
    if (session.deadlineMs < 0) return;
    const bucket = this.#buckets.get(session.deadlineMs);
    bucket?.delete(session);
    if (bucket?.size === 0) this.#buckets.delete(session.deadlineMs);
    session.deadlineMs = -1;
  }

  #armTick(): void {
    const { clock, tickTimeMs } = this.#options;
    const nowMs = clock.monotonicMs();
    const nextMs = (Math.floor(nowMs / tickTimeMs) + 1) * tickTimeMs;
    this.#timer = clock.after(nextMs - nowMs, () => {
      const judgedMs = clock.monotonicMs();
      // We may have stalled, and the pings of sessions that look expired may wait in the kernel: serve them first.
      clock.afterPoll(() => this.#expire(judgedMs));
      this.#armTick();
    });
  }

  #expire(judgedMs: number): void {
    if (this.#isClosed) return;
    for (const [deadlineMs, bucket] of [...this.#buckets]) {
      if (deadlineMs > judgedMs) continue;
      for (const session of [...bucket]) {
        if (this.#options.isHeldBack(session)) {
          this.touch(session, judgedMs);
          continue;
        }
        this.markClosing(session);
        this.#options.onExpired(session);
      }
    }
  }
}
