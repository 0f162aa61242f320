import { type BearerMessage, bearerMessageOf, CONTROL_A } from '../oauth/bearer-message.ts';
import type { BearerValidator } from '../oauth/bearer-verdict.ts';
import { refusedOpenly, type SaslOutcome, type SaslServer } from './sasl-server.ts';

/**
 * OAUTHBEARER (RFC 7628) as Apache's `OAuthBearerSaslServer`: one message with a token. A token that is refused is answered by a
 * JSON object; the client acknowledges that with ^A, and only then has failed. It may also try another token.
 *
 *   client-first ──valid──▶ complete
 *        └──invalid──▶ challenge {"status": …} ──^A──▶ refused
 *
 * @param wallMs the time of the day
 */
export function bearerServer(validate: BearerValidator, wallMs: () => number): SaslServer {
  let told: string | undefined;
  return {
    evaluate(response) {
      const text = Buffer.from(response).toString();
      if (text === CONTROL_A && told !== undefined) return refusedOpenly(told);
      const message = bearerMessageOf(text);
      if ('fault' in message) {
        return { kind: message.isFatal === true ? 'broken' : 'refused', reason: message.fault };
      }
      const outcome = judge(message, validate, wallMs());
      if (outcome.kind === 'challenge') told = Buffer.from(outcome.bytes).toString();
      return outcome;
    },
  };
}

function judge({ token, authorizationId }: BearerMessage, validate: BearerValidator, nowMs: number): SaslOutcome {
  const verdict = validate(token, nowMs);
  switch (verdict.kind) {
    case 'broken':
      return verdict;
    case 'invalid':
      return { kind: 'challenge', bytes: Buffer.from(refusalOf(verdict.scope)) };
    case 'valid': {
      const { principal: name, expiresAtMs } = verdict;
      if (authorizationId === '' || authorizationId === name) {
        const identity = { name, isTokenAuthenticated: false, expiresAtMs };
        return { kind: 'complete', bytes: new Uint8Array(0), identity };
      }
      return refusedOpenly(
        `Authentication failed: Client requested an authorization id (${authorizationId}) that is different from the token's principal name (${name})`,
      );
    }
    default:
      return verdict satisfies never;
  }
}

function refusalOf(scope: string | undefined): string {
  if (scope === undefined) return '{"status":"invalid_token"}';
  return `{"status":"insufficient_scope", "scope":"${scope}"}`;
}
