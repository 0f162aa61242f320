import type { Clock } from '../runtime/clock.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
/** What comes so soon after the first signal is the same wish: of Ctrl-C a program below npm hears from the terminal and from npm. */
const ECHO_MS = 500;

/** Where signals arrive: the process. */
export interface Signalled {
  on(signal: 'SIGINT' | 'SIGTERM', heard: () => void): unknown;
}

/** Resolves at the first signal. Another one, later than its echo, ends the process at once. */
export function stopSignal(process: Signalled, clock: Clock, exit: () => void): Promise<undefined> {
  return new Promise((settle) => {
    let firstMs: number | undefined;
    const heard = (): void => {
      const nowMs = clock.monotonicMs();
      if (firstMs !== undefined && nowMs - firstMs >= ECHO_MS) exit();
      firstMs ??= nowMs;
      settle(undefined);
    };
    for (const signal of SIGNALS) process.on(signal, heard);
  });
}
