import { type BearerMessage, bearerMessageOf, CONTROL_A } from '../oauth/bearer-message.ts';
import type { BearerValidator, ValidToken } from '../oauth/bearer-verdict.ts';
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
  let refusal: SaslOutcome | undefined;
  return {
    evaluate(response) {
      const text = Buffer.from(response).toString();
      if (text === CONTROL_A && refusal !== undefined) return refusal;
      const message = bearerMessageOf(text);
      if ('fault' in message) {
        return { kind: message.isFatal === true ? 'broken' : 'refused', reason: message.fault };
      }
      const verdict = validate(message.token, wallMs());
      if (verdict.kind === 'broken') return verdict;
      if (verdict.kind === 'valid') return accept(message, verdict);
      const told = statusOf(verdict.scope);
      refusal = { kind: 'refused', told, reason: `${told}: ${verdict.reason}` };
      return { kind: 'challenge', bytes: Buffer.from(told) };
    },
  };
}

function accept({ authorizationId }: BearerMessage, { principal: name, expiresAtMs }: ValidToken): SaslOutcome {
  if (authorizationId === '' || authorizationId === name) {
    const identity = { name, isTokenAuthenticated: false, expiresAtMs };
    return { kind: 'complete', bytes: new Uint8Array(0), identity };
  }
  return refusedOpenly(
    `Authentication failed: Client requested an authorization id (${authorizationId}) that is different from the token's principal name (${name})`,
  );
}

function statusOf(scope: string | undefined): string {
  if (scope === undefined) return '{"status":"invalid_token"}';
  return `{"status":"insufficient_scope", "scope":"${scope}"}`;
}
