/**
 * Bytes that requests of all connections may hold together (`queued.max.request.bytes`, Apache's SimpleMemoryPool). Like
 * Apache's pool it may be overdrawn by the request that crosses the limit; after that nobody reads until bytes come back.
 */
export class ByteBudget {
  readonly #limit: number;
  #held = 0;
  #waiting = new Set<() => void>();

  /** @param limit bytes; Infinity for none */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get held(): number {
    return this.#held;
  }

  get exhausted(): boolean {
    return this.#held >= this.#limit;
  }

  take(bytes: number): void {
    this.#held += bytes;
  }

  release(bytes: number): void {
    this.#held -= bytes;
    if (this.exhausted || this.#waiting.size === 0) return;
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const resume of waiting) resume();
  }

  /** Calls once when bytes are free again. */
  whenFree(resume: () => void): void {
    this.#waiting.add(resume);
  }

  forget(resume: () => void): void {
    this.#waiting.delete(resume);
  }
}
