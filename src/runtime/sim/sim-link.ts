import type { SimFlow } from './sim-flow.ts';
import type { SimRandom } from './sim-random.ts';

/** The way from one machine to another; each direction is its own. */
export class SimLink {
  readonly #random: SimRandom;
  readonly #usualMs: number;
  #extraMs = 0;
  #bytesPerMs = Number.POSITIVE_INFINITY;
  #busyUntilMs = 0;
  #blockedSinceMs: number | undefined;
  #outageMs = 0;
  /** Flows with segments that were sent into a partition and wait for their retransmission. */
  readonly holding = new Set<SimFlow>();
  /** Acknowledgements that were lost in a partition; they come with the next segment after it. */
  readonly lostAcks: (() => void)[] = [];

  constructor(random: SimRandom, loopback: boolean) {
    this.#random = random;
    this.#usualMs = loopback ? 0.02 : random.between(0.05, 0.5);
  }

  get blocked(): boolean {
    return this.#blockedSinceMs !== undefined;
  }

  /** How long a packet travels; one in two hundred is lost and sent again, which the stream sees as a delay. */
  latencyMs(): number {
    const retransmission = this.#random.chance(1 / 200) ? this.#random.between(1, 30) : 0;
    return this.#usualMs * this.#random.between(1, 1.5) + this.#extraMs + retransmission;
  }

  /** When the last byte of a segment that is sent now leaves a narrow link, after what was sent before it. */
  departureMs(nowMs: number, size: number): number {
    if (this.#bytesPerMs === Number.POSITIVE_INFINITY) return nowMs;
    this.#busyUntilMs = Math.max(nowMs, this.#busyUntilMs) + size / this.#bytesPerMs;
    return this.#busyUntilMs;
  }

  slow(extraMs: number, bytesPerMs: number): void {
    this.#extraMs = extraMs;
    this.#bytesPerMs = bytesPerMs;
  }

  block(nowMs: number): void {
    this.#blockedSinceMs ??= nowMs;
  }

  unblock(nowMs: number): void {
    if (this.#blockedSinceMs === undefined) return;
    this.#outageMs = nowMs - this.#blockedSinceMs;
    this.#blockedSinceMs = undefined;
  }

  /**
   * After an outage a segment waits for its sender's next try. TCP doubles the pause from 200 ms up to 120 s, so the try comes at a
   * random time within about as long as the outage was: that is how an old leader's messages arrive late.
   */
  retransmissionMs(): number {
    return this.latencyMs() + this.#random.between(0, Math.min(Math.max(this.#outageMs, 200), 120_000));
  }

  /** Where a write is cut: TCP keeps bytes, not messages. Mostly nowhere, else at any byte. */
  pieceSize(size: number): number {
    const most = Math.min(size, 65_536);
    return this.#random.chance(3 / 4) ? most : 1 + this.#random.below(most);
  }

  /** Whether two segments that arrive together are read together. */
  joins(): boolean {
    return this.#random.chance(1 / 2);
  }
}
