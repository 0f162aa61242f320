/** ACLs and delegation tokens by request, at a broker in the same simulated world. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { ClusterWorld } from '../broker/testkit/cluster-world.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import { type AclBinding, AclOperation, AclPermission, AclResource, PatternType } from '../security/acl.ts';
import { everyAcl } from '../security/acl-filter.ts';
import type { ClientSecurity } from '../security/client-security.ts';
import { type Admin, createAdmin } from './admin.ts';

const SASL_PORT = 9292;
const LOGIN = 'org.apache.kafka.common.security';
const keys = {
  'authorizer.class.name': 'kafka.security.authorizer.AclAuthorizer',
  'super.users': 'User:ANONYMOUS',
  'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT',
  'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256',
  'listener.name.sasl.plain.sasl.jaas.config': `${LOGIN}.plain.PlainLoginModule required user_ann="secret" user_bob="secret";`,
  'listener.name.sasl.scram-sha-256.sasl.jaas.config': `${LOGIN}.scram.ScramLoginModule required;`,
  'delegation.token.secret.key': 'key',
  'delegation.token.max.lifetime.ms': 100_000,
  'delegation.token.expiry.time.ms': 10_000,
};
const codeIs = (code: number) => (error: unknown) => error instanceof KafkaError && error.code === code;
const user = (name: string) => ({ type: 'User', name });

class World extends ClusterWorld {
  static async begin(): Promise<World> {
    const { host } = new ClusterWorld().broker(0).machine;
    const listeners = `PLAINTEXT://${host}:9092,SASL://${host}:${SASL_PORT}`;
    const world = new World({ kafka: { ...keys, listeners } });
    await world.start();
    return world;
  }

  admin(sasl?: ClientSecurity['sasl']): Admin {
    this.#admins += 1;
    const { host } = this.broker(0).machine;
    const { runtime } = this.sim.machine(`admin-${this.#admins}`);
    if (sasl === undefined) return createAdmin(runtime, { bootstrapServers: `${host}:9092` });
    const security: ClientSecurity = { protocol: 'SASL_PLAINTEXT', sasl };
    return createAdmin(runtime, { bootstrapServers: `${host}:${SASL_PORT}`, security });
  }

  known(name: string): Admin {
    return this.admin({ mechanism: 'PLAIN', username: name, password: 'secret' });
  }

  #admins = 0;
}

const read = (name: string, patternType: number = PatternType.literal): AclBinding => ({
  pattern: { resourceType: AclResource.topic, patternType, name },
  entry: { principal: 'User:ann', host: '*', operation: AclOperation.read, permission: AclPermission.allow },
});

test('ACLs are made, found by what they mean, and removed', async () => {
  const world = await World.begin();
  const { acls } = world.admin();
  await world.run(acls.create([read('t'), read('pre', PatternType.prefixed), read('t')]));
  assert.deepEqual(await world.run(acls.describe(everyAcl)), [read('t'), read('pre', PatternType.prefixed)]);
  const match = { ...everyAcl, resourceType: AclResource.topic, patternType: PatternType.match, name: 'prefix' };
  assert.deepEqual(await world.run(acls.describe(match)), [read('pre', PatternType.prefixed)]);
  assert.deepEqual(await world.run(acls.describe({ ...everyAcl, principal: 'User:bob' })), []);
  const gone = await world.run(acls.delete([match, { ...everyAcl, name: 'nothing' }]));
  assert.deepEqual(gone, [read('pre', PatternType.prefixed)]);
  assert.deepEqual(await world.run(acls.describe(everyAcl)), [read('t')]);
});

test('who may not change or see ACLs is refused in the broker’s words, and bad ones are, beside good ones', async () => {
  const world = await World.begin();
  const { acls } = world.known('ann');
  const isRefused = codeIs(ErrorCode.CLUSTER_AUTHORIZATION_FAILED);
  await assert.rejects(world.run(acls.create([read('t')])), isRefused);
  await assert.rejects(world.run(acls.describe(everyAcl)), isRefused);
  await assert.rejects(world.run(acls.delete([everyAcl])), isRefused);
  const { acls: mighty } = world.admin();
  await assert.rejects(world.run(mighty.create([read(''), read('t')])), codeIs(ErrorCode.INVALID_REQUEST));
  assert.deepEqual(await world.run(mighty.describe(everyAcl)), [read('t')]);
});

test('a token is made, renewed, shown to its owner, let in by, and ended', async () => {
  const world = await World.begin();
  const { tokens } = world.known('ann');
  const made = await world.run(tokens.create({ renewers: [user('bob')] }));
  assert.deepEqual([made.owner, made.requester, made.renewers], [user('ann'), user('ann'), [user('bob')]]);
  assert.equal(made.maxTimestampMs - made.issueTimestampMs, 100_000);
  assert.equal(made.expiryTimestampMs - made.issueTimestampMs, 10_000);
  assert.deepEqual(await world.run(tokens.describe()), [made]);
  assert.deepEqual(await world.run(tokens.describe([user('eve')])), []);
  assert.deepEqual(await world.run(tokens.describe([])), []);

  const { tokens: bobs } = world.known('bob');
  assert.equal(await world.run(bobs.renew(made.hmac, 1_000_000)), made.maxTimestampMs);
  assert.equal((await world.run(bobs.describe([user('bob')])))[0]?.expiryTimestampMs, made.maxTimestampMs);
  await assert.rejects(world.run(bobs.renew(Buffer.from('none'), 1)), codeIs(ErrorCode.DELEGATION_TOKEN_NOT_FOUND));

  const password = Buffer.from(made.hmac).toString('base64');
  const login = { mechanism: 'SCRAM-SHA-256', username: made.tokenId, password, isToken: true } as const;
  const holder = world.admin(login);
  await assert.rejects(world.run(holder.tokens.describe()), codeIs(ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED));
  await world.run(bobs.expire(made.hmac));
  assert.deepEqual(await world.run(tokens.describe()), []);
});

test('for somebody else a token is made by whom an ACL lets', async () => {
  const world = await World.begin();
  const { tokens } = world.known('ann');
  const isRefused = codeIs(ErrorCode.DELEGATION_TOKEN_AUTHORIZATION_FAILED);
  await assert.rejects(world.run(tokens.create({ owner: user('eve') })), isRefused);
  const { entry } = read('');
  const pattern = { resourceType: AclResource.user, patternType: PatternType.literal, name: 'User:eve' };
  const mayCreate = { pattern, entry: { ...entry, operation: AclOperation.createTokens } };
  await world.run(world.admin().acls.create([mayCreate]));
  const made = await world.run(tokens.create({ owner: user('eve'), maxLifetimeMs: 5_000 }));
  assert.deepEqual([made.owner, made.requester], [user('eve'), user('ann')]);
  assert.equal(made.maxTimestampMs - made.issueTimestampMs, 5_000);
});
