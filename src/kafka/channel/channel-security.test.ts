/** A channel between brokers that encrypts and authenticates. */
import assert from 'node:assert/strict';
// biome-ignore lint/style/noRestrictedImports: golden files
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { pemCertificates, pemIdentity } from '../../config/keystores/pem.ts';
import { NetworkError } from '../../runtime/network.ts';
import { Simulation } from '../../runtime/sim/simulation.ts';
import type { ServerTls } from '../../runtime/tls.ts';
import { encode } from '../../wire/codec.ts';
import { build } from '../../wire/schema.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import { ControlledShutdownRequest, ControlledShutdownResponse } from '../protocol/messages/07-controlled-shutdown.ts';
import { type ClientSecurity, connectionSecurity } from '../security/client-security.ts';
import { AUTHENTICATE, HANDSHAKE, SaslPeer, type SaslScript, VERSIONS } from '../security/testkit/sasl-peer.ts';
import { NetworkChannel } from './network-channel.ts';

const SHUTDOWN = 7;
const LIFETIME_MS = 60_000;
const pem = (name: string): string =>
  readFileSync(join(import.meta.dirname, `../../../test/golden/tls/${name}.pem`), 'latin1');
const serverTls: ServerTls = {
  material: { identity: pemIdentity(pem('server'), ''), trusted: pemCertificates(pem('ca')) },
  clientAuthentication: 'need',
  protocols: ['TLSv1.2', 'TLSv1.3'],
  handshakeTimeoutMs: 3000,
};
const sasl = { mechanism: 'PLAIN', username: 'broker', password: 'secret' } as const;
/** The simulated machine is no name that the certificate knows. */
const tls = { key: pem('client'), cert: pem('client'), ca: pem('ca'), verifyHostname: false };
const inPlain: ClientSecurity = { protocol: 'SASL_PLAINTEXT', sasl };

async function world(security: ClientSecurity, script: Partial<SaslScript> = {}) {
  const sim = new Simulation({ seed: 8 });
  const machine = sim.machine('peer');
  const peer = new SaslPeer(machine, {
    answer: (_, version) => encode(ControlledShutdownResponse, version, build(ControlledShutdownResponse, {})),
    apiKeys: [],
    sessionLifetimeMs: LIFETIME_MS,
    ...script,
  });
  await sim.complete(peer.listen(machine));
  const { network, clock, random, disk } = sim.machine('broker').runtime;
  const secured = connectionSecurity(disk, security);
  const channel = new NetworkChannel(
    { id: 1, ...peer.address },
    { network, clock, random, clientId: 'broker-0', requestTimeoutMs: 3000, security: () => secured },
  );
  const send = () =>
    channel.send(ControlledShutdownRequest, ControlledShutdownResponse, 2, build(ControlledShutdownRequest, {}));
  return { sim, peer, channel, send };
}

test('requests leave when the other broker knows who asks, in their order', async () => {
  const { sim, peer, send } = await world(inPlain);
  await sim.complete(Promise.all([send(), send()]));
  assert.deepEqual(peer.asked, [VERSIONS, HANDSHAKE, AUTHENTICATE, SHUTDOWN, SHUTDOWN]);
});

test('a session is renewed before it ends', async () => {
  const { sim, peer, send } = await world(inPlain);
  await sim.complete(send());
  await sim.runFor(0.96 * LIFETIME_MS);
  await sim.complete(Promise.all([send(), send()]));
  assert.deepEqual(peer.asked.slice(3), [SHUTDOWN, HANDSHAKE, AUTHENTICATE, SHUTDOWN, SHUTDOWN]);
  assert.equal(peer.connectionCount, 1);
});

test('who is refused fails all that waits with the reason, and the next request tries again', async () => {
  const refusal = { errorCode: ErrorCode.SASL_AUTHENTICATION_FAILED, errorMessage: 'no' };
  const { sim, peer, send } = await world(inPlain, { authentication: (nth) => (nth === 1 ? refusal : {}) });
  for (const result of await sim.complete(Promise.allSettled([send(), send()]))) {
    assert.ok(result.status === 'rejected' && result.reason instanceof KafkaError);
    assert.deepEqual([result.reason.code, result.reason.message], [ErrorCode.SASL_AUTHENTICATION_FAILED, 'no']);
  }
  await sim.complete(send());
  assert.equal(peer.connectionCount, 2);
});

test('a broker that never answers the login fails what waits, in time', async () => {
  const { sim, send } = await world(inPlain, { authentication: () => 'silence' });
  await assert.rejects(sim.complete(Promise.all([send(), send()]), 4000), NetworkError);
});

test('a closed channel fails what waits for the login', async () => {
  const { sim, channel, send } = await world(inPlain, { authentication: () => 'silence' });
  const waiting = send();
  await sim.runFor(100);
  channel.close();
  await assert.rejects(sim.complete(waiting, 1000), NetworkError);
});

test('over TLS, with a certificate of its own', async () => {
  const { sim, peer, send } = await world({ protocol: 'SSL', tls }, { tls: serverTls });
  await sim.complete(Promise.all([send(), send()]));
  assert.deepEqual(peer.asked, [SHUTDOWN, SHUTDOWN]);
});

test('over TLS and with SASL', async () => {
  const { sim, peer, send } = await world({ protocol: 'SASL_SSL', tls, sasl }, { tls: serverTls });
  await sim.complete(send());
  assert.deepEqual(peer.asked, [VERSIONS, HANDSHAKE, AUTHENTICATE, SHUTDOWN]);
});

for (const [name, given] of [
  ['a certificate that is not trusted', { ...tls, ca: pem('other-ca') }],
  ['a certificate for another host', { ...tls, verifyHostname: true }],
] as const) {
  test(`${name} fails the requests`, async () => {
    const { sim, peer, send } = await world({ protocol: 'SASL_SSL', tls: given, sasl }, { tls: serverTls });
    const isRefused = (error: unknown) => error instanceof NetworkError && error.code === 'EPROTO';
    await assert.rejects(sim.complete(send()), isRefused);
    assert.deepEqual(peer.asked, []);
  });
}
