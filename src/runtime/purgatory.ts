import type { Timer } from './clock.ts';
import type { TimerWheel } from './timer-wheel.ts';

/** A request that waits for something: replicas, records, members. */
export interface DelayedOperation {
  /** Completes if it can now, and answers whether it did. May be called at any time, also while it runs (then it runs again). */
  tryComplete(): boolean;
  /** Its time is up: complete with what there is. */
  expire(): void;
}

/** An operation that waits. */
export interface Watched {
  /** Nobody needs it any more, say because its connection closed: neither completed nor expired. */
  cancel(): void;
}

/**
 * Delayed operations, each under the keys that can complete it (`DelayedOperationPurgatory`). Of `tryComplete` answering true,
 * `expire` and `cancel` exactly one happens, once. What is finished leaves all its lists at once, so there is nothing to purge.
 * Keys are those of a Map: strings, numbers, or the very same object.
 */
export class Purgatory<K> {
  readonly #wheel: TimerWheel;
  readonly #waiting = new Map<K, Set<Waiting<K>>>();
  #operationCount = 0;
  #watchCount = 0;

  constructor(wheel: TimerWheel) {
    this.#wheel = wheel;
  }

  /** Operations that wait: Apache's metric NumDelayedOperations. */
  get operationCount(): number {
    return this.#operationCount;
  }

  /** Places on the lists of keys, one operation having several: Apache's metric PurgatorySize. */
  get watchCount(): number {
    return this.#watchCount;
  }

  /** Waits until a `check` of one of the keys completes it or the time is up; undefined when it completed at once. */
  watch(operation: DelayedOperation, keys: Iterable<K>, timeoutMs: number): Watched | undefined {
    const waiting = new Waiting(this, operation, new Set(keys));
    // First on the lists: what its own attempt sets in motion may be what completes it.
    this.#operationCount += 1;
    for (const key of waiting.keys) this.#setFor(key).add(waiting);
    this.#watchCount += waiting.keys.size;
    if (waiting.attempt()) return undefined;
    waiting.timer = this.#wheel.add(timeoutMs, () => waiting.expire());
    return waiting;
  }

  /** Something happened to a key. Answers how many operations it completed. */
  check(key: K): number {
    const set = this.#waiting.get(key);
    if (set === undefined) return 0;
    let completed = 0;
    // A copy: operations that begin to wait in the course of it had their own attempt.
    for (const waiting of [...set]) if (!waiting.finished && waiting.attempt()) completed += 1;
    return completed;
  }

  /** Ends every wait without completing or expiring it: the owner shuts down. */
  close(): void {
    for (const set of [...this.#waiting.values()]) for (const waiting of [...set]) waiting.cancel();
  }

  /** Only for the operation itself. */
  forget(waiting: Waiting<K>): void {
    this.#operationCount -= 1;
    this.#watchCount -= waiting.keys.size;
    for (const key of waiting.keys) {
      const set = this.#waiting.get(key);
      set?.delete(waiting);
      if (set?.size === 0) this.#waiting.delete(key);
    }
  }

  #setFor(key: K): Set<Waiting<K>> {
    let set = this.#waiting.get(key);
    if (set === undefined) {
      set = new Set();
      this.#waiting.set(key, set);
    }
    return set;
  }
}

class Waiting<K> implements Watched {
  readonly keys: ReadonlySet<K>;
  finished = false;
  timer: Timer | undefined;
  readonly #purgatory: Purgatory<K>;
  readonly #operation: DelayedOperation;
  #trying = false;
  #tryAgain = false;

  constructor(purgatory: Purgatory<K>, operation: DelayedOperation, keys: ReadonlySet<K>) {
    this.#purgatory = purgatory;
    this.#operation = operation;
    this.keys = keys;
  }

  /** An attempt may check the very key that the operation waits for; it is then repeated rather than nested. */
  attempt(): boolean {
    this.#tryAgain = true;
    if (this.#trying) return false;
    this.#trying = true;
    try {
      while (this.#tryAgain && !this.finished) {
        this.#tryAgain = false;
        if (this.#operation.tryComplete()) this.#finish();
      }
    } catch (error) {
      this.#finish();
      throw error;
    } finally {
      this.#trying = false;
    }
    return this.finished;
  }

  expire(): void {
    if (this.finished) return;
    this.#finish();
    this.#operation.expire();
  }

  cancel(): void {
    this.#finish();
  }

  #finish(): void {
    if (this.finished) return;
    this.finished = true;
    this.timer?.cancel();
    this.#purgatory.forget(this);
  }
}
