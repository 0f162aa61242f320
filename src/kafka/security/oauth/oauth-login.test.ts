/** Logins by tokens: where they come from, and when there is another one. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { ConfigError } from '../../../config/config-error.ts';
import type { SimMachine } from '../../../runtime/sim/sim-machine.ts';
import { Simulation } from '../../../runtime/sim/simulation.ts';
import type { OAuthLogin } from '../sasl/sasl-client.ts';
import { type WebAnswer, WebPeer } from '../testkit/web-peer.ts';
import { handlerClasses, OAUTHBEARER_MODULE } from './oauth-keys.ts';
import { oauthLoginOf } from './oauth-login.ts';
import { oldAtMs } from './token-source.ts';

const [SECURED] = handlerClasses.login.secured;
type Texts = Readonly<Record<string, string>>;

function loginOf(
  { runtime }: SimMachine,
  options: Texts,
  keys: Texts = {},
  className: string | undefined = undefined,
): OAuthLogin {
  const given = new Map(Object.entries(keys));
  return oauthLoginOf({
    key: 'jaas',
    modules: [{ className: OAUTHBEARER_MODULE, options: new Map(Object.entries(options)) }],
    get: (key) => given.get(key),
    handler: { key: 'handler', className },
    runtime,
  });
}

const credentials = { clientId: 'me', clientSecret: 'a secret', scope: 'read write', extension_host: 'x' };
const tokenUrl = { 'sasl.oauthbearer.token.endpoint.url': 'http://provider/token' };

interface World {
  readonly sim: Simulation;
  readonly client: SimMachine;
  readonly web: WebPeer;
  readonly login: OAuthLogin;
}

async function world(answer: WebAnswer | undefined = undefined, keys: Texts = {}): Promise<World> {
  const sim = new Simulation({ seed: 1 });
  const [provider, client] = [sim.machine('provider'), sim.machine('client')];
  const web = new WebPeer(
    () => answer ?? { body: JSON.stringify({ access_token: tokenFor(client, web.asked.length) }) },
  );
  await sim.complete(web.listen(provider));
  return { sim, client, web, login: loginOf(client, credentials, { ...tokenUrl, ...keys }, SECURED) };
}

/** The n-th, for ten minutes; its signature is the broker's affair. */
function tokenFor({ runtime }: SimMachine, nth: number): string {
  const nowSeconds = Math.floor(runtime.clock.wallMs() / 1000);
  const claims = { sub: 'me', iat: nowSeconds, exp: nowSeconds + 600, nth };
  return `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.AAAA`;
}

async function nthOf({ sim, login }: World): Promise<number> {
  const { value } = await sim.complete(login.oauthToken());
  return JSON.parse(Buffer.from(value.split('.')[1] ?? '', 'base64url').toString()).nth;
}

test('a token is had by the credentials of the module, with their scope and extensions', async () => {
  const { sim, login, web } = await world();
  const { extensions } = await sim.complete(login.oauthToken());
  assert.deepEqual(extensions, { host: 'x' });
  const [{ method, url, headers, body } = {}] = web.asked as unknown as Record<string, never>[];
  assert.deepEqual([method, url, body], ['POST', '/token', 'grant_type=client_credentials&scope=read+write']);
  const { authorization, host, accept, 'content-type': type } = (headers ?? {}) as Texts;
  assert.deepEqual([host, accept, type], ['provider', 'application/json', 'application/x-www-form-urlencoded']);
  assert.equal(Buffer.from((authorization ?? '').slice('Basic '.length), 'base64').toString(), 'me:a secret');
});

test('sasl.oauthbearer.header.urlencode encodes the credentials', async () => {
  const { sim, login, web } = await world(undefined, { 'sasl.oauthbearer.header.urlencode': 'true' });
  await sim.complete(login.oauthToken());
  const authorization = String(web.asked[0]?.headers.authorization);
  assert.equal(Buffer.from(authorization.slice('Basic '.length), 'base64').toString(), 'me:a+secret');
});

test('a token is kept until it is old; then one is fetched beside it, and the old one is good still', async () => {
  const here = await world();
  // Of 600 s it is old after 80 to 85 %, but 300 s before its end at the latest.
  assert.equal(await nthOf(here), 1);
  await here.sim.runFor(290_000);
  assert.equal(await nthOf(here), 1);
  assert.equal(here.web.asked.length, 1);
  await here.sim.runFor(11_000);
  assert.equal(await nthOf(here), 1);
  await here.sim.runFor(1_000);
  assert.equal(await nthOf(here), 2);
  assert.equal(here.web.asked.length, 2);
});

test('a provider that is out of order is asked again after ten seconds, while the token lasts', async () => {
  const here = await world(undefined, { 'sasl.login.retry.backoff.max.ms': '0' });
  await nthOf(here);
  here.web.answer = () => ({ status: 503, body: '' });
  await here.sim.runFor(310_000);
  here.web.asked.length = 0;
  for (let times = 0; times < 5; times += 1) {
    assert.equal(await nthOf(here), 1);
    await here.sim.runFor(1_000);
  }
  assert.equal(here.web.asked.length, 1);
  await here.sim.runFor(6_000);
  assert.equal(await nthOf(here), 1);
  await here.sim.runFor(1_000);
  assert.equal(here.web.asked.length, 2);
  await here.sim.runFor(300_000);
  await assert.rejects(nthOf(here), /The response code 503/, 'the token is over');
});

for (const [name, answer, fault, count] of [
  [
    'who is not known',
    { status: 401, body: '{"error":"invalid_client","error_description":"who"}' },
    /401 and error response {invalid_client - who}/,
    1,
  ],
  ['an answer without a token', { body: '{"secret":1}' }, /did not contain an access_token value$/, 1],
  ['a token that is none', { body: '{"access_token":"abc"}' }, /expected three sections/, 1],
  ['a server that fails', { status: 500, body: 'secret' }, /The response code 500 and error response {}/, 8],
  ['no JSON', { body: 'secret' }, /did not contain an access_token value$/, 1],
] as const) {
  test(`no token: ${name}`, async () => {
    const { sim, login, web } = await world(answer);
    await assert.rejects(sim.complete(login.oauthToken()), fault);
    assert.equal(web.asked.length, count, 'what will not help is not tried again');
  });
}

test('a token of a file', async () => {
  const sim = new Simulation({ seed: 1 });
  const client = sim.machine('client');
  client.runtime.disk.writeFile('/token', Buffer.from(`${tokenFor(client, 7)}\n`));
  const login = loginOf(client, {}, { 'sasl.oauthbearer.token.endpoint.url': 'file:///token' }, SECURED);
  assert.equal((await sim.complete(login.oauthToken())).value, tokenFor(client, 7));
});

test('a token without a signature is made anew before it ends', async () => {
  const sim = new Simulation({ seed: 1 });
  const client = sim.machine('client');
  const login = loginOf(client, { unsecuredLoginStringClaim_sub: 'me', unsecuredLoginExtension_host: 'x' });
  const first = await sim.complete(login.oauthToken());
  assert.deepEqual(first.extensions, { host: 'x' });
  await sim.runFor(2_000_000);
  assert.equal((await sim.complete(login.oauthToken())).value, first.value);
  await sim.runFor(1_500_000);
  await sim.complete(login.oauthToken());
  assert.notEqual((await sim.complete(login.oauthToken())).value, first.value);
});

const refresh = { windowFactor: 0.8, windowJitter: 0.05, minPeriodSeconds: 60, bufferSeconds: 300 };
for (const [name, token, chance, want] of [
  ['after a part of its life', { startsAtMs: 0, expiresAtMs: 10_000_000 }, 0, 8_000_000],
  ['and some more by chance', { startsAtMs: 0, expiresAtMs: 10_000_000 }, 0.5, 8_250_000],
  ['before its last minutes', { startsAtMs: 0, expiresAtMs: 1_000_000 }, 0, 700_000],
  ['not in its first minute', { startsAtMs: -9_000_000, expiresAtMs: 1_000_000 }, 0, 60_000],
  ['of a short life the same part', { startsAtMs: 0, expiresAtMs: 100_000 }, 0, 80_000],
  ['from now on, where it does not say since when', { startsAtMs: undefined, expiresAtMs: 10_000_000 }, 0, 8_000_000],
] as const) {
  test(`a token is old ${name}`, () => assert.equal(oldAtMs({ value: '', ...token }, 0, refresh, chance), want));
}

for (const [name, options, keys, className, fault] of [
  [
    'a class of Java',
    {},
    {},
    'com.example.Handler',
    /handler=com\.example\.Handler is refused: there are no classes of Java/,
  ],
  ['no URL', credentials, {}, SECURED, /sasl\.oauthbearer\.token\.endpoint\.url is missing/],
  ['no secret', { clientId: 'a' }, tokenUrl, SECURED, /option clientSecret value must be non-null/],
  [
    'an extension of no name',
    { ...credentials, 'extension_a.b': 'x' },
    tokenUrl,
    SECURED,
    /Extension name a\.b is invalid/,
  ],
  [
    'a factor that is none',
    credentials,
    { ...tokenUrl, 'sasl.login.refresh.window.factor': 'x' },
    SECURED,
    /window\.factor=x is refused/,
  ],
] as const) {
  test(`refused: ${name}`, () => {
    const machine = new Simulation({ seed: 1 }).machine('client');
    assert.throws(
      () => loginOf(machine, options, keys, className),
      (error) => error instanceof ConfigError && fault.test(error.message) && !error.message.includes('a secret'),
    );
  });
}
