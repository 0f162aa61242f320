import type { Clock } from '../../../runtime/clock.ts';
import { fraction, type Random } from '../../../runtime/random.ts';
import { type Ask, authenticate } from './authenticate.ts';
import { ClientAuthenticator, type SaslVersions } from './client-authenticator.ts';
import type { SaslLogin } from './sasl-client.ts';

export interface AuthenticationGateOptions {
  readonly login: SaslLogin;
  readonly clock: Clock;
  readonly random: Random;
  readonly ask: Ask;
  /** The broker refused, or is gone: the connection is to be closed. */
  readonly failed: (error: unknown) => void;
}

interface Held {
  readonly send: () => void;
  readonly fail: (reason: Error) => void;
}

/**
 * Lets requests onto a connection while it is authenticated, and holds them while it authenticates: at first, and again before
 * its session ends (KIP-368). As in Apache's client, the first request after 85 to 95 % of a session begins that, so a quiet
 * connection costs nothing.
 *
 *   authenticating ── authenticated, what was held leaves ──▶ open ── a request, late in the session ──▶ authenticating
 */
export class AuthenticationGate {
  readonly #options: AuthenticationGateOptions;
  #held: Held[] | undefined = [];
  #versions: SaslVersions | undefined;
  #endsMs = Number.POSITIVE_INFINITY;

  constructor(options: AuthenticationGateOptions) {
    this.#options = options;
  }

  get heldCount(): number {
    return this.#held?.length ?? 0;
  }

  /** The first authentication. */
  open(): void {
    this.#authenticate();
  }

  /** Sends now, or once it may be sent; `fail` is called instead when it never may. */
  pass(send: () => void, fail: (reason: Error) => void): void {
    if (this.#held === undefined && this.#options.clock.monotonicMs() < this.#endsMs) {
      send();
      return;
    }
    const isAuthenticating = this.#held !== undefined;
    this.#held ??= [];
    this.#held.push({ send, fail });
    if (!isAuthenticating) this.#authenticate();
  }

  /** The connection is closed, and nothing will be passed any more. */
  close(reason: Error): void {
    for (const { fail } of this.#held?.splice(0) ?? []) fail(reason);
  }

  #authenticate(): void {
    const { login, random, ask, failed } = this.#options;
    const authenticator = new ClientAuthenticator(login, random, this.#versions);
    authenticate(authenticator, ask).then((sessionLifetimeMs) => {
      this.#versions = authenticator.versions;
      this.#authenticated(sessionLifetimeMs);
    }, failed);
  }

  #authenticated(sessionLifetimeMs: number): void {
    const { clock, random } = this.#options;
    const part = 0.85 + 0.1 * fraction(random);
    this.#endsMs =
      sessionLifetimeMs > 0 ? clock.monotonicMs() + Math.floor(sessionLifetimeMs * part) : Number.POSITIVE_INFINITY;
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const { send } of held) send();
  }
}
