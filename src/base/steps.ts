/**
 * Long work that may be interrupted: each step tells how many bytes it went over, the last one gives the result. Whoever does not
 * take it to its end calls `return`, so that it lets go of what it holds.
 */
export type Steps<T> = Generator<number, T, void>;

/** All of it, now. */
export function runToEnd<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** As far as so many bytes go: `steps` are over, and have a result, or they go on from here. */
export function runFor<T>(steps: Steps<T>, bytesMax: number): IteratorResult<number, T> {
  let bytes = 0;
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step;
    bytes += step.value;
    if (bytes >= bytesMax) return { done: false, value: bytes };
  }
}

/** They are not gone on with: what they hold is let go of. */
export function abandon<T>(steps: Steps<T>): void {
  steps.return(undefined as T);
}
