import type { Zxid } from '../jute/ids.ts';

interface Sent {
  readonly zxid: Zxid;
  readonly sentMs: number;
}

/**
 * How long a follower has owed the acknowledgement of a proposal (LearnerHandler.SyncLimitCheck). One is watched; once it is
 * acknowledged, the newest of that moment is.
 */
export class SyncLimitCheck {
  readonly #limitMs: number;
  #current: Sent | undefined;
  #next: Sent | undefined;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  proposed(zxid: Zxid, sentMs: number): void {
    if (this.#current === undefined) this.#current = { zxid, sentMs };
    else this.#next = { zxid, sentMs };
  }

  acknowledged(zxid: Zxid): void {
    if (this.#current === undefined || zxid < this.#current.zxid) return;
    this.#current = this.#next !== undefined && zxid < this.#next.zxid ? this.#next : undefined;
    this.#next = undefined;
  }

  isOverdue(nowMs: number): boolean {
    return this.#current !== undefined && nowMs - this.#current.sentMs > this.#limitMs;
  }
}
