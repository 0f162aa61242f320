import type { Clock } from '../../../runtime/clock.ts';

export interface RetryOptions {
  readonly clock: Clock;
  /** After the first failure, doubled with each. */
  readonly backoffMs: number;
  /** For all attempts together. */
  readonly backoffMaxMs: number;
  /** An error that no other attempt will mend. */
  readonly isFinal?: (error: unknown) => boolean;
}

/** Apache's `Retry`. @throws the first error of `attempt`, once it is given up */
export async function retried<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { clock, backoffMs, backoffMaxMs, isFinal = () => false } = options;
  const endMs = clock.monotonicMs() + backoffMaxMs;
  let first: { readonly error: unknown } | undefined;
  for (let waitMs = backoffMs; ; waitMs *= 2) {
    try {
      return await attempt();
    } catch (error) {
      first ??= { error };
      const pauseMs = Math.min(waitMs, endMs - clock.monotonicMs());
      if (pauseMs <= 0 || isFinal(error)) throw first.error;
      await new Promise<void>((resolve) => clock.after(pauseMs, resolve));
    }
  }
}
