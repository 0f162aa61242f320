import type { Clock } from '../../../runtime/clock.ts';
import { fraction, type Random } from '../../../runtime/random.ts';

/** A token, and how long it lasts by the clock of the day. */
export interface IssuedToken {
  readonly value: string;
  /** Undefined where it does not say. */
  readonly startsAtMs: number | undefined;
  readonly expiresAtMs: number;
}

/** `sasl.login.refresh.*` */
export interface RefreshSettings {
  /** When a token is old: after so much of its life, and up to so much more by chance. */
  readonly windowFactor: number;
  readonly windowJitter: number;
  readonly minPeriodSeconds: number;
  /** So long before its end it is old at the latest. */
  readonly bufferSeconds: number;
}

export interface TokenSourceOptions {
  readonly retrieve: () => Promise<IssuedToken>;
  readonly refresh: RefreshSettings;
  readonly clock: Clock;
  readonly random: Random;
}

/** Before it is tried again. */
const FAILURE_PAUSE_MS = 10_000;

/**
 * Keeps a token, and has another one by the time it ends. Apache's `ExpiringCredentialRefreshingLogin` has a thread for that; here
 * the first login after a token has become old begins it and goes on with the old one: what is quiet costs nothing.
 */
export class TokenSource {
  readonly #options: TokenSourceOptions;
  #token: IssuedToken | undefined;
  #oldAtMs = 0;
  #retrieving: Promise<IssuedToken> | undefined;

  constructor(options: TokenSourceOptions) {
    this.#options = options;
  }

  /** @throws what retrieving it does, where there is none that is valid still */
  async current(): Promise<IssuedToken> {
    const nowMs = this.#options.clock.wallMs();
    const token = this.#token;
    const isValid = token !== undefined && nowMs < token.expiresAtMs;
    if (isValid && nowMs < this.#oldAtMs) return token;
    this.#retrieving ??= this.#renew();
    if (!isValid) return this.#retrieving;
    this.#retrieving.catch(() => undefined);
    return token;
  }

  async #renew(): Promise<IssuedToken> {
    const { retrieve, refresh, clock, random } = this.#options;
    try {
      const token = await retrieve();
      this.#token = token;
      this.#oldAtMs = oldAtMs(token, clock.wallMs(), refresh, fraction(random));
      return token;
    } catch (error) {
      this.#oldAtMs = clock.wallMs() + FAILURE_PAUSE_MS;
      throw error;
    } finally {
      this.#retrieving = undefined;
    }
  }
}

/** When a token that is had now becomes old (`ExpiringCredentialRefreshingLogin.refreshMs`). @param chance in [0, 1) */
export function oldAtMs(
  { startsAtMs, expiresAtMs }: IssuedToken,
  nowMs: number,
  { windowFactor, windowJitter, minPeriodSeconds, bufferSeconds }: RefreshSettings,
  chance: number,
): number {
  const part = windowFactor + windowJitter * chance;
  // Too short a life for pauses at its ends.
  if (nowMs + 1000 * (minPeriodSeconds + bufferSeconds) > expiresAtMs) {
    return nowMs + Math.trunc((expiresAtMs - nowMs) * part);
  }
  const startMs = startsAtMs ?? nowMs;
  const proposedMs = startMs + Math.trunc((expiresAtMs - startMs) * part);
  const latestMs = expiresAtMs - 1000 * bufferSeconds;
  return proposedMs > latestMs ? latestMs : Math.max(proposedMs, nowMs + 1000 * minPeriodSeconds);
}
