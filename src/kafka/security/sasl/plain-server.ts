import { createHash, timingSafeEqual } from 'node:crypto';
import { refusedOpenly, type SaslOutcome, type SaslServer } from './sasl-server.ts';

/** Password of a user; undefined for whom there is none. */
export type PlainPasswords = (user: string) => string | undefined;

const OTHER_ID = 'Authentication failed: Client requested an authorization id that is different from username';

/**
 * PLAIN (RFC 4616): one response, `[authorization id] NUL name NUL password`, in the order of checks and the words of Apache's
 * `PlainSaslServer`.
 */
export function plainServer(passwordOf: PlainPasswords): SaslServer {
  return { evaluate: (response) => judge(Buffer.from(response).toString(), passwordOf) };
}

function judge(response: string, passwordOf: PlainPasswords): SaslOutcome {
  const tokens = response.split('\0').slice(0, 4);
  const [authorizationId = '', name = '', password = ''] = tokens;
  if (tokens.length !== 3) {
    return refusedOpenly(`Invalid SASL/PLAIN response: expected 3 tokens, got ${tokens.length}`);
  }
  if (name === '') return refusedOpenly('Authentication failed: username not specified');
  if (password === '') return refusedOpenly('Authentication failed: password not specified');
  const expected = passwordOf(name);
  if (expected === undefined || !isSame(password, expected)) {
    return refusedOpenly('Authentication failed: Invalid username or password');
  }
  if (authorizationId !== '' && authorizationId !== name) return refusedOpenly(OTHER_ID);
  return { kind: 'complete', bytes: new Uint8Array(0), identity: { name, isTokenAuthenticated: false } };
}

/** Takes as long whatever the difference. */
function isSame(one: string, other: string): boolean {
  const [first, second] = [one, other].map((text) => createHash('sha256').update(text).digest()) as [Buffer, Buffer];
  return timingSafeEqual(first, second);
}
