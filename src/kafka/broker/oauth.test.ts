/** A listener with OAUTHBEARER in a simulated cluster, and the issuer whose keys it reads. */
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import test from 'node:test';
import { ListGroupsRequest, ListGroupsResponse } from '../protocol/messages/16-list-groups.ts';
import { SaslHandshakeRequest, SaslHandshakeResponse } from '../protocol/messages/17-sasl-handshake.ts';
import { SaslAuthenticateRequest, SaslAuthenticateResponse } from '../protocol/messages/36-sasl-authenticate.ts';
import { handlerClasses, OAUTHBEARER_MODULE } from '../security/oauth/oauth-keys.ts';
import { type WebAnswer, WebPeer } from '../security/testkit/web-peer.ts';
import { ClusterWorld } from './testkit/cluster-world.ts';
import type { RawClient } from './testkit/raw-client.ts';

const PORT = 9292;
const A = '\u0001';
const pair = generateKeyPairSync('ed25519');
const keysNamed = (...kids: readonly string[]): WebAnswer => ({
  body: JSON.stringify({ keys: kids.map((kid) => ({ ...pair.publicKey.export({ format: 'jwk' }), kid })) }),
});

interface World {
  readonly cluster: ClusterWorld;
  readonly web: WebPeer;
}

async function world(answer: WebAnswer): Promise<World> {
  const prefix = 'listener.name.sasl.oauthbearer';
  const cluster = new ClusterWorld({
    kafka: (host) => ({
      listeners: `PLAINTEXT://${host}:9092,SASL://${host}:${PORT}`,
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT',
      'sasl.enabled.mechanisms': 'OAUTHBEARER',
      [`${prefix}.sasl.jaas.config`]: `${OAUTHBEARER_MODULE} required;`,
      [`${prefix}.sasl.server.callback.handler.class`]: handlerClasses.validator.secured[0],
      // The listener's own claim comes before that of all.
      [`${prefix}.sasl.oauthbearer.sub.claim.name`]: 'who',
      'listener.name.sasl.sasl.oauthbearer.jwks.endpoint.url': 'http://issuer/jwks',
      'sasl.oauthbearer.sub.claim.name': 'sub',
      'sasl.oauthbearer.jwks.endpoint.url': 'http://nowhere/jwks',
      'sasl.oauthbearer.clock.skew.seconds': '0',
    }),
  });
  const web = new WebPeer(() => answer);
  await cluster.sim.complete(web.listen(cluster.sim.machine('issuer')));
  return { cluster, web };
}

const part = (json: unknown): string => Buffer.from(JSON.stringify(json)).toString('base64url');
function tokenOf({ cluster }: World, kid: string, seconds = 60): string {
  const now = Math.floor(cluster.broker(0).machine.runtime.clock.wallMs() / 1000);
  const text = `${part({ alg: 'EdDSA', kid })}.${part({ who: 'alice', iat: now, exp: now + seconds })}`;
  return `${text}.${sign(null, Buffer.from(text), pair.privateKey).toString('base64url')}`;
}

/** How long the session lasts, or what the refusal says. */
async function logIn(client: RawClient, token: string): Promise<number | string> {
  await client.ask(SaslHandshakeRequest, SaslHandshakeResponse, 1, { mechanism: 'OAUTHBEARER' });
  const authBytes = Buffer.from(`n,,${A}auth=Bearer ${token}${A}${A}`);
  const answer = await client.ask(SaslAuthenticateRequest, SaslAuthenticateResponse, 2, { authBytes });
  const text = Buffer.from(answer.authBytes).toString();
  return text === '' ? answer.sessionLifetimeMs : text;
}

const listGroups = (client: RawClient): Promise<ListGroupsResponse> =>
  client.ask(ListGroupsRequest, ListGroupsResponse, 1, {});

test('a token of the issuer is believed, and the session ends with it', async () => {
  const here = await world(keysNamed('a'));
  const { cluster } = here;
  await cluster.start();
  const client = cluster.connectTo(0, PORT);
  const lifetimeMs = await cluster.run(logIn(client, tokenOf(here, 'a', 20)));
  assert.ok(Number(lifetimeMs) > 18_000 && Number(lifetimeMs) <= 20_000, String(lifetimeMs));
  await cluster.run(listGroups(client));
  await cluster.sim.runFor(21_000);
  await assert.rejects(cluster.run(listGroups(client)), /closed by the broker/);
});

test('a key that is new is known soon after a token first named it', async () => {
  const here = await world(keysNamed('a'));
  const { cluster, web } = here;
  await cluster.start();
  web.answer = () => keysNamed('b');
  const refused = await cluster.run(logIn(cluster.connectTo(0, PORT), tokenOf(here, 'b')));
  assert.equal(refused, '{"status":"invalid_token"}');
  await cluster.sim.runFor(1_000);
  assert.equal(typeof (await cluster.run(logIn(cluster.connectTo(0, PORT), tokenOf(here, 'b')))), 'number');
  const old = await cluster.run(logIn(cluster.connectTo(0, PORT), tokenOf(here, 'a')));
  assert.equal(old, '{"status":"invalid_token"}', 'the key of before is none any more');
});

test('a broker does not start without the keys of its issuer', async () => {
  const { cluster } = await world({ status: 404, body: '' });
  await assert.rejects(
    cluster.start(),
    /jwks\.endpoint\.url=http:\/\/issuer\/jwks is refused: the keys cannot be read/,
  );
});
