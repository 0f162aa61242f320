/** What clients may say of OAUTHBEARER, right and wrong; each story answers what the broker told. */
import type { Answer } from '../differential/raw-client.ts';
import { claimsOf, maced, nowSeconds, signed, unsecured } from './oauth-tokens.ts';
import { type SaslStory, within } from './sasl-stories.ts';
import type { SaslWire } from './sasl-wire.ts';

const LIST_GROUPS = 16;
const A = '\u0001';

/** Of how long a session lasts, what does not depend on when it was asked for. */
function steady(answer: Answer | 'closed'): unknown {
  if (answer === 'closed') return answer;
  const { sessionLifetimeMs, ...rest } = answer;
  const minutes = Math.round(Number(sessionLifetimeMs ?? 0) / 60_000);
  return { ...rest, authBytes: textOf(answer.authBytes), minutes };
}

function textOf(bytes: unknown): string {
  return bytes instanceof Uint8Array ? Buffer.from(bytes).toString() : String(bytes);
}

/** A refusal is acknowledged, as RFC 7628 has it. */
async function say(wire: SaslWire, message: string): Promise<unknown[]> {
  const told: unknown[] = [await wire.handshake('OAUTHBEARER')];
  const answer = await wire.authenticate(message);
  told.push(steady(answer));
  if (answer !== 'closed' && textOf(answer.authBytes) !== '') told.push(steady(await wire.authenticate(A)));
  const isServed = answer !== 'closed' && answer.errorCode === 0 && textOf(answer.authBytes) === '';
  return [...told, isServed ? await wire.ask(LIST_GROUPS, 0) : await wire.ends()];
}

export function message(token: string, { header = 'n,,', extensions = '', scheme = 'Bearer ' } = {}): string {
  return `${header}${A}auth=${scheme}${token}${A}${extensions}${A}`;
}

type Row = readonly [name: string, message: () => string];

function stories(what: string, rows: readonly Row[]): readonly SaslStory[] {
  return rows.map(([name, text]) => ({ name: `${what}: ${name}`, tell: (wire) => say(wire, text()) }));
}

const right = (): string => unsecured(claimsOf('alice'));
const bearer = (claims: object | (() => object)) => (): string =>
  message(unsecured(typeof claims === 'function' ? claims() : claims));

const messages: readonly Row[] = [
  ['right', () => message(right())],
  ['its own id', () => message(right(), { header: 'n,a=alice,' })],
  ['an id of somebody else', () => message(right(), { header: 'n,a=bob,' })],
  ['an id with signs that are escaped', () => message(right(), { header: 'n,a=al=2Cice,' })],
  ['an id with a sign that is not', () => message(right(), { header: 'n,a=al=ice,' })],
  ['an empty id', () => message(right(), { header: 'n,a=,' })],
  ['channel binding', () => message(right(), { header: 'y,,' })],
  ['no header', () => message(right(), { header: '' })],
  ['extensions', () => message(right(), { extensions: `host=a b${A}port=1=2${A}` })],
  ['an extension twice', () => message(right(), { extensions: `host=a${A}host=b${A}` })],
  ['an extension without a value', () => message(right(), { extensions: `host=${A}` })],
  ['an extension of another name', () => message(right(), { extensions: `ho_st=1${A}` })],
  ['an extension of bytes that are no text', () => message(right(), { extensions: `host=ü${A}` })],
  ['auth twice', () => message(right(), { extensions: `auth=Bearer x${A}` })],
  ['no auth', () => `n,,${A}host=a${A}${A}`],
  ['nothing but separators', () => `n,,${A}${A}`],
  ['one separator too few', () => message(right()).slice(0, -1)],
  ['one separator too many', () => `${message(right())}${A}`],
  ['another scheme', () => message(right(), { scheme: 'Basic ' })],
  ['the scheme in capitals', () => message(right(), { scheme: 'BEARER ' })],
  ['two spaces', () => message(right(), { scheme: 'Bearer  ' })],
  ['no space', () => message(right(), { scheme: 'Bearer' })],
  ['a token of signs that are none of it', () => message('a!b')],
  ['nothing', () => ''],
  ['an acknowledgement first', () => A],
];

const tokens: readonly Row[] = [
  ['one part', () => message('abc')],
  ['two parts', () => message('abc.def')],
  ['four parts', () => message(`${right()}a.b`)],
  ['an empty part', () => message('abc..')],
  ['no header', () => message(`.${right().split('.')[1]}.`)],
  ['a signature', () => message(`${right()}abc`)],
  ['an algorithm', () => message(unsecured(claimsOf('alice'), { alg: 'RS256' }))],
  ['no algorithm', () => message(unsecured(claimsOf('alice'), {}))],
  ['a null algorithm', () => message(unsecured(claimsOf('alice'), { alg: null }))],
  ['a header that is no JSON', () => message(unsecured(claimsOf('alice'), '{'))],
  ['claims that are no JSON', () => message(unsecured('alice'))],
  ['claims that are a list', () => message(unsecured([1]))],
  ['claims that are a text', () => message(unsecured('"alice"'))],
  ['claims of no Base64', () => message(`${right().split('.')[0]}.a.`)],
  ['claims in the alphabet of URLs', () => message(unsecured(claimsOf('>>>???', { a: '???>>>', b: 'ÿÿÿ' })))],
  [
    'claims in the plain alphabet',
    () => message(unsecured(claimsOf('>>>???', { a: '???>>>' }), { alg: 'none' }, 'base64')),
  ],
  ['expired', bearer(() => claimsOf('alice', { exp: nowSeconds() - 5 }))],
  ['no end', bearer({ sub: 'alice' })],
  ['an end that is a text', bearer(() => claimsOf('alice', { exp: '99999999999' }))],
  ['no time of issue', bearer(() => claimsOf('alice', { iat: undefined }))],
  ['issued later', bearer(() => claimsOf('alice', { iat: nowSeconds() + 100 }))],
  ['issued at a text', bearer(() => claimsOf('alice', { iat: 'yesterday' }))],
  ['fractions of a second', bearer(() => claimsOf('alice', { exp: nowSeconds() + 300.5, iat: nowSeconds() - 0.5 }))],
  ['no subject', bearer(() => claimsOf('alice', { sub: undefined }))],
  ['a blank subject', bearer(() => claimsOf('  '))],
  ['a subject that is a number', bearer(() => claimsOf('alice', { sub: 7 }))],
  ['a subject that is true', bearer(() => claimsOf('alice', { sub: true }))],
  ['a subject that is null', bearer(() => claimsOf('alice', { sub: null }))],
  ['a subject that is a list', bearer(() => claimsOf('alice', { sub: ['alice'] }))],
  ['a scope that is a number', bearer(() => claimsOf('alice', { scope: 7 }))],
  ['a scope that is a list of anything', bearer(() => claimsOf('alice', { scope: ['a', 1, null, {}, ' '] }))],
];

/** Of a listener without options. */
export const unsecuredStories: readonly SaslStory[] = [
  ...stories('message', messages),
  ...stories('unsecured', tokens),
  {
    name: 'another token after one that is refused',
    async tell(wire) {
      const told = [await wire.handshake('OAUTHBEARER'), steady(await wire.authenticate(message('abc')))];
      return [...told, steady(await wire.authenticate(message(right()))), await wire.ask(LIST_GROUPS, 0)];
    },
  },
  ...(
    [
      ['right', () => message(right())],
      ['refused', () => message('abc')],
      ['malformed', () => 'abc'],
      ['of another id', () => message(right(), { header: 'n,a=bob,' })],
    ] as const
  ).map(([name, text]) => ({
    name: `in bare frames: ${name}`,
    async tell(wire: SaslWire) {
      const told = [await wire.handshake('OAUTHBEARER', 0), await wire.bare(text())];
      return [...told, await wire.bare(A), await wire.ends()];
    },
  })),
  {
    name: 'a session ends with its token, without a limit of the listener',
    async tell(wire) {
      const told = await within(1500, async () => {
        const token = unsecured(claimsOf('alice', { exp: nowSeconds() + 1.5 }));
        const heard = [await wire.handshake('OAUTHBEARER'), steady(await wire.authenticate(message(token)))];
        return [...heard, await wire.ask(LIST_GROUPS, 0)];
      });
      await new Promise((resolve) => setTimeout(resolve, 2000));
      return [...told, await wire.ask(LIST_GROUPS, 0)];
    },
  },
  {
    name: 'another token may not be of somebody else',
    async tell(wire) {
      const told = await say(wire, message(right()));
      return [...told, ...(await say(wire, message(unsecured(claimsOf('bob')))))];
    },
  },
  {
    name: 'another token renews the session',
    async tell(wire) {
      const told = await say(wire, message(right()));
      return [...told, ...(await say(wire, message(unsecured(claimsOf('alice', { exp: nowSeconds() + 1200 })))))];
    },
  },
];

/** Of a listener that demands the scopes `read` and `write`, goes by the claim `who` and `what`, and forgives 10 s. */
export const demandingStories: readonly SaslStory[] = stories('demanding', [
  ['right', bearer(() => claimsOf('x', { who: 'alice', what: ['write', 'read'] }))],
  ['one scope of two', bearer(() => claimsOf('x', { who: 'alice', what: ['write'] }))],
  ['both in one text', bearer(() => claimsOf('x', { who: 'alice', what: 'read write' }))],
  ['no scope', bearer(() => claimsOf('x', { who: 'alice' }))],
  ['no principal', bearer(() => claimsOf('x', { what: ['write', 'read'] }))],
  [
    'expired a moment ago',
    bearer(() => claimsOf('x', { who: 'a', what: ['write', 'read'], exp: nowSeconds() - 5, iat: 1 })),
  ],
  [
    'expired long ago',
    bearer(() => claimsOf('x', { who: 'a', what: ['write', 'read'], exp: nowSeconds() - 15, iat: 1 })),
  ],
  ['issued in a moment', bearer(() => claimsOf('x', { who: 'a', what: ['write', 'read'], iat: nowSeconds() + 5 }))],
]);

const secured =
  (claims: () => object): (() => string) =>
  () =>
    message(signed(claims()));
const algorithms = [
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const).map((alg) => [alg, 'rsa'] as const),
  ['ES256', 'p256'],
  ['ES384', 'p384'],
  ['ES512', 'p521'],
  ['EdDSA', 'ed'],
] as const;

/** Of a listener that knows the keys of an issuer, and asks for nothing else. */
export const securedStories: readonly SaslStory[] = stories('secured', [
  ...algorithms.map(([alg, key]): Row => [alg, () => message(signed(claimsOf('alice'), key, { alg }))]),
  ...['HS256', 'HS512'].map((alg): Row => [alg, () => message(maced(claimsOf('alice'), alg))]),
  ['no key id', () => message(signed(claimsOf('alice'), 'rsa', { kid: undefined }))],
  [
    'no key id, with the one key of its curve',
    () => message(signed(claimsOf('alice'), 'p384', { alg: 'ES384', kid: undefined })),
  ],
  ['a key id that is not known', () => message(signed(claimsOf('alice'), 'other'))],
  ['a key id of another key', () => message(signed(claimsOf('alice'), 'other', { kid: 'rsa' }))],
  ['a key that is for encryption', () => message(signed(claimsOf('alice'), 'other', { kid: 'encrypting' }))],
  ['a key that is too small', () => message(signed(claimsOf('alice'), 'small'))],
  ['a public key taken for a secret', () => message(maced(claimsOf('alice'), 'HS256', { kid: 'rsa' }))],
  ['an algorithm of another key', () => message(signed(claimsOf('alice'), 'p256', { alg: 'ES256', kid: 'p384' }))],
  ['no algorithm', () => message(signed(claimsOf('alice'), 'rsa', { alg: undefined }).replace(/^[^.]*/, 'e30'))],
  ['no signature', () => message(unsecured(claimsOf('alice')))],
  ['none, with a signature', () => message(`${unsecured(claimsOf('alice'))}abc`)],
  ['critical parameters', () => message(signed(claimsOf('alice'), 'rsa', { crit: ['x'], x: 1 }))],
  [
    'a signature of other claims',
    () => {
      const [one, other] = [signed(claimsOf('alice')), signed(claimsOf('bob'))].map((token) => token.split('.'));
      return message(`${one?.[0]}.${one?.[1]}.${other?.[2]}`);
    },
  ],
  ['claims that are a list', () => message(signed([1]))],
  ['claims that would be a verdict', secured(() => ({ kind: 'valid', principal: 'admin', expiresAtMs: 1e15 }))],
  ['expired', secured(() => claimsOf('alice', { exp: nowSeconds() - 40 }))],
  ['expired within what is forgiven', secured(() => claimsOf('alice', { exp: nowSeconds() - 20, iat: 1 }))],
  ['no end', secured(() => claimsOf('alice', { exp: undefined }))],
  ['an end that is a text', secured(() => claimsOf('alice', { exp: '99999999999' }))],
  ['no time of issue', secured(() => claimsOf('alice', { iat: undefined }))],
  ['issued later', secured(() => claimsOf('alice', { iat: nowSeconds() + 300 }))],
  ['issued after its end', secured(() => claimsOf('alice', { iat: nowSeconds() + 3000 }))],
  ['issued before 1970', secured(() => claimsOf('alice', { iat: -5 }))],
  ['valid later', secured(() => claimsOf('alice', { nbf: nowSeconds() + 300 }))],
  ['valid in a moment', secured(() => claimsOf('alice', { nbf: nowSeconds() + 20 }))],
  ['valid after its end', secured(() => claimsOf('alice', { nbf: nowSeconds() + 3000 }))],
  ['fractions of a second', secured(() => claimsOf('alice', { exp: nowSeconds() + 300.7 }))],
  ['an audience', secured(() => claimsOf('alice', { aud: 'kafka' }))],
  ['an audience that is a number', secured(() => claimsOf('alice', { aud: 7 }))],
  ['any issuer', secured(() => claimsOf('alice', { iss: 'anybody' }))],
  ['an issuer that is a number', secured(() => claimsOf('alice', { iss: 7 }))],
  ['an id that is a number', secured(() => claimsOf('alice', { jti: 7 }))],
  ['no subject', secured(() => claimsOf('alice', { sub: undefined }))],
  ['a subject that is a number', secured(() => claimsOf('alice', { sub: 7 }))],
  ['a subject between spaces', secured(() => claimsOf(' alice '))],
  ['a blank subject', secured(() => claimsOf(' '))],
  ['scopes', secured(() => claimsOf('alice', { scope: ['a', 'b'] }))],
  ['a scope twice', secured(() => claimsOf('alice', { scope: ['a', 'a '] }))],
  ['a scope that is a number', secured(() => claimsOf('alice', { scope: 7 }))],
  ['scopes that are numbers', secured(() => claimsOf('alice', { scope: [7] }))],
  ['scopes that are null', secured(() => claimsOf('alice', { scope: [null] }))],
  ['a blank scope', secured(() => claimsOf('alice', { scope: ' ' }))],
  ['extensions', () => message(signed(claimsOf('alice')), { extensions: `host=a${A}` })],
  ['an id of somebody else', () => message(signed(claimsOf('alice')), { header: 'n,a=bob,' })],
]);

/** Of a listener that reads the keys over HTTP, and demands audience and issuer. */
export const issuerStories: readonly SaslStory[] = stories('issuer', [
  ['right', secured(() => claimsOf('alice', { aud: 'kafka', iss: 'https://issuer' }))],
  ['one audience of several', secured(() => claimsOf('alice', { aud: ['x', 'broker'], iss: 'https://issuer' }))],
  ['another audience', secured(() => claimsOf('alice', { aud: 'x', iss: 'https://issuer' }))],
  ['no audience', secured(() => claimsOf('alice', { iss: 'https://issuer' }))],
  ['another issuer', secured(() => claimsOf('alice', { aud: 'kafka', iss: 'https://x' }))],
  ['no issuer', secured(() => claimsOf('alice', { aud: 'kafka' }))],
  ['a key id that is not known', () => message(signed(claimsOf('alice', { aud: 'kafka' }), 'other'))],
]);
