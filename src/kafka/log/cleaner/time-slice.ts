import type { Clock } from '../../../runtime/clock.ts';

/** Work pauses at least this often, so that requests get their turn. */
const SLICE_MS = 3;
/** Where the clock stands still (the simulator's) steps are counted instead. */
const SLICE_STEPS = 64;

/** Says when work has held the loop long enough, and lets others in. */
export class TimeSlice {
  readonly #clock: Clock;
  #startMs: number;
  #steps = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startMs = clock.monotonicMs();
  }

  /** After anything that was waited for. */
  begin(): void {
    this.#startMs = this.#clock.monotonicMs();
    this.#steps = 0;
  }

  /** Asked after each small step. */
  get isOver(): boolean {
    this.#steps += 1;
    return this.#steps >= SLICE_STEPS || this.#clock.monotonicMs() - this.#startMs >= SLICE_MS;
  }

  /** Everybody else has a turn. */
  async pause(): Promise<void> {
    await new Promise<void>((resume) => this.#clock.soon(resume));
    this.begin();
  }
}
