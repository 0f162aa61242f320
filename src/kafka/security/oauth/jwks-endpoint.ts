import type { Clock, Timer } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import type { Jwk } from './jwk-set.ts';
import { retried } from './retry.ts';
import type { IssuerKeys } from './secured-validator.ts';

export interface JwksEndpointOptions {
  /** For messages. */
  readonly location: string;
  readonly read: () => Promise<readonly Jwk[]>;
  readonly clock: Clock;
  readonly log: Log;
  /** `sasl.oauthbearer.jwks.endpoint.refresh.ms` */
  readonly refreshMs: number;
  readonly backoffMs: number;
  readonly backoffMaxMs: number;
}

/** Whoever asks for unknown keys makes us ask the issuer once in so long for each of them. */
const MISSING_KEY_MS = 60_000;
const MISSING_KEY_COUNT_MAX = 16;
const KEY_ID_LENGTH_MAX = 1000;

/**
 * The keys of an issuer behind a URL, read anew from time to time, and soon after a token named one that is not among them
 * (`RefreshingHttpsJwks`). That token is refused: its client comes again. What cannot be read leaves the keys as they were.
 */
export class JwksEndpoint implements IssuerKeys {
  readonly #options: JwksEndpointOptions;
  #keys: readonly Jwk[] = [];
  /** Until when a key is not asked for again, the one last asked for at the end. */
  readonly #missing = new Map<string, number>();
  #timer: Timer | undefined;
  #opening: Promise<void> | undefined;
  #isRefreshing = false;
  #isClosed = false;

  constructor(options: JwksEndpointOptions) {
    this.#options = options;
  }

  get location(): string {
    return this.#options.location;
  }

  get keys(): readonly Jwk[] {
    return this.#keys;
  }

  /** Reads the keys for the first time. @throws whatever reading them does */
  open(): Promise<void> {
    this.#opening ??= this.#read().then(() => this.#schedule());
    return this.#opening;
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  missing(kid: string): void {
    if (kid.length > KEY_ID_LENGTH_MAX) return;
    const nowMs = this.#options.clock.monotonicMs();
    if ((this.#missing.get(kid) ?? 0) > nowMs) return;
    this.#missing.delete(kid);
    this.#missing.set(kid, nowMs + MISSING_KEY_MS);
    const [oldest] = this.#missing.keys();
    if (this.#missing.size > MISSING_KEY_COUNT_MAX && oldest !== undefined) this.#missing.delete(oldest);
    void this.#refresh();
  }

  async #read(): Promise<void> {
    const keys = await retried(this.#options.read, { ...this.#options, isFinal: () => this.#isClosed });
    for (const { kid } of keys) if (kid !== undefined) this.#missing.delete(kid);
    this.#keys = keys;
  }

  #schedule(): void {
    if (this.#isClosed) return;
    this.#timer = this.#options.clock.after(this.#options.refreshMs, () => {
      this.#schedule();
      void this.#refresh();
    });
  }

  async #refresh(): Promise<void> {
    if (this.#isRefreshing || this.#isClosed) return;
    this.#isRefreshing = true;
    const { location, log } = this.#options;
    try {
      await this.#read();
      log.info(`OAuth JWKS refresh of ${location} complete`);
    } catch (error) {
      log.warn(`OAuth JWKS refresh of ${location} encountered an error; not updating local JWKS cache`, { error });
    } finally {
      this.#isRefreshing = false;
    }
  }
}
