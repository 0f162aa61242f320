import type { Clock, Timer } from '../../runtime/clock.ts';

/**
 * A deadline that moves all the time, as a member's session does with every heartbeat: moving it later costs no timer. It is
 * judged after a full poll of the sockets, so that a stall of ours fails nobody whose request already waits in the kernel.
 */
export class Deadline {
  readonly #clock: Clock;
  readonly #passed: () => void;
  #dueMs = Number.POSITIVE_INFINITY;
  #timer: Timer | undefined;
  #wakesMs = Number.POSITIVE_INFINITY;
  #isJudging = false;

  constructor(clock: Clock, passed: () => void) {
    this.#clock = clock;
    this.#passed = passed;
  }

  /** From now on. */
  set(delayMs: number): void {
    this.#dueMs = this.#clock.monotonicMs() + delayMs;
    if (this.#isJudging) return;
    if (this.#timer === undefined || this.#dueMs < this.#wakesMs) this.#arm();
  }

  cancel(): void {
    this.#dueMs = Number.POSITIVE_INFINITY;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(): void {
    this.#timer?.cancel();
    this.#wakesMs = this.#dueMs;
    this.#timer = this.#clock.after(Math.max(0, this.#dueMs - this.#clock.monotonicMs()), () => this.#wake());
  }

  #wake(): void {
    this.#timer = undefined;
    if (this.#clock.monotonicMs() < this.#dueMs) return this.#arm();
    this.#isJudging = true;
    this.#clock.afterPoll(() => this.#judge());
  }

  #judge(): void {
    this.#isJudging = false;
    if (this.#dueMs === Number.POSITIVE_INFINITY) return;
    if (this.#clock.monotonicMs() < this.#dueMs) return this.#arm();
    this.#dueMs = Number.POSITIVE_INFINITY;
    this.#passed();
  }
}
