/** SASL on the wire: Apache's broker 3.9.1 and ours are told the same frames and answer alike. */
import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { scramMechanisms } from '../../../src/kafka/security/scram-credential.ts';
import { freePort } from '../peers/free-port.ts';
import { until } from '../peers/process.ts';
import { PLAIN_MODULE, SCRAM_MODULE } from '../security/listeners.ts';
import { type OAuthListener, oauthKeys, oauthListeners } from '../security/oauth-listeners.ts';
import { demandingStories, issuerStories, securedStories, unsecuredStories } from '../security/oauth-stories.ts';
import { type Issuer, startIssuer } from '../security/oauth-tokens.ts';
import { reauthenticationStories, type SaslStory, SESSION_MS, saslStories, TooLate } from '../security/sasl-stories.ts';
import { SaslWire, scramFinal, scramFirst } from '../security/sasl-wire.ts';
import { makeScramUser } from '../security/scram-user.ts';
import { type Pair, startPair } from './pair.ts';

interface Ports extends Readonly<Record<OAuthListener, number>> {
  readonly plaintext: number;
  readonly sasl: number;
  /** Where sessions end. */
  readonly limited: number;
}

let pair: Pair;
let issuer: Issuer;
let sides: { readonly apache: Ports; readonly odradek: Ports };

before(async () => {
  issuer = await startIssuer();
  const [apache, odradek] = [await ownPorts(), await ownPorts()];
  pair = await startPair(securityKeys(), {
    apache: listenersOf(apache),
    apachePort: apache.plaintext,
    odradek: listenersOf(odradek),
  });
  sides = { apache, odradek };
  await Promise.all([makeCarol(apache), makeCarol(odradek)]);
});

after(async () => {
  await pair?.stop();
  await issuer?.close();
});

async function ownPorts(): Promise<Ports> {
  const ports = { plaintext: await freePort(), sasl: await freePort(), limited: await freePort() };
  const oauth: [string, number][] = [];
  for (const name of oauthListeners) oauth.push([name, await freePort()]);
  return { ...ports, ...(Object.fromEntries(oauth) as Record<OAuthListener, number>) };
}

function listenersOf(ports: Ports): Record<string, string> {
  const at = Object.entries(ports).map(([name, port]) => `${name.toUpperCase()}://127.0.0.1:${port}`);
  return { listeners: at.join() };
}

function securityKeys(): Record<string, string> {
  const keys: Record<string, string> = {
    ...oauthKeys(issuer),
    'listener.security.protocol.map': [
      'PLAINTEXT:PLAINTEXT',
      ...['SASL', 'LIMITED', ...oauthListeners].map((name) => `${name}:SASL_PLAINTEXT`),
    ].join(),
    'sasl.enabled.mechanisms': 'SCRAM-SHA-256,PLAIN,SCRAM-SHA-512',
    // The rest has the 0 that is the default.
    'listener.name.limited.plain.connections.max.reauth.ms': String(SESSION_MS),
  };
  for (const listener of ['sasl', 'limited']) {
    const users = 'user_alice="alice-secret" user_bob="bob-secret"';
    keys[`listener.name.${listener}.plain.sasl.jaas.config`] = `${PLAIN_MODULE} required ${users};`;
    for (const { name } of scramMechanisms) {
      keys[`listener.name.${listener}.${name.toLowerCase()}.sasl.jaas.config`] = `${SCRAM_MODULE} required;`;
    }
  }
  return keys;
}

/** Until her credentials are known to the broker. */
async function makeCarol({ plaintext, sasl }: Ports): Promise<void> {
  await makeScramUser(plaintext, 'carol', 'carol-secret');
  for (const { name } of scramMechanisms) {
    await until(`carol by ${name}`, async () => ((await canLogIn(sasl, name)) ? true : undefined));
  }
}

async function canLogIn(port: number, mechanism: string): Promise<boolean> {
  return told(port, async (wire) => {
    await wire.handshake(mechanism);
    const first = scramFirst('carol');
    const answer = await wire.authenticate(first);
    if (answer === 'closed' || answer.errorCode !== 0) return false;
    const challenge = Buffer.from(answer.authBytes as Uint8Array).toString();
    const last = await wire.authenticate(scramFinal(mechanism, challenge, { first, password: 'carol-secret' }));
    return last !== 'closed' && last.errorCode === 0;
  });
}

async function told<T>(port: number, tell: (wire: SaslWire) => Promise<T>): Promise<T> {
  const wire = new SaslWire(port);
  try {
    return await tell(wire);
  } finally {
    wire.close();
  }
}

async function toldInTime(port: number, tell: SaslStory['tell']): Promise<unknown[] | undefined> {
  return told(port, tell).catch((error: unknown) => {
    if (error instanceof TooLate) return undefined;
    throw error;
  });
}

async function compare({ name, tell }: SaslStory, listener: keyof Ports, t: TestContext): Promise<void> {
  await t.test(name, { timeout: 120_000 }, async () => {
    const [theirs, ours] = await Promise.all(
      [sides.apache, sides.odradek].map((ports) => until(`${name}, in time`, () => toldInTime(ports[listener], tell))),
    );
    assert.deepEqual(ours, theirs);
  });
}

test('what clients say of SASL, right and wrong', { concurrency: 8 }, async (t) => {
  await Promise.all(saslStories.map((story) => compare(story, 'sasl', t)));
});

test('sessions that end', { concurrency: true }, async (t) => {
  await Promise.all(reauthenticationStories.map((story) => compare(story, 'limited', t)));
});

for (const [what, listener, stories] of [
  ['OAUTHBEARER: messages, and tokens without a signature', 'UNSECURED', unsecuredStories],
  ['OAUTHBEARER: what a listener may demand of tokens without a signature', 'DEMANDING', demandingStories],
  ['OAUTHBEARER: tokens that are signed by a key of a file', 'SECURED', securedStories],
  ['OAUTHBEARER: tokens of an issuer whose keys are read over HTTP', 'ISSUER', issuerStories],
] as const) {
  test(what, { concurrency: 8 }, async (t) => {
    await Promise.all(stories.map((story) => compare(story, listener, t)));
  });
}
