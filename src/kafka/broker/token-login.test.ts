/** Delegation tokens from their making to their end, over listeners with SASL. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../protocol/errors.ts';
import { SaslHandshakeRequest, SaslHandshakeResponse } from '../protocol/messages/17-sasl-handshake.ts';
import { SaslAuthenticateRequest, SaslAuthenticateResponse } from '../protocol/messages/36-sasl-authenticate.ts';
import {
  CreateDelegationTokenRequest,
  CreateDelegationTokenResponse,
} from '../protocol/messages/38-create-delegation-token.ts';
import {
  ExpireDelegationTokenRequest,
  ExpireDelegationTokenResponse,
} from '../protocol/messages/40-expire-delegation-token.ts';
import { clientKeyOf, saltPassword, sign, storedKeyOf, xor } from '../security/scram.ts';
import { scramMechanisms } from '../security/scram-credential.ts';
import { ClusterWorld } from './testkit/cluster-world.ts';
import type { RawClient } from './testkit/raw-client.ts';

const SASL_PORT = 9292;
const LOGIN = 'org.apache.kafka.common.security';
const keys = {
  'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT',
  'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
  'listener.name.sasl.plain.sasl.jaas.config': `${LOGIN}.plain.PlainLoginModule required user_ann="secret";`,
  'listener.name.sasl.scram-sha-256.sasl.jaas.config': `${LOGIN}.scram.ScramLoginModule required;`,
  'listener.name.sasl.scram-sha-512.sasl.jaas.config': `${LOGIN}.scram.ScramLoginModule required;`,
  'delegation.token.secret.key': 'key',
};

async function start(): Promise<ClusterWorld> {
  const { host } = new ClusterWorld().broker(0).machine;
  const listeners = `PLAINTEXT://${host}:9092,SASL://${host}:${SASL_PORT}`;
  return new ClusterWorld({ kafka: { ...keys, listeners } }).start();
}

const say = (client: RawClient, text: string): Promise<SaslAuthenticateResponse> =>
  client.ask(SaslAuthenticateRequest, SaslAuthenticateResponse, 2, { authBytes: Buffer.from(text) });

async function logIn(client: RawClient): Promise<void> {
  await client.ask(SaslHandshakeRequest, SaslHandshakeResponse, 1, { mechanism: 'PLAIN' });
  assert.equal((await say(client, '\0ann\0secret')).errorCode, ErrorCode.NONE);
}

/** As whoever holds the token. */
async function logInByToken(
  client: RawClient,
  token: Pick<CreateDelegationTokenResponse, 'tokenId' | 'hmac'>,
  mechanism: (typeof scramMechanisms)[number],
): Promise<number> {
  await client.ask(SaslHandshakeRequest, SaslHandshakeResponse, 1, { mechanism: mechanism.name });
  const first = `n=${token.tokenId},r=nonce,tokenauth=true`;
  const challenged = await say(client, `n,,${first}`);
  if (challenged.errorCode !== ErrorCode.NONE) return challenged.errorCode;
  const challenge = Buffer.from(challenged.authBytes).toString();
  const [, nonce = '', salt = ''] = /^r=([^,]*),s=([^,]*),/.exec(challenge) ?? [];
  const password = Buffer.from(token.hmac).toString('base64');
  const clientKey = clientKeyOf(mechanism, saltPassword(mechanism, password, Buffer.from(salt, 'base64'), 4096));
  const authMessage = `${first},${challenge},c=biws,r=${nonce}`;
  const proof = xor(clientKey, sign(mechanism, storedKeyOf(mechanism, clientKey), authMessage));
  return (await say(client, `c=biws,r=${nonce},p=${proof.toString('base64')}`)).errorCode;
}

const create = (client: RawClient): Promise<CreateDelegationTokenResponse> =>
  client.ask(CreateDelegationTokenRequest, CreateDelegationTokenResponse, 3, { renewers: [], maxLifetimeMs: -1 });

test('whoever holds a token is let in by it until it ends, and has no other by it', async () => {
  const world = await start();
  const client = world.connectTo(0, SASL_PORT);
  await world.run(logIn(client));
  const token = await world.run(create(client));
  assert.deepEqual([token.errorCode, token.principalName], [ErrorCode.NONE, 'ann']);
  for (const mechanism of scramMechanisms) {
    const holder = world.connectTo(0, SASL_PORT);
    assert.equal(await world.run(logInByToken(holder, token, mechanism)), ErrorCode.NONE);
    const refused = await world.run(create(holder));
    assert.equal(refused.errorCode, ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED);
    assert.deepEqual([refused.principalName, refused.tokenRequesterPrincipalName], ['ann', 'ann']);
    holder.close();
  }
  const [mechanism] = scramMechanisms;
  const guess = { tokenId: token.tokenId, hmac: Buffer.alloc(64) };
  const failed = ErrorCode.SASL_AUTHENTICATION_FAILED;
  assert.equal(await world.run(logInByToken(world.connectTo(0, SASL_PORT), guess, mechanism)), failed);
  const { hmac } = token;
  const ended = await world.run(
    client.ask(ExpireDelegationTokenRequest, ExpireDelegationTokenResponse, 2, { hmac, expiryTimePeriodMs: -1 }),
  );
  assert.equal(ended.errorCode, ErrorCode.NONE);
  assert.equal(await world.run(logInByToken(world.connectTo(0, SASL_PORT), token, mechanism)), failed);
});
