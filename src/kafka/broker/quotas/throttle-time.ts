import type { WindowedRate } from './windowed-rate.ts';

/** No quota is set (`Long.MAX_VALUE`): nothing exceeds it. */
export const UNLIMITED = 2 ** 63;

/**
 * How long a client has to be still until its rate is within the bound again, 0 if it is: with a rate O over a span W and a bound T
 * it takes X = (O - T) / T * W (`QuotaUtils.throttleTime`). What lies outside an int is no positive number: see `toInt`.
 */
export function throttleTimeMs(rate: WindowedRate, bound: number, nowMs: number, maxMs = Infinity): number {
  const observed = rate.measure(nowMs);
  if (observed <= bound) return 0;
  return toInt(Math.min(maxMs, Math.round(((observed - bound) / bound) * rate.spanMs(nowMs))));
}

/**
 * A long as Scala makes an int of it: of what is too large only the low bits stay. A bound of 0 gives the largest long, and with it
 * -1: such a quota throttles nobody at Apache's brokers, nor here.
 */
export function toInt(value: number): number {
  return value < UNLIMITED ? Number(BigInt.asIntN(32, BigInt(value))) : -1;
}
