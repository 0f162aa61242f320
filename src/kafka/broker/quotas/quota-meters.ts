import type { QuotaEntity } from '../../zk/quota-znodes.ts';
import { type Bucket, QuotaLimits } from './quota-limits.ts';
import { UNLIMITED } from './throttle-time.ts';

/** Meters that nobody used for an hour are forgotten (`InactiveSensorExpirationTimeSeconds`). */
const IDLE_MS = 3_600_000;
const SWEEP_MS = 30_000;

interface Kept<M> {
  readonly bucket: Bucket;
  readonly meter: M;
  usedMs: number;
}

/** What counts for one client: the meter that it shares with others of its bucket, and the limit of now. */
export interface Metered<M> {
  readonly meter: M;
  /** Per second; `UNLIMITED` where none is set. */
  readonly limit: number;
}

/** The meters of one kind of quota. */
export class QuotaMeters<M> {
  readonly #limits = new QuotaLimits();
  readonly #create: () => M;
  readonly #meters = new Map<string, Kept<M>>();
  /** What was found for a client, until a quota changes. */
  readonly #found = new Map<string, Metered<M> & { readonly kept: Kept<M> }>();
  #sweptMs = 0;

  constructor(create: () => M) {
    this.#create = create;
  }

  get isEnabled(): boolean {
    return this.#limits.isEnabled;
  }

  get size(): number {
    return this.#meters.size;
  }

  *meters(): Generator<readonly [bucket: Bucket, meter: M]> {
    for (const { bucket, meter } of this.#meters.values()) yield [bucket, meter];
  }

  set(entity: QuotaEntity, limit: number | undefined): void {
    this.#limits.set(entity, limit);
    this.#found.clear();
  }

  find(user: string, clientId: string, nowMs: number): Metered<M> {
    const key = keyOf(user, clientId);
    let found = this.#found.get(key);
    if (found === undefined) {
      found = this.#resolve(user, clientId, nowMs);
      this.#found.set(key, found);
    }
    found.kept.usedMs = nowMs;
    return found;
  }

  #resolve(user: string, clientId: string, nowMs: number): Metered<M> & { readonly kept: Kept<M> } {
    this.#forgetIdle(nowMs);
    const bucket = this.#limits.bucketOf(user, clientId);
    const key = keyOf(bucket.user, bucket.clientId);
    let kept = this.#meters.get(key);
    if (kept === undefined) {
      kept = { bucket, meter: this.#create(), usedMs: nowMs };
      this.#meters.set(key, kept);
    }
    return { kept, meter: kept.meter, limit: this.#limits.limitOf(bucket) ?? UNLIMITED };
  }

  #forgetIdle(nowMs: number): void {
    if (nowMs - this.#sweptMs < SWEEP_MS) return;
    this.#sweptMs = nowMs;
    for (const [key, { usedMs }] of this.#meters) if (nowMs - usedMs > IDLE_MS) this.#meters.delete(key);
    for (const [key, { kept }] of this.#found) if (nowMs - kept.usedMs > IDLE_MS) this.#found.delete(key);
  }
}

/** Whatever is in the names, no two pairs have one key. */
function keyOf(user: string, clientId: string): string {
  return `${user.length}:${user}${clientId}`;
}
