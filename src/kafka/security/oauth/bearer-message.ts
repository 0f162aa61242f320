/** Where one pair of the message ends, and what a client says to a refusal (RFC 7628). */
export const CONTROL_A = '\u0001';
const AUTH_KEY = 'auth';

const SASL_NAME = '(?:[\\x01-\\x2b\\x2d-\\x3c\\x3e-\\x7f]|=2C|=3D)+';
const EXTENSION_NAME = /^[A-Za-z]+$/;
const EXTENSION_VALUE = /^[\x21-\x7e \t\r\n]+$/;
const PAIRS = `(?:[A-Za-z]+=[\\x21-\\x7e \\t\\r\\n]+${CONTROL_A})*`;
const MESSAGE = new RegExp(`^n,(?:a=(${SASL_NAME}))?,${CONTROL_A}(${PAIRS})${CONTROL_A}$`);
const AUTH = /^(\w+) +([-_~+/.a-zA-Z0-9]+=*)$/;

/** The first and only message of a client that has a token. */
export interface BearerMessage {
  readonly token: string;
  /** Empty for none. */
  readonly authorizationId: string;
  readonly extensions: ReadonlyMap<string, string>;
}

/** Text that is no such message; `isFatal` where Apache's server has no answer to it. */
export interface BearerFault {
  readonly fault: string;
  readonly isFatal?: boolean;
}

/**
 * Reads what `OAuthBearerClientInitialResponse` does:
 *
 *   n,[a=authorization id],^Aauth=Bearer token^A[name=value^A …]^A
 */
export function bearerMessageOf(text: string): BearerMessage | BearerFault {
  const [, authorizationId = '', pairs] = MESSAGE.exec(text) ?? [];
  if (pairs === undefined) return { fault: 'Invalid OAUTHBEARER client first message' };
  const extensions = new Map(pairs.split(CONTROL_A).slice(0, -1).map(pairOf));
  const auth = extensions.get(AUTH_KEY);
  if (auth === undefined) return { fault: "Invalid OAUTHBEARER client first message: 'auth' not specified" };
  extensions.delete(AUTH_KEY);
  const [, scheme, token] = AUTH.exec(auth) ?? [];
  if (scheme === undefined || token === undefined) {
    return { fault: "Invalid OAUTHBEARER client first message: invalid 'auth' format" };
  }
  if (scheme.toLowerCase() !== 'bearer') {
    return { fault: `Invalid scheme in OAUTHBEARER client first message: ${scheme}`, isFatal: true };
  }
  return { token, authorizationId, extensions };
}

function pairOf(pair: string): [string, string] {
  const at = pair.indexOf('=');
  return [pair.slice(0, at), pair.slice(at + 1)];
}

/** @param extensions that `extensionFault` has nothing to say of */
export function bearerMessageText(token: string, extensions: ReadonlyMap<string, string>): string {
  const pairs = [...extensions].map(([name, value]) => `${name}=${value}${CONTROL_A}`).join('');
  return `n,,${CONTROL_A}auth=Bearer ${token}${CONTROL_A}${pairs}${CONTROL_A}`;
}

/** Why these extensions cannot be sent, in Apache's words; undefined where they can. */
export function extensionFault(extensions: ReadonlyMap<string, string>): string | undefined {
  if (extensions.has(AUTH_KEY)) return `Extension name ${AUTH_KEY} is invalid`;
  for (const [name, value] of extensions) {
    if (!EXTENSION_NAME.test(name)) return `Extension name ${name} is invalid`;
    if (!EXTENSION_VALUE.test(value)) return `Extension value (${value}) for extension ${name} is invalid`;
  }
  return undefined;
}
