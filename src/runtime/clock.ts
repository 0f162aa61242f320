/** Time as the servers see it: monotonic for deadlines, wall-clock for what is stored. */
export interface Clock {
  /** Milliseconds of a clock that never steps back; fractions allowed. For deadlines and durations. */
  monotonicMs(): number;
  /** Whole milliseconds since 1970, may step. For timestamps that are stored or sent. */
  wallMs(): number;
  /** Calls once, after at least so many milliseconds of monotonic time. */
  after(delayMs: number, callback: () => void): Timer;
  /** Calls on a later turn of the loop, once input that is already waiting has had its turn: how long work is sliced. */
  soon(callback: () => void): void;
  /**
   * Calls after a poll of every socket that began after this call has been served. A deadline that passed while the process was
   * stalled is judged only then: what the peer sent in time may still wait in the kernel.
   */
  afterPoll(callback: () => void): void;
  /** `2026-11-23 15:54:25,123` in the time zone of the machine, as both systems' logs and tools print it. */
  localTime(wallMs: number): string;
}

export interface Timer {
  cancel(): void;
}
