import assert from 'node:assert/strict';
import test from 'node:test';
import type { ConfigKeys } from '../../testing/index.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import type { DelegationToken } from '../security/tokens/delegation-token.ts';
import { encodeToken } from '../security/tokens/token-json.ts';
import { paths } from '../zk/znodes.ts';
import type { SecretToken } from './delegation-tokens.ts';
import { ClusterWorld, refused } from './testkit/cluster-world.ts';
import { type TokenNode, TokenWorld } from './testkit/token-world.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const user = (name: string) => ({ type: 'User', name });
const [ann, bob] = [user('ann'), user('bob')];

const create = (world: TokenWorld, node: TokenNode): Promise<SecretToken> =>
  world.run(node.tokens.create({ owner: ann, requester: ann, renewers: [bob] }, -1));
const known = ({ tokens }: TokenNode): DelegationToken[] => tokens.described(() => true).map(({ token }) => token);

test('every broker knows a token, as it is now, with the same secret', async () => {
  const world = await new TokenWorld().start();
  const { token, hmac } = await create(world, world.one);
  await world.sim.runFor(1000);
  assert.deepEqual(known(world.other), [token]);
  assert.deepEqual(world.other.tokens.described(() => true)[0]?.hmac, hmac);
  assert.match(token.tokenId, /^[A-Za-z0-9_-]{22}$/);
  const expiresAtMs = await world.run(world.other.tokens.renew({ principal: bob, hmac, periodMs: 2 * DAY_MS }));
  assert.ok(expiresAtMs > token.expiryTimestampMs + DAY_MS);
  await world.sim.runFor(1000);
  assert.deepEqual(known(world.one), [{ ...token, expiryTimestampMs: expiresAtMs }]);
  await world.run(world.one.tokens.expire({ principal: ann, hmac, periodMs: -1 }));
  await world.sim.runFor(1000);
  assert.deepEqual([...known(world.one), ...known(world.other)], []);
  assert.deepEqual(await world.run(world.eye.getChildren(paths.delegationTokens)), []);
});

test('a token lets its holder in by either mechanism as long as it is there', async () => {
  const world = await new TokenWorld().start();
  const { token } = await create(world, world.one);
  const find = (mechanism: string) => world.one.tokens.find(token.tokenId, mechanism);
  const secret = find('SCRAM-SHA-256');
  assert.deepEqual([secret?.owner, secret?.expiresAtMs], ['ann', token.expiryTimestampMs]);
  assert.equal(secret?.credential?.storedKey.length, 32);
  assert.equal(find('SCRAM-SHA-512')?.credential?.storedKey.length, 64);
  assert.equal(find('SCRAM-SHA-256')?.credential, secret?.credential);
  assert.equal(find('PLAIN')?.credential, undefined);
  assert.equal(world.one.tokens.find('none', 'SCRAM-SHA-256'), undefined);
});

test('the controller removes what is over when its reign begins, and from time to time', async () => {
  const world = await new TokenWorld({
    'delegation.token.secret.key': 'key',
    'delegation.token.expiry.time.ms': 10 * MINUTE_MS,
    'delegation.token.expiry.check.interval.ms': 4 * MINUTE_MS,
  }).start();
  await create(world, world.one);
  world.one.tokens.sweep();
  await world.sim.runFor(11 * MINUTE_MS);
  assert.equal(known(world.other).length, 1, 'it is over, and the last look was before that');
  await world.sim.runFor(2 * MINUTE_MS);
  assert.equal(known(world.other).length, 0);
  world.one.tokens.stopSweeping();
  await create(world, world.one);
  await world.sim.runFor(15 * MINUTE_MS);
  assert.equal(known(world.other).length, 1);
  world.other.tokens.sweep();
  await world.sim.runFor(1000);
  assert.equal(known(world.one).length, 0);
});

test('a broker that comes knows what was there before it, and what it missed', async () => {
  const world = await new TokenWorld().start();
  const first = await create(world, world.one);
  await world.sim.runFor(1000);
  const second = await create(world, world.one);
  await world.run(world.other.zk.client.close());
  world.other.zk.use(world.connect(world.other.machine));
  await world.run(world.one.tokens.expire({ principal: ann, hmac: first.hmac, periodMs: -1 }));
  await world.run(world.other.tokens.start());
  assert.deepEqual(known(world.other), [second.token]);
  const third = await create(world, world.one);
  await world.sim.runFor(1000);
  assert.deepEqual(known(world.other), [second.token, third.token]);
});

test('a znode that cannot be read changes nothing that is known', async () => {
  const world = await new TokenWorld().start();
  const { token } = await create(world, world.one);
  const path = paths.delegationToken(token.tokenId);
  const announce = () => world.eye.create(`${paths.tokenChanges}/token_change_`, token.tokenId, { mode: 2 });
  await world.run(world.eye.setData(path, '{"version":9}'));
  await world.run(announce());
  await world.sim.runFor(1000);
  assert.deepEqual(known(world.other), [token]);
  assert.ok(world.logLines.some((line) => line.includes(`Error while getting Token for tokenId: ${token.tokenId}`)));
  await world.run(world.eye.setData(path, encodeToken({ ...token, owner: bob })));
  await world.run(announce());
  await world.sim.runFor(1000);
  assert.deepEqual(known(world.other)[0]?.owner, bob);
});

test('changes that are a quarter of an hour old go with the next one', async () => {
  const world = await new TokenWorld().start();
  await create(world, world.one);
  await world.sim.runFor(16 * MINUTE_MS);
  await create(world, world.other);
  await world.sim.runFor(1000);
  assert.deepEqual(await world.run(world.eye.getChildren(paths.tokenChanges)), ['token_change_0000000001']);
});

test('without a secret key there are no tokens, and no znodes for them', async () => {
  const world = await new TokenWorld({}).start();
  assert.equal(world.one.tokens.isEnabled, false);
  assert.equal(await world.run(world.eye.exists(paths.delegationTokenRoot)), undefined);
  const disabled = refused(ErrorCode.DELEGATION_TOKEN_AUTH_DISABLED);
  await assert.rejects(create(world, world.one), disabled);
  await assert.rejects(
    world.run(world.one.tokens.renew({ principal: ann, hmac: Buffer.of(1), periodMs: 1 })),
    disabled,
  );
  assert.throws(() => known(world.one), KafkaError);
  assert.equal(world.one.tokens.find('id', 'SCRAM-SHA-256'), undefined);
});

test('the older name of the key counts where the newer is not set', async () => {
  const settings: ConfigKeys[] = [
    { 'delegation.token.master.key': 'key' },
    { 'delegation.token.secret.key': 'key', 'delegation.token.master.key': 'another' },
  ];
  const hmacs = new Set<string>();
  for (const keys of settings) {
    const world = await new TokenWorld(keys).start();
    hmacs.add((await create(world, world.one)).hmac.toString('hex'));
  }
  assert.equal(hmacs.size, 1);
});

test('whichever broker reigns removes what is over', async () => {
  const kafka = { 'delegation.token.secret.key': 'key', 'delegation.token.expiry.check.interval.ms': 30_000 };
  const world = await new ClusterWorld({ brokers: 2, kafka }).start();
  const over = {
    owner: ann,
    requester: ann,
    renewers: [],
    issueTimestampMs: 1,
    maxTimestampMs: 3,
    expiryTimestampMs: 2,
  };
  const leave = async (tokenId: string): Promise<void> => {
    await world.run(world.zk.create(paths.delegationToken(tokenId), encodeToken({ ...over, tokenId })));
    await world.run(world.zk.create(`${paths.tokenChanges}/token_change_`, tokenId, { mode: 2 }));
    await world.until('it is removed', async () => !(await world.exists(paths.delegationToken(tokenId))), 40_000);
  };
  await leave('first');
  const controller = await world.controller();
  await world.until('another reigns', async () => {
    if ((await world.controller()) !== controller) return true;
    await world.run(world.zk.delete('/controller'));
    return false;
  });
  world.logLines.length = 0;
  await leave('second');
  const removals = world.logLines.filter((line) => line.includes('Delegation token expired for token: second'));
  assert.deepEqual(
    removals.map((line) => line.includes(`broker-${1 - controller}`)),
    [true],
  );
  assert.deepEqual(world.failures, []);
});
