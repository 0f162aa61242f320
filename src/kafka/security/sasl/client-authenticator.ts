import { present } from '../../../base/assert.ts';
import type { Random } from '../../../runtime/random.ts';
import { bounds } from '../../../wire/versions.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { SaslHandshakeRequest, type SaslHandshakeResponse } from '../../protocol/messages/17-sasl-handshake.ts';
import type { ApiVersionsResponse } from '../../protocol/messages/18-api-versions.ts';
import {
  SaslAuthenticateRequest,
  type SaslAuthenticateResponse,
} from '../../protocol/messages/36-sasl-authenticate.ts';
import { scramMechanisms } from '../scram-credential.ts';
import { BearerClient } from './bearer-client.ts';
import { PlainClient } from './plain-client.ts';
import {
  type OAuthLogin,
  type OAuthToken,
  type PasswordLogin,
  type SaslClient,
  SaslError,
  type SaslLogin,
} from './sasl-client.ts';
import { ScramClient } from './scram-client.ts';

export type AuthenticatorEvent =
  | { readonly kind: 'begin' }
  | { readonly kind: 'oauthToken'; readonly token: OAuthToken }
  | { readonly kind: 'versions'; readonly answer: ApiVersionsResponse }
  | { readonly kind: 'handshake'; readonly answer: SaslHandshakeResponse }
  | { readonly kind: 'token'; readonly answer: SaslAuthenticateResponse };

/** All but the last are questions, answered by the events of their names. */
export type AuthenticatorEffect =
  | { readonly kind: 'oauthToken'; readonly login: OAuthLogin }
  | { readonly kind: 'versions' }
  | { readonly kind: 'handshake'; readonly version: number; readonly mechanism: string }
  | { readonly kind: 'token'; readonly version: number; readonly token: Uint8Array }
  /** 0 for a session without an end (KIP-368). */
  | { readonly kind: 'authenticated'; readonly sessionLifetimeMs: number };

/** The versions of both SASL requests; they outlive an exchange, so that another one need not ask. */
export interface SaslVersions {
  readonly handshake: number;
  readonly authenticate: number;
}

/**
 * One authentication of a client by SASL, as Apache's `SaslClientAuthenticator`:
 *
 *   begin ──▶ ApiVersions v0 ──▶ SaslHandshake ──▶ SaslAuthenticate … ──▶ authenticated
 *     └─ an OAuth token ──▲
 *
 * Whoever authenticates again leaves ApiVersions out. What the broker refuses is thrown, in Apache's words, and ends it.
 */
export class ClientAuthenticator {
  readonly #login: SaslLogin;
  /** Known from the beginning, or once there is a token. */
  #client: SaslClient | undefined;
  #versions: SaslVersions | undefined;
  #sessionLifetimeMs = 0;

  constructor(login: SaslLogin, random: Random, versions?: SaslVersions) {
    this.#login = login;
    this.#client = login.mechanism === 'OAUTHBEARER' ? undefined : passwordClient(login, random);
    this.#versions = versions;
  }

  /** Known once the broker has told them. */
  get versions(): SaslVersions | undefined {
    return this.#versions;
  }

  /** @throws KafkaError UNSUPPORTED_SASL_MECHANISM, SASL_AUTHENTICATION_FAILED, ILLEGAL_SASL_STATE, UNSUPPORTED_VERSION, or what else the broker answers */
  step(event: AuthenticatorEvent): AuthenticatorEffect {
    switch (event.kind) {
      case 'begin':
        return this.#login.mechanism === 'OAUTHBEARER'
          ? { kind: 'oauthToken', login: this.#login }
          : this.#beginExchange();
      case 'oauthToken':
        this.#client = new BearerClient(event.token);
        return this.#beginExchange();
      case 'versions':
        this.#versions = versionsOf(event.answer);
        return this.#handshake(this.#versions);
      case 'handshake':
        this.#checkHandshake(event.answer);
        return this.#next(new Uint8Array(0));
      case 'token':
        return this.#answered(event.answer);
      default:
        return event satisfies never;
    }
  }

  #beginExchange(): AuthenticatorEffect {
    return this.#versions === undefined ? { kind: 'versions' } : this.#handshake(this.#versions);
  }

  #handshake({ handshake }: SaslVersions): AuthenticatorEffect {
    return { kind: 'handshake', version: handshake, mechanism: this.#login.mechanism };
  }

  #checkHandshake({ errorCode, mechanisms }: SaslHandshakeResponse): void {
    const { mechanism } = this.#login;
    const enabled = `enabled mechanisms are [${mechanisms.join(', ')}]`;
    switch (errorCode) {
      case ErrorCode.NONE:
        return;
      case ErrorCode.UNSUPPORTED_SASL_MECHANISM:
        throw new KafkaError(errorCode, `Client SASL mechanism '${mechanism}' not enabled in the server, ${enabled}`);
      case ErrorCode.ILLEGAL_SASL_STATE:
        throw new KafkaError(errorCode, `Unexpected handshake request with client mechanism ${mechanism}, ${enabled}`);
      default: {
        const { name } = new KafkaError(errorCode);
        const text = `Unknown error code ${name}, client mechanism is ${mechanism}, ${enabled}`;
        throw new KafkaError(ErrorCode.ILLEGAL_SASL_STATE, text);
      }
    }
  }

  #answered({ errorCode, errorMessage, authBytes, sessionLifetimeMs }: SaslAuthenticateResponse): AuthenticatorEffect {
    if (errorCode !== ErrorCode.NONE) throw new KafkaError(errorCode, errorMessage);
    if (sessionLifetimeMs > 0) this.#sessionLifetimeMs = sessionLifetimeMs;
    return this.#next(authBytes);
  }

  #next(challenge: Uint8Array): AuthenticatorEffect {
    const client = present(this.#client, 'the mechanism has begun');
    const token = client.isComplete ? undefined : this.#respond(client, challenge);
    if (token === undefined) return { kind: 'authenticated', sessionLifetimeMs: this.#sessionLifetimeMs };
    return { kind: 'token', version: this.#versions?.authenticate ?? 0, token };
  }

  #respond(client: SaslClient, challenge: Uint8Array): Uint8Array | undefined {
    try {
      return client.respond(challenge);
    } catch (error) {
      if (!(error instanceof SaslError)) throw error;
      const reason = `java.security.PrivilegedActionException: javax.security.sasl.SaslException: ${error.message}`;
      throw new KafkaError(
        ErrorCode.SASL_AUTHENTICATION_FAILED,
        `An error: (${reason}) occurred when evaluating SASL token received from the Kafka Broker. Kafka Client will go to AUTHENTICATION_FAILED state.`,
        { cause: error },
      );
    }
  }
}

function passwordClient(login: PasswordLogin, random: Random): SaslClient {
  const scram = scramMechanisms.find(({ name }) => name === login.mechanism);
  return scram === undefined ? new PlainClient(login) : new ScramClient(scram, login, random);
}

/** Bare tokens, as brokers before 1.0 want them (SaslHandshake v0), are not spoken. */
function versionsOf({ errorCode, apiKeys }: ApiVersionsResponse): SaslVersions {
  if (errorCode !== ErrorCode.NONE) throw new KafkaError(errorCode);
  const newest = (request: typeof SaslHandshakeRequest | typeof SaslAuthenticateRequest): number => {
    const known = apiKeys.find(({ apiKey }) => apiKey === request.apiKey);
    if (known !== undefined) return Math.min(known.maxVersion, bounds(request.versions)[1]);
    throw new KafkaError(ErrorCode.UNSUPPORTED_VERSION, `${request.name}: the broker does not know it`);
  };
  return { handshake: newest(SaslHandshakeRequest), authenticate: newest(SaslAuthenticateRequest) };
}
