/** What is on the wire of a connection that authenticates, against a broker that answers what a test tells it to. */
import assert from 'node:assert/strict';
// biome-ignore lint/style/noRestrictedImports: golden files
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { pemCertificates, pemIdentity } from '../../config/keystores/pem.ts';
import type { SimMachine } from '../../runtime/sim/sim-machine.ts';
import { Simulation } from '../../runtime/sim/simulation.ts';
import type { ServerTls } from '../../runtime/tls.ts';
import { encode } from '../../wire/codec.ts';
import { build } from '../../wire/schema.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import { MetadataRequest, MetadataResponse } from '../protocol/messages/03-metadata.ts';
import type { ClientSecurity } from '../security/client-security.ts';
import type { SaslLogin } from '../security/sasl/sasl-client.ts';
import { AUTHENTICATE, HANDSHAKE, SaslPeer, type SaslScript, VERSIONS } from '../security/testkit/sasl-peer.ts';
import { createAdmin } from './admin.ts';
import { SslAuthenticationError } from './client-errors.ts';
import { BrokerConnection } from './connection.ts';
import { createConsumer } from './consumer.ts';
import { createProducer } from './producer.ts';

const METADATA = 3;
const LIFETIME_MS = 100_000;
const security: ClientSecurity = {
  protocol: 'SASL_PLAINTEXT',
  sasl: { mechanism: 'PLAIN', username: 'alice', password: 'secret' },
};
const refusal = {
  errorCode: ErrorCode.SASL_AUTHENTICATION_FAILED,
  errorMessage: 'Authentication failed: no',
  sessionLifetimeMs: 0,
};

const pem = (name: string): string =>
  readFileSync(join(import.meta.dirname, `../../../test/golden/tls/${name}.pem`), 'latin1');

interface World {
  readonly sim: Simulation;
  readonly client: SimMachine;
  readonly peer: SaslPeer;
  readonly asked: number[];
}

async function world(authentication?: SaslScript['authentication'], tls?: ServerTls): Promise<World> {
  const sim = new Simulation({ seed: 1 });
  const broker = sim.machine('broker');
  const peer = new SaslPeer(broker, {
    ...(authentication === undefined ? {} : { authentication }),
    ...(tls === undefined ? {} : { tls }),
    answer: (_, version) => encode(MetadataResponse, version, build(MetadataResponse, { clusterId: 'x' })),
    apiKeys: [{ apiKey: METADATA, minVersion: 0, maxVersion: 7 }],
    sessionLifetimeMs: LIFETIME_MS,
  });
  await sim.complete(peer.listen(broker));
  return { sim, client: sim.machine('client'), peer, asked: peer.asked };
}

function connect({ client, peer: { address } }: World, sasl: SaslLogin = security.sasl!): BrokerConnection {
  return new BrokerConnection(client.runtime, {
    address,
    security: { sasl },
    ...{ clientId: 'c', requestTimeoutMs: 1_000, connectTimeoutMs: 3_000, frameSizeMax: 1_000_000 },
  });
}

const askMetadata = (connection: BrokerConnection) =>
  connection.request(MetadataRequest, MetadataResponse, { topics: [] });
const refusedWith = (message: string) => (error: unknown) =>
  error instanceof KafkaError && error.code === ErrorCode.SASL_AUTHENTICATION_FAILED && error.message === message;
const opening = [VERSIONS, HANDSHAKE, AUTHENTICATE, VERSIONS, VERSIONS];

test('nothing is asked before the broker knows who asks', async () => {
  const here = await world();
  const connection = connect(here);
  await here.sim.complete(connection.opened);
  await here.sim.complete(askMetadata(connection));
  assert.deepEqual(here.asked, [...opening, METADATA]);
});

test('a broker that refuses closes the connection, with its reason, for all who wait', async () => {
  const here = await world(() => refusal);
  const connection = connect(here);
  await assert.rejects(here.sim.complete(connection.opened), refusedWith('Authentication failed: no'));
  assert.ok(connection.isClosed);
  await assert.rejects(here.sim.complete(askMetadata(connection)), refusedWith('Authentication failed: no'));
  assert.deepEqual(here.asked, opening.slice(0, 3));
});

test('a broker that never answers the login is given up when the time to connect is over', async () => {
  const here = await world(() => 'silence');
  const begunMs = here.sim.nowMs;
  await assert.rejects(here.sim.complete(connect(here).opened), /did not answer SaslAuthenticateRequest/);
  assert.ok(here.sim.nowMs - begunMs <= 3_100);
});

test('late in its session the connection authenticates again before it asks, and what is asked meanwhile waits', async () => {
  const here = await world();
  const connection = connect(here);
  await here.sim.complete(connection.opened);
  here.asked.length = 0;
  await here.sim.runFor(0.84 * LIFETIME_MS);
  await here.sim.complete(askMetadata(connection));
  assert.deepEqual(here.asked, [METADATA], 'too early');
  await here.sim.runFor(0.12 * LIFETIME_MS);
  assert.deepEqual(here.asked, [METADATA], 'who asks for nothing costs nothing');
  const answers = [askMetadata(connection), askMetadata(connection)];
  assert.equal(connection.inFlight, 3, 'the handshake is under way, two requests wait');
  await here.sim.complete(Promise.all(answers));
  assert.deepEqual(here.asked, [METADATA, HANDSHAKE, AUTHENTICATE, METADATA, METADATA]);
  await here.sim.complete(askMetadata(connection));
  assert.equal(here.asked.filter((key) => key === HANDSHAKE).length, 1, 'a new session has begun');
  assert.equal(here.peer.connectionCount, 1);
});

test('a login that is refused the second time fails what waited for it', async () => {
  const here = await world((nth) => (nth === 1 ? {} : refusal));
  const connection = connect(here);
  await here.sim.complete(connection.opened);
  await here.sim.runFor(0.96 * LIFETIME_MS);
  const answers = [askMetadata(connection), askMetadata(connection)];
  for (const result of await here.sim.complete(Promise.allSettled(answers))) {
    assert.ok(result.status === 'rejected' && refusedWith('Authentication failed: no')(result.reason));
  }
  assert.ok(connection.isClosed);
});

test('a session without an end is never renewed', async () => {
  const here = await world(() => ({ sessionLifetimeMs: 0 }));
  const connection = connect(here);
  await here.sim.complete(connection.opened);
  await here.sim.runFor(10 * LIFETIME_MS);
  await here.sim.complete(askMetadata(connection));
  assert.deepEqual(here.asked, [...opening, METADATA]);
});

test('a client that is refused does not try again', async () => {
  const here = await world(() => refusal);
  const { host, port } = here.peer.address;
  const bootstrapServers = [`${host}:${port}`, `${host}:${port}`];
  const admin = createAdmin(here.client.runtime, { bootstrapServers, security });
  const begunMs = here.sim.nowMs;
  await assert.rejects(here.sim.complete(admin.allTopics()), refusedWith('Authentication failed: no'));
  assert.ok(here.sim.nowMs - begunMs < 1_000);
  assert.equal(here.peer.connectionCount, 1);
  admin.close();
});

test('producer and consumer that are refused tell it at once', async () => {
  const { sim, client, peer } = await world(() => refusal);
  const options = { bootstrapServers: `${peer.address.host}:${peer.address.port}`, security };
  const producer = createProducer(client.runtime, options);
  const consumer = createConsumer(client.runtime, { ...options, groupId: 'g' });
  consumer.subscribe(['t']);
  const begunMs = sim.nowMs;
  const isRefused = refusedWith('Authentication failed: no');
  await assert.rejects(sim.complete(producer.send({ topic: 't', value: 'x' })), isRefused);
  await assert.rejects(sim.complete(consumer.poll({ timeoutMs: 30_000 })), isRefused);
  assert.ok(sim.nowMs - begunMs < 1_000);
  await sim.complete(Promise.all([producer.close({ timeoutMs: 0 }), consumer.close({ timeoutMs: 0 })]));
});

test('a broker whose certificate is for another host is not tried again, and learns nothing of the login', async () => {
  const material = { identity: pemIdentity(pem('server'), ''), trusted: pemCertificates(pem('ca')) };
  const tls: ServerTls = { material, clientAuthentication: 'none', protocols: ['TLSv1.3'], handshakeTimeoutMs: 3000 };
  const here = await world(undefined, tls);
  const { host, port } = here.peer.address;
  for (const verifyHostname of [true, false]) {
    const secured = { ...security, protocol: 'SASL_SSL', tls: { ca: pem('ca'), verifyHostname } } as const;
    const admin = createAdmin(here.client.runtime, {
      bootstrapServers: `${host}:${port}`,
      security: secured,
      apiTimeoutMs: 5_000,
    });
    const outcome = await here.sim.complete(Promise.allSettled([admin.allTopics()]), 1_000_000);
    const reason = outcome[0].status === 'rejected' ? outcome[0].reason : undefined;
    assert.equal(reason instanceof SslAuthenticationError, verifyHostname);
    assert.equal(here.asked.includes(AUTHENTICATE), !verifyHostname);
    if (verifyHostname) assert.equal(here.peer.connectionCount, 0, 'none was accepted');
    admin.close();
  }
});

test('SASL without a login is refused before there is a connection', async () => {
  const here = await world();
  const options = { bootstrapServers: 'b:1', security: { protocol: 'SASL_SSL' } } as const;
  assert.throws(() => createAdmin(here.client.runtime, options), /security\.protocol=SASL_SSL needs a login/);
});

test('a token is asked for each time that a connection authenticates', async () => {
  const here = await world();
  let count = 0;
  const oauthToken = async () => {
    count += 1;
    return { value: `token${count}` };
  };
  const connection = connect(here, { mechanism: 'OAUTHBEARER', oauthToken });
  await here.sim.complete(connection.opened);
  assert.equal(count, 1);
  await here.sim.runFor(0.96 * LIFETIME_MS);
  await here.sim.complete(askMetadata(connection));
  assert.equal(count, 2);
});

test('a token that cannot be had fails the authentication, and is not asked for again', async () => {
  const here = await world();
  const oauthToken = () => Promise.reject(new RangeError('the provider is on holiday'));
  const admin = createAdmin(here.client.runtime, {
    bootstrapServers: `${here.peer.address.host}:9092`,
    security: { protocol: 'SASL_PLAINTEXT', sasl: { mechanism: 'OAUTHBEARER', oauthToken } },
  });
  await assert.rejects(
    here.sim.complete(admin.describeCluster()),
    refusedWith('there is no OAuth token: the provider is on holiday'),
  );
  assert.deepEqual(here.asked, [], 'nothing was said to the broker');
});
