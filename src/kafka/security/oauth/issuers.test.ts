/** The keys of an issuer behind a URL, in a simulated world. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import test from 'node:test';
import { ConfigError } from '../../../config/config-error.ts';
import type { SimMachine } from '../../../runtime/sim/sim-machine.ts';
import { Simulation } from '../../../runtime/sim/simulation.ts';
import { type WebAnswer, WebPeer } from '../testkit/web-peer.ts';
import { Issuers } from './issuers.ts';
import type { IssuerKeys } from './secured-validator.ts';

const jwk = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
const keysNamed = (...kids: readonly string[]): WebAnswer => ({
  body: JSON.stringify({ keys: kids.map((kid) => ({ ...jwk, kid })) }),
});
const broken: WebAnswer = { status: 500, body: 'no' };

interface World {
  readonly sim: Simulation;
  readonly broker: SimMachine;
  readonly web: WebPeer;
  readonly issuers: Issuers;
  readonly issuer: IssuerKeys;
}

async function world(answer: WebAnswer, settings: Readonly<Record<string, string>> = {}): Promise<World> {
  const sim = new Simulation({ seed: 1 });
  const [machine, broker] = [sim.machine('issuer'), sim.machine('broker')];
  const web = new WebPeer(() => answer);
  await sim.complete(web.listen(machine));
  const keys = new Map(
    Object.entries({ 'sasl.oauthbearer.jwks.endpoint.url': 'http://issuer/keys?of=kafka', ...settings }),
  );
  const issuers = new Issuers(broker.runtime);
  return { sim, broker, web, issuers, issuer: issuers.keysOf((key) => keys.get(key), new Map()) };
}

const kidsOf = ({ issuer }: World): unknown[] => issuer.keys.map(({ kid }) => kid);
const HOUR_MS = 3_600_000;

test('the keys are read before the broker starts, and every hour from then on', async () => {
  const here = await world(keysNamed('a'));
  const { sim, web, issuers } = here;
  assert.deepEqual(kidsOf(here), []);
  await sim.complete(issuers.open());
  assert.deepEqual(kidsOf(here), ['a']);
  assert.deepEqual(
    web.asked.map(({ method, url, headers }) => [method, url, headers.host]),
    [['GET', '/keys?of=kafka', 'issuer']],
  );
  web.answer = () => keysNamed('b');
  await sim.runFor(HOUR_MS - 1_000);
  assert.deepEqual(kidsOf(here), ['a']);
  await sim.runFor(2_000);
  assert.deepEqual(kidsOf(here), ['b']);
  await sim.runFor(HOUR_MS);
  assert.equal(web.asked.length, 3);
  issuers.close();
  await sim.runFor(5 * HOUR_MS);
  assert.equal(web.asked.length, 3, 'a broker that is closed reads no more');
});

test('the start is tried again, for so long as retries may take, and then refused', async () => {
  const { sim, web, issuers } = await world(broken);
  const begunMs = sim.nowMs;
  await assert.rejects(sim.complete(issuers.open()), (error) => {
    return (
      error instanceof ConfigError &&
      /issuer\/keys\?of=kafka is refused: the keys cannot be read .*status 500/.test(error.message)
    );
  });
  // After 0, 100, 300, 700, … 6300 ms, and at the end of the ten seconds.
  assert.equal(web.asked.length, 8);
  assert.ok(sim.nowMs - begunMs >= 10_000 && sim.nowMs - begunMs < 10_500);
});

test('an issuer that mends itself meanwhile is waited for', async () => {
  const here = await world(broken);
  here.web.answer = () => (here.web.asked.length < 3 ? broken : keysNamed('a'));
  await here.sim.complete(here.issuers.open());
  assert.deepEqual(kidsOf(here), ['a']);
});

test('what cannot be read leaves the keys as they were', async () => {
  const here = await world(keysNamed('a'));
  await here.sim.complete(here.issuers.open());
  for (const answer of [broken, { body: 'no JSON' }, { body: '{}' }]) {
    here.web.answer = () => answer;
    await here.sim.runFor(HOUR_MS + 20_000);
    assert.deepEqual(kidsOf(here), ['a']);
  }
});

test('an issuer that is silent is given up', async () => {
  const { sim, issuers } = await world('silence');
  await assert.rejects(sim.complete(issuers.open()), /issuer\/keys is silent/);
});

test('an issuer that cannot be reached is given up', async () => {
  const { sim, issuers } = await world(keysNamed('a'));
  for (const machine of sim.machines) sim.network.isolate(machine);
  const begunMs = sim.nowMs;
  await assert.rejects(sim.complete(issuers.open()), /issuer\/keys is silent/);
  assert.ok(sim.nowMs - begunMs <= 20_000);
});

test('a key that is missing is asked for at once, but each only once in a minute', async () => {
  const here = await world(keysNamed('a'));
  const { sim, web, issuers, issuer } = here;
  await sim.complete(issuers.open());
  for (let times = 0; times < 5; times += 1) {
    issuer.missing('b');
    await sim.runFor(5_000);
  }
  assert.equal(web.asked.length, 2);
  await sim.runFor(40_000);
  web.answer = () => keysNamed('a', 'b');
  issuer.missing('b');
  await sim.runFor(5_000);
  assert.equal(web.asked.length, 3);
  assert.deepEqual(kidsOf(here), ['a', 'b']);
  issuer.missing('x'.repeat(1_001));
  await sim.runFor(5_000);
  assert.equal(web.asked.length, 3, 'such a name is none');
});

test('listeners with the same issuer share its keys', async () => {
  const { web, sim, issuers, issuer } = await world(keysNamed('a'));
  const keys = new Map([['sasl.oauthbearer.jwks.endpoint.url', 'http://issuer/keys?of=kafka']]);
  assert.equal(
    issuers.keysOf((key) => keys.get(key), new Map()),
    issuer,
  );
  await sim.complete(issuers.open());
  assert.equal(web.asked.length, 1);
});

test('keys of a file are read at the start', () => {
  const { runtime } = new Simulation({ seed: 1 }).machine('broker');
  const keysOf = (url: string): IssuerKeys => new Issuers(runtime).keysOf(() => url, new Map());
  runtime.disk.writeFile('/keys.json', Buffer.from(JSON.stringify({ keys: [{ ...jwk, kid: 'f' }] })));
  assert.deepEqual(
    keysOf('file:///keys.json').keys.map(({ kid }) => kid),
    ['f'],
  );
  runtime.disk.writeFile('/keys.json', Buffer.from('[]'));
  for (const [url, fault] of [
    ['file:///keys.json', /is no JWK set/],
    ['file:///none.json', /cannot be read \(ENOENT\)/],
    ['ftp://x/y', /only "http", "https", and "file" protocol are supported/],
    ['', /value must be non-null/],
  ] as const) {
    assert.throws(
      () => keysOf(url),
      (error) => error instanceof ConfigError && fault.test(error.message),
    );
  }
});
