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
  /** Of a topic that goes by its id: the name that this stood for when the session first knew it; a deleted topic keeps it. */
  readonly name?: string | undefined;
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
  logStartOffset: number;
}

export interface FetchedFacts {
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly logStartOffset: number;
  readonly recordBytes: number;
}

/** What a full request was answered: a session begins with it. */
export interface FetchedPartition {
  readonly target: FetchTarget;
  readonly facts: FetchedFacts;
}

const FINAL_EPOCH = -1;
const INITIAL_EPOCH = 0;
/** Sessions idle for longer may be evicted for new ones, and those older than this for larger ones (`FetchSessionCache`). */
const EVICTABLE_AFTER_MS = 120_000;
const SESSION_ID_MAX = 0x7fffffff;

export class FetchSession {
  readonly id: number;
  readonly usesTopicIds: boolean;
  readonly createdMs: number;
  epoch = 1;
  lastUsedMs: number;
  readonly #partitions = new Map<string, Remembered>();

  constructor(id: number, usesTopicIds: boolean, nowMs: number) {
    this.id = id;
    this.usesTopicIds = usesTopicIds;
    this.createdMs = nowMs;
    this.lastUsedMs = nowMs;
  }

  get size(): number {
    return this.#partitions.size;
  }

  /** Whether a larger session may take its place: it has lived long enough to have paid for itself. */
  get yieldsToLarger(): boolean {
    return this.lastUsedMs - this.createdMs > EVICTABLE_AFTER_MS;
  }

  *targets(nameOf?: NameOf): Generator<FetchTarget> {
    for (const remembered of this.#partitions.values()) {
      remembered.target = named(remembered.target, nameOf);
      yield remembered.target;
    }
  }

  add({ target, facts: { highWatermark, logStartOffset } }: FetchedPartition): void {
    this.#partitions.set(keyOf(target), { target, highWatermark, logStartOffset });
  }

  update(target: FetchTarget): void {
    const key = keyOf(target);
    const known = this.#partitions.get(key);
    if (known !== undefined) known.target = withName(target, known.target.name);
    else this.#partitions.set(key, { target, highWatermark: -1, logStartOffset: -1 });
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
      known.logStartOffset !== facts.logStartOffset
    );
  }

  /**
   * As `isNews`; remembers that the client was told. Who got records goes to the back, so that busy partitions do not starve the
   * others.
   */
  tell(target: FetchTarget, facts: FetchedFacts): boolean {
    const isNews = this.isNews(target, facts);
    const key = keyOf(target);
    const known = this.#partitions.get(key);
    if (known === undefined) return true;
    // An error is told every time until it is gone, and then that it is.
    known.highWatermark = facts.errorCode === ErrorCode.NONE ? facts.highWatermark : -1;
    known.logStartOffset = facts.logStartOffset;
    if (facts.recordBytes > 0) {
      this.#partitions.delete(key);
      this.#partitions.set(key, known);
    }
    return isNews;
  }
}

function keyOf({ topic, topicId, partition }: { topic: string; topicId: string; partition: number }): string {
  return `${topic === '' ? topicId : topic}/${partition}`;
}

type NameOf = (topicId: string) => string | undefined;

function named(target: FetchTarget, nameOf: NameOf | undefined): FetchTarget {
  return nameOf === undefined || target.name !== undefined ? target : withName(target, nameOf(target.topicId));
}

function withName(target: FetchTarget, name: string | undefined): FetchTarget {
  return name === undefined ? target : { ...target, name };
}

export interface SessionRequest {
  readonly sessionId: number;
  readonly sessionEpoch: number;
  readonly usesTopicIds: boolean;
  /** Which topic an id stands for now; left out where topics go by name. */
  readonly nameOf?: NameOf | undefined;
  readonly targets: readonly FetchTarget[];
  readonly forgotten: readonly { readonly topic: string; readonly topicId: string; readonly partition: number }[];
}

/** What a request fetches, and in which session its answer counts. */
export type SessionOutcome =
  /** `opens`: the answer begins a session, if there is room for one. */
  | { readonly kind: 'full'; readonly targets: readonly FetchTarget[]; readonly opens: boolean }
  /** `epoch`: what the session's must still be when the answer is made. */
  | {
      readonly kind: 'incremental';
      readonly targets: readonly FetchTarget[];
      readonly session: FetchSession;
      readonly epoch: number;
    }
  | { readonly kind: 'error'; readonly errorCode: number };

export class FetchSessions {
  readonly #sessions = new Map<number, FetchSession>();
  readonly #slots: number;
  readonly #clock: Clock;
  readonly #random: Random;
  #evictedCount = 0;

  /** @param slots `max.incremental.fetch.session.cache.slots` */
  constructor(slots: number, clock: Clock, random: Random) {
    this.#slots = slots;
    this.#clock = clock;
    this.#random = random;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Of all sessions. */
  get partitionCount(): number {
    let count = 0;
    for (const session of this.#sessions.values()) count += session.size;
    return count;
  }

  /** Sessions that others have taken the place of. */
  get evictedCount(): number {
    return this.#evictedCount;
  }

  resolve(request: SessionRequest): SessionOutcome {
    const { sessionId, sessionEpoch } = request;
    if (sessionEpoch === FINAL_EPOCH || sessionEpoch === INITIAL_EPOCH) {
      this.#sessions.delete(sessionId);
      return { kind: 'full', targets: distinct(request), opens: sessionEpoch === INITIAL_EPOCH };
    }
    return this.#continue(request);
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
    if (session.size === 0) {
      this.#sessions.delete(session.id);
      return { kind: 'full', targets: distinct(request), opens: false };
    }
    session.epoch = session.epoch === SESSION_ID_MAX ? 1 : session.epoch + 1;
    session.lastUsedMs = this.#clock.monotonicMs();
    return { kind: 'incremental', targets: [...session.targets(request.nameOf)], session, epoch: session.epoch };
  }

  /** The id of a new session; 0 when the cache is full of better ones: the client then goes on without. */
  open(partitions: readonly FetchedPartition[], usesTopicIds: boolean): number {
    if (!this.#makeRoom(partitions.length)) return 0;
    let id = 0;
    while (id === 0 || this.#sessions.has(id)) id = 1 + below(this.#random, SESSION_ID_MAX);
    const session = new FetchSession(id, usesTopicIds, this.#clock.monotonicMs());
    for (const partition of partitions) session.add(partition);
    this.#sessions.set(id, session);
    return id;
  }

  /** `FetchSessionCacheShard.tryEvict`, over all sessions: Apache divides them, and may evict where another part has room. */
  #makeRoom(size: number): boolean {
    if (this.#sessions.size < this.#slots) return true;
    let oldest: FetchSession | undefined;
    let smallest: FetchSession | undefined;
    for (const session of this.#sessions.values()) {
      if (oldest === undefined || session.lastUsedMs < oldest.lastUsedMs) oldest = session;
      if (session.yieldsToLarger && (smallest === undefined || session.size < smallest.size)) smallest = session;
    }
    if (oldest === undefined) return false;
    const isStale = this.#clock.monotonicMs() - oldest.lastUsedMs > EVICTABLE_AFTER_MS;
    const evicted = isStale ? oldest : smallest;
    if (evicted === undefined || (!isStale && evicted.size >= size)) return false;
    this.#sessions.delete(evicted.id);
    this.#evictedCount += 1;
    return true;
  }
}

/** Where a partition is named twice the last counts, in the place of the first. */
function distinct({ targets, nameOf }: SessionRequest): readonly FetchTarget[] {
  const byKey = new Map(targets.map((target) => [keyOf(target), target]));
  const kept = byKey.size === targets.length ? targets : [...byKey.values()];
  return nameOf === undefined ? kept : kept.map((target) => named(target, nameOf));
}
