import { bearerMessageText, CONTROL_A, extensionFault } from '../oauth/bearer-message.ts';
import { type OAuthToken, type SaslClient, SaslError } from './sasl-client.ts';

/**
 * OAUTHBEARER (RFC 7628, as `OAuthBearerSaslClient`): the token is all that is said. A server that refuses it says why, and fails
 * the authentication once that is acknowledged.
 *
 *   greeting ── the token ──▶ waiting ── nothing ──▶ complete
 *                                └─── an error, ^A ──▶ refused
 */
export class BearerClient implements SaslClient {
  readonly #token: OAuthToken;
  #state: 'greeting' | 'waiting' | 'refused' | 'complete' = 'greeting';

  constructor(token: OAuthToken) {
    this.#token = token;
  }

  get isComplete(): boolean {
    return this.#state === 'complete';
  }

  respond(challenge: Uint8Array): Uint8Array | undefined {
    switch (this.#state) {
      case 'greeting':
        this.#state = 'waiting';
        return Buffer.from(this.#greeting());
      case 'waiting':
        this.#state = challenge.length === 0 ? 'complete' : 'refused';
        return challenge.length === 0 ? undefined : Buffer.from(CONTROL_A);
      case 'refused':
      case 'complete':
        throw new SaslError(`Unexpected challenge in Sasl client state ${this.#state}`);
      default:
        return this.#state satisfies never;
    }
  }

  #greeting(): string {
    const { value, extensions = {} } = this.#token;
    const pairs = new Map(Object.entries(extensions));
    const fault = extensionFault(pairs);
    if (fault !== undefined) throw new SaslError(fault);
    return bearerMessageText(value, pairs);
  }
}
