import type { Fields, Message, Value } from '../../../wire/schema.ts';
import { build } from '../../../wire/schema.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { SaslHandshakeRequest, SaslHandshakeResponse } from '../../protocol/messages/17-sasl-handshake.ts';
import { ApiVersionsRequest, ApiVersionsResponse } from '../../protocol/messages/18-api-versions.ts';
import { SaslAuthenticateRequest, SaslAuthenticateResponse } from '../../protocol/messages/36-sasl-authenticate.ts';
import type { AuthenticatorEffect, AuthenticatorEvent, ClientAuthenticator } from './client-authenticator.ts';
import type { OAuthLogin, OAuthToken } from './sasl-client.ts';

/** Asks the broker over the connection that is to be authenticated. */
export type Ask = <Q extends Fields, R extends Fields>(
  request: Message<Q>,
  response: Message<R>,
  version: number,
  value: Value<Q>,
) => Promise<Value<R>>;

/** Carries out what an authenticator wants; answers how long the session lasts. @throws what it or `ask` throws */
export async function authenticate(authenticator: ClientAuthenticator, ask: Ask): Promise<number> {
  let effect = authenticator.step({ kind: 'begin' });
  while (effect.kind !== 'authenticated') effect = authenticator.step(await answerTo(effect, ask));
  return effect.sessionLifetimeMs;
}

type Question = Exclude<AuthenticatorEffect, { readonly kind: 'authenticated' }>;

async function answerTo(question: Question, ask: Ask): Promise<AuthenticatorEvent> {
  switch (question.kind) {
    case 'oauthToken':
      return { kind: 'oauthToken', token: await tokenOf(question.login) };
    case 'versions': {
      // In version 0, which every broker can read before it knows whom it speaks to.
      const answer = await ask(ApiVersionsRequest, ApiVersionsResponse, 0, build(ApiVersionsRequest, {}));
      return { kind: 'versions', answer };
    }
    case 'handshake': {
      const request = build(SaslHandshakeRequest, { mechanism: question.mechanism });
      const answer = await ask(SaslHandshakeRequest, SaslHandshakeResponse, question.version, request);
      return { kind: 'handshake', answer };
    }
    case 'token': {
      const request = build(SaslAuthenticateRequest, { authBytes: question.token });
      const answer = await ask(SaslAuthenticateRequest, SaslAuthenticateResponse, question.version, request);
      return { kind: 'token', answer };
    }
    default:
      return question satisfies never;
  }
}

/** @throws KafkaError SASL_AUTHENTICATION_FAILED */
async function tokenOf({ oauthToken }: OAuthLogin): Promise<OAuthToken> {
  try {
    return await oauthToken();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new KafkaError(ErrorCode.SASL_AUTHENTICATION_FAILED, `there is no OAuth token: ${reason}`, { cause: error });
  }
}
