/** Listeners with SASL in a simulated cluster: who is served, as whom, and how those are met who are not. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { ConfigKeys } from '../../testing/index.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { ProduceRequest, ProduceResponse } from '../protocol/messages/00-produce.ts';
import { ListGroupsRequest, ListGroupsResponse } from '../protocol/messages/16-list-groups.ts';
import { SaslHandshakeRequest, SaslHandshakeResponse } from '../protocol/messages/17-sasl-handshake.ts';
import { SaslAuthenticateRequest, SaslAuthenticateResponse } from '../protocol/messages/36-sasl-authenticate.ts';
import { AlterClientQuotasRequest, AlterClientQuotasResponse } from '../protocol/messages/49-alter-client-quotas.ts';
import {
  AlterUserScramCredentialsRequest,
  AlterUserScramCredentialsResponse,
} from '../protocol/messages/51-alter-user-scram-credentials.ts';
import { clientKeyOf, saltPassword, sign, storedKeyOf, xor } from '../security/scram.ts';
import { scramMechanism } from '../security/scram-credential.ts';
import { ClusterWorld } from './testkit/cluster-world.ts';
import type { RawClient } from './testkit/raw-client.ts';
import { batchOf, produceRequest } from './testkit/requests.ts';

const SASL_PORT = 9292;
const DELAY_MS = 100;
const PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule';
const SCRAM = 'org.apache.kafka.common.security.scram.ScramLoginModule';

const keys = {
  'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT',
  'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256',
  'listener.name.sasl.plain.sasl.jaas.config': `${PLAIN} required user_alice="alice-secret" user_bob="bob-secret";`,
  'listener.name.sasl.scram-sha-256.sasl.jaas.config': `${SCRAM} required;`,
};

/** The addresses of machines are known before they start. */
async function world(more: ConfigKeys = {}): Promise<ClusterWorld> {
  const { host } = new ClusterWorld().broker(0).machine;
  const listeners = `PLAINTEXT://${host}:9092,SASL://${host}:${SASL_PORT}`;
  return new ClusterWorld({ kafka: { listeners, ...keys, ...more } }).start();
}

const listGroups = (client: RawClient): Promise<ListGroupsResponse> =>
  client.ask(ListGroupsRequest, ListGroupsResponse, 1, {});

const handshake = (client: RawClient, mechanism: string): Promise<SaslHandshakeResponse> =>
  client.ask(SaslHandshakeRequest, SaslHandshakeResponse, 1, { mechanism });

const authenticate = (client: RawClient, text: string): Promise<SaslAuthenticateResponse> =>
  client.ask(SaslAuthenticateRequest, SaslAuthenticateResponse, 2, { authBytes: Buffer.from(text) });

async function logIn(client: RawClient, user: string, password: string): Promise<number> {
  assert.equal((await handshake(client, 'PLAIN')).errorCode, ErrorCode.NONE);
  return (await authenticate(client, `\0${user}\0${password}`)).errorCode;
}

const sha256 = scramMechanism(1);
assert.ok(sha256);

async function scramLogIn(client: RawClient, user: string, password: string): Promise<number> {
  assert.ok(sha256);
  await handshake(client, sha256.name);
  const first = `n=${user},r=nonce`;
  const challenged = await authenticate(client, `n,,${first}`);
  if (challenged.errorCode !== ErrorCode.NONE) return challenged.errorCode;
  const challenge = Buffer.from(challenged.authBytes).toString();
  const [, nonce = '', salt = ''] = /^r=([^,]*),s=([^,]*),/.exec(challenge) ?? [];
  const clientKey = clientKeyOf(sha256, saltPassword(sha256, password, Buffer.from(salt, 'base64'), 4096));
  const authMessage = `${first},${challenge},c=biws,r=${nonce}`;
  const proof = xor(clientKey, sign(sha256, storedKeyOf(sha256, clientKey), authMessage));
  return (await authenticate(client, `c=biws,r=${nonce},p=${proof.toString('base64')}`)).errorCode;
}

test('who has proved himself is served, others are not', async () => {
  const cluster = await world();
  const client = cluster.connectTo(0, SASL_PORT);
  assert.equal(await cluster.run(logIn(client, 'alice', 'alice-secret')), ErrorCode.NONE);
  assert.equal((await cluster.run(listGroups(client))).errorCode, ErrorCode.NONE);
  const other = cluster.connectTo(0, SASL_PORT);
  await assert.rejects(cluster.run(listGroups(other)), /closed by the broker/);
});

test('who guesses hears after connection.failed.authentication.delay.ms that he was wrong, and is gone', async () => {
  const cluster = await world();
  const client = cluster.connectTo(0, SASL_PORT);
  await cluster.run(handshake(client, 'PLAIN'));
  const startedMs = cluster.sim.nowMs;
  const answer = await cluster.run(authenticate(client, '\0alice\0guess'));
  assert.ok(cluster.sim.nowMs - startedMs >= DELAY_MS, 'later');
  assert.equal(answer.errorCode, ErrorCode.SASL_AUTHENTICATION_FAILED);
  await cluster.run(client.closed);
});

test('nothing that follows a wrong guess is handled while its answer waits', async () => {
  const cluster = await world();
  const client = cluster.connectTo(0, SASL_PORT);
  await cluster.run(handshake(client, 'PLAIN'));
  const guess = authenticate(client, '\0alice\0guess');
  const second = authenticate(client, '\0alice\0alice-secret').then(
    () => 'answered',
    () => 'dropped',
  );
  assert.equal((await cluster.run(guess)).errorCode, ErrorCode.SASL_AUTHENTICATION_FAILED);
  assert.equal(await cluster.run(second), 'dropped');
});

test('a frame that says it will be larger than sasl.server.max.receive.size is not waited for', async () => {
  const cluster = await world({ 'sasl.server.max.receive.size': 1000 });
  const client = cluster.connectTo(0, SASL_PORT);
  client.write(Buffer.from([0, 0, 0x03, 0xe9]));
  await cluster.run(client.closed, 10_000);
  const patient = cluster.connectTo(0, SASL_PORT);
  patient.write(Buffer.from([0, 0, 0x03, 0xe8]));
  await cluster.sim.runFor(5000);
  assert.equal(patient.isClosed, false);
});

test('a session ends after connections.max.reauth.ms, for the next request', async () => {
  const cluster = await world({ 'listener.name.sasl.plain.connections.max.reauth.ms': 20_000 });
  const client = cluster.connectTo(0, SASL_PORT);
  await cluster.run(logIn(client, 'alice', 'alice-secret'));
  await cluster.sim.runFor(15_000);
  assert.equal(await cluster.run(logIn(client, 'alice', 'alice-secret')), ErrorCode.NONE);
  await cluster.sim.runFor(15_000);
  assert.equal((await cluster.run(listGroups(client))).errorCode, ErrorCode.NONE);
  await cluster.sim.runFor(15_000);
  await assert.rejects(cluster.run(listGroups(client)), /closed by the broker/);
});

test('a password that is changed or taken away counts for the next login', async () => {
  const cluster = await world();
  const alter = async (change: Partial<AlterUserScramCredentialsRequest>): Promise<void> => {
    const answer = await cluster.ask(0, (client) =>
      client.ask(AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse, 0, change),
    );
    assert.equal(answer.results[0]?.errorCode, ErrorCode.NONE);
    await cluster.sim.runFor(1000);
  };
  const give = (password: string): Promise<void> => {
    const salt = Buffer.from(`salt of ${password}`);
    const saltedPassword = saltPassword(sha256, password, salt, 4096);
    return alter({ upsertions: [{ name: 'carol', mechanism: 1, iterations: 4096, salt, saltedPassword }] });
  };
  const comesIn = async (password: string): Promise<boolean> => {
    const client = cluster.connectTo(0, SASL_PORT);
    const code = await cluster.run(scramLogIn(client, 'carol', password));
    client.close();
    return code === ErrorCode.NONE;
  };
  assert.equal(await comesIn('first'), false);
  await give('first');
  assert.equal(await comesIn('first'), true);
  await give('second');
  assert.deepEqual([await comesIn('first'), await comesIn('second')], [false, true]);
  await alter({ deletions: [{ name: 'carol', mechanism: 1 }] });
  assert.equal(await comesIn('second'), false);
  await give('third');
  await cluster.broker(0).stop();
  await cluster.start();
  assert.equal(await comesIn('third'), true, 'a broker that starts reads them');
});

test('quotas know the user by the name that was proved', async () => {
  const cluster = await world();
  await cluster.createTopic('t', [[0]]);
  const entity = [{ entityType: 'user', entityName: 'alice' }];
  const entries = [{ entity, ops: [{ key: 'producer_byte_rate', value: 1, remove: false }] }];
  await cluster.ask(0, (client) =>
    client.ask(AlterClientQuotasRequest, AlterClientQuotasResponse, 0, { entries, validateOnly: false }),
  );
  await cluster.sim.runFor(1000);
  const throttledMs = async (user: string): Promise<number> => {
    const client = cluster.connectTo(0, SASL_PORT);
    await cluster.run(logIn(client, user, `${user}-secret`));
    const request = produceRequest('t', batchOf(['x'.repeat(1000)]));
    const { throttleTimeMs } = await cluster.run(client.ask(ProduceRequest, ProduceResponse, 8, request));
    client.close();
    return throttleTimeMs;
  };
  assert.equal(await throttledMs('bob'), 0);
  assert.ok((await throttledMs('alice')) > 0);
});
