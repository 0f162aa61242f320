import type { Clock } from '../../runtime/clock.ts';
import { below, type Random } from '../../runtime/random.ts';
import { ErrorCode } from '../protocol/errors.ts';

/**
 * Fetch sessions (KIP-227): the broker remembers what a consumer fetches, so that a request names only what changed and an
 * answer only what is new.
 *
 *   (0, -1)  no session                      (id, n)   the n-th request of a session: changes only
 *   (0, 0)   a full request, opens a session (id, -1)  a full request, closes the session
 */
export interface FetchTarget {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  readonly fetchOffset: number;
  readonly partitionMaxBytes: number;
  /** -1 unknown. */
  readonly currentLeaderEpoch: number;
  readonly lastFetchedEpoch: number;
}

/** What the client was last told of a partition: only differences are told again. */
interface Remembered {
  target: FetchTarget;
  highWatermark: number;
  lastStableOffset: number;
  logStartOffset: number;
}

export interface FetchedFacts {
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  readonly recordBytes: number;
}

const FINAL_EPOCH = -1;
const INITIAL_EPOCH = 0;
/** Sessions idle for longer may be evicted for new ones (`FetchSessionCache`). */
const EVICTABLE_AFTER_MS = 120_000;
const SESSION_ID_MAX = 0x7fffffff;

export class FetchSession {
  readonly id: number;
  readonly usesTopicIds: boolean;
  epoch = 1;
  lastUsedMs: number;
  readonly #partitions = new Map<string, Remembered>();

  constructor(id: number, usesTopicIds: boolean, nowMs: number) {
    this.id = id;
    this.usesTopicIds = usesTopicIds;
    this.lastUsedMs = nowMs;
  }

  get size(): number {
    return this.#partitions.size;
  }

  *targets(): Generator<FetchTarget> {
    for (const { target } of this.#partitions.values()) yield target;
  }

  update(target: FetchTarget): void {
    const key = keyOf(target);
    const known = this.#partitions.get(key);
    if (known !== undefined) known.target = target;
    else this.#partitions.set(key, { target, highWatermark: -1, lastStableOffset: -1, logStartOffset: -1 });
  }

  forget(topic: string, topicId: string, partition: number): void {
    this.#partitions.delete(keyOf({ topic, topicId, partition }));
  }

  /** Whether the client must be told, now that this was found. */
  isNews(target: FetchTarget, facts: FetchedFacts): boolean {
    const known = this.#partitions.get(keyOf(target));
    return (
      known === undefined ||
      facts.recordBytes > 0 ||
      facts.errorCode !== ErrorCode.NONE ||
      known.highWatermark !== facts.highWatermark ||
      known.lastStableOffset !== facts.lastStableOffset ||
      known.logStartOffset !== facts.logStartOffset
    );
  }

  /** As `isNews`; remembers that the client was told. */
  tell(target: FetchTarget, facts: FetchedFacts): boolean {
    const isNews = this.isNews(target, facts);
    const known = this.#partitions.get(keyOf(target));
    if (known === undefined) return true;
    // An error is told every time until it is gone.
    known.highWatermark = facts.errorCode === ErrorCode.NONE ? facts.highWatermark : -1;
    known.lastStableOffset = facts.lastStableOffset;
    known.logStartOffset = facts.logStartOffset;
    return isNews;
  }

  /** Who got records goes to the back, so that busy partitions do not starve the others. */
  moveToEnd(target: FetchTarget): void {
    const key = keyOf(target);
    const known = this.#partitions.get(key);
    if (known === undefined) return;
    this.#partitions.delete(key);
    this.#partitions.set(key, known);
  }
}

function keyOf({ topic, topicId, partition }: { topic: string; topicId: string; partition: number }): string {
  return `${topic === '' ? topicId : topic}/${partition}`;
}

export interface SessionRequest {
  readonly sessionId: number;
  readonly sessionEpoch: number;
  readonly usesTopicIds: boolean;
  readonly targets: readonly FetchTarget[];
  readonly forgotten: readonly { readonly topic: string; readonly topicId: string; readonly partition: number }[];
}

/** What a request fetches, and in which session its answer counts. */
export type SessionOutcome =
  | { readonly kind: 'full'; readonly targets: readonly FetchTarget[]; readonly session: FetchSession | undefined }
  | {
      readonly kind: 'incremental';
      readonly targets: readonly FetchTarget[];
      readonly session: FetchSession | undefined;
    }
  | { readonly kind: 'error'; readonly errorCode: number };

export class FetchSessions {
  readonly #sessions = new Map<number, FetchSession>();
  readonly #slots: number;
  readonly #clock: Clock;
  readonly #random: Random;

  /** @param slots `max.incremental.fetch.session.cache.slots` */
  constructor(slots: number, clock: Clock, random: Random) {
    this.#slots = slots;
    this.#clock = clock;
    this.#random = random;
  }

  get size(): number {
    return this.#sessions.size;
  }

  resolve(request: SessionRequest): SessionOutcome {
    const { sessionId, sessionEpoch } = request;
    if (sessionEpoch === FINAL_EPOCH || sessionEpoch === INITIAL_EPOCH) {
      this.#sessions.delete(sessionId);
      const session = sessionEpoch === INITIAL_EPOCH ? this.#open(request) : undefined;
      return { kind: 'full', targets: request.targets, session };
    }
    return this.#continue(request);
  }

  /** The client was not told of it. */
  drop(session: FetchSession): void {
    this.#sessions.delete(session.id);
  }

  #continue(request: SessionRequest): SessionOutcome {
    const session = this.#sessions.get(request.sessionId);
    if (session === undefined) return { kind: 'error', errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND };
    if (session.epoch !== request.sessionEpoch)
      return { kind: 'error', errorCode: ErrorCode.INVALID_FETCH_SESSION_EPOCH };
    if (session.usesTopicIds !== request.usesTopicIds) {
      return { kind: 'error', errorCode: ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR };
    }
    for (const target of request.targets) session.update(target);
    for (const { topic, topicId, partition } of request.forgotten) session.forget(topic, topicId, partition);
    session.epoch = session.epoch === SESSION_ID_MAX ? 1 : session.epoch + 1;
    session.lastUsedMs = this.#clock.monotonicMs();
    if (session.size > 0) return { kind: 'incremental', targets: [...session.targets()], session };
    this.#sessions.delete(session.id);
    return { kind: 'incremental', targets: [], session: undefined };
  }

  /** A new session, undefined when the cache is full of live ones: the client then goes on without. */
  #open({ targets, usesTopicIds }: SessionRequest): FetchSession | undefined {
    if (targets.length === 0 || !this.#makeRoom()) return undefined;
    let id = 0;
    while (id === 0 || this.#sessions.has(id)) id = 1 + below(this.#random, SESSION_ID_MAX);
    const session = new FetchSession(id, usesTopicIds, this.#clock.monotonicMs());
    for (const target of targets) session.update(target);
    this.#sessions.set(id, session);
    return session;
  }

  #makeRoom(): boolean {
    if (this.#sessions.size < this.#slots) return true;
    let oldest: FetchSession | undefined;
    for (const session of this.#sessions.values()) {
      if (oldest === undefined || session.lastUsedMs < oldest.lastUsedMs) oldest = session;
    }
    if (oldest === undefined || this.#clock.monotonicMs() - oldest.lastUsedMs < EVICTABLE_AFTER_MS) return false;
    this.#sessions.delete(oldest.id);
    return true;
  }
}
