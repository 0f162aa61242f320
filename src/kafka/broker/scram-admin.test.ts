import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../protocol/errors.ts';
import {
  DescribeUserScramCredentialsRequest,
  DescribeUserScramCredentialsResponse,
} from '../protocol/messages/50-describe-user-scram-credentials.ts';
import {
  AlterUserScramCredentialsRequest,
  AlterUserScramCredentialsResponse,
} from '../protocol/messages/51-alter-user-scram-credentials.ts';
import { ClusterWorld } from './testkit/cluster-world.ts';

const SHA_256 = 1;
const SHA_512 = 2;

const upsertion = (name: string, mechanism = SHA_256) => ({
  name,
  mechanism,
  iterations: 4096,
  salt: Buffer.from('salt'),
  saltedPassword: Buffer.alloc(32, 1),
});

async function alter(
  world: ClusterWorld,
  change: Partial<AlterUserScramCredentialsRequest>,
  at = 0,
): Promise<Record<string, number>> {
  const answer = await world.ask(at, (client) =>
    client.ask(AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse, 0, change),
  );
  return Object.fromEntries(answer.results.map(({ user, errorCode }) => [user, errorCode]));
}

async function describe(world: ClusterWorld, at: number, users: string[] | null): Promise<unknown> {
  const answer = await world.ask(at, (client) =>
    client.ask(DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse, 0, {
      users: users?.map((name) => ({ name })) ?? null,
    }),
  );
  return answer.results.map(({ user, errorCode, credentialInfos }) => [
    user,
    errorCode,
    credentialInfos.map(({ mechanism }) => mechanism),
  ]);
}

test('credentials stand beside what else is configured for a user, and every broker tells of them', async () => {
  const world = await new ClusterWorld({ brokers: 2 }).start();
  await world.run(world.zk.create('/config/users/ann', '{"version":1,"config":{"producer_byte_rate":"9"}}'));
  const upsertions = [upsertion('ann'), upsertion('ann', SHA_512), upsertion('b b')];
  assert.deepEqual(await alter(world, { upsertions }), { ann: ErrorCode.NONE, 'b b': ErrorCode.NONE });
  const { config } = (await world.json('/config/users/ann')) as { config: Record<string, string> };
  assert.deepEqual(Object.keys(config).sort(), ['SCRAM-SHA-256', 'SCRAM-SHA-512', 'producer_byte_rate']);
  assert.ok(await world.exists('/config/users/b%20b'));
  assert.deepEqual(await describe(world, 1, null), [
    ['ann', ErrorCode.NONE, [SHA_256, SHA_512]],
    ['b b', ErrorCode.NONE, [SHA_256]],
  ]);
  const changes = await world.run(world.zk.getChildren('/config/changes'));
  assert.equal(changes.length, 2);
  assert.deepEqual(await describe(world, 1, ['b b', 'nobody', 'ann', 'ann']), [
    ['b b', ErrorCode.NONE, [SHA_256]],
    ['nobody', ErrorCode.RESOURCE_NOT_FOUND, []],
    ['ann', ErrorCode.DUPLICATE_RESOURCE, []],
  ]);
});

test('with its last value a user’s node goes, unless client ids stand below it', async () => {
  const world = await new ClusterWorld().start();
  await alter(world, { upsertions: [upsertion('ann'), upsertion('bob')] });
  await world.run(world.zk.create('/config/users/bob/clients', null));
  const deletions = [
    { name: 'ann', mechanism: SHA_256 },
    { name: 'bob', mechanism: SHA_256 },
  ];
  await alter(world, { deletions });
  assert.equal(await world.exists('/config/users/ann'), false);
  assert.deepEqual((await world.json('/config/users/bob')).config, {});
  assert.deepEqual(await describe(world, 0, null), []);
});

test('a user whose change has a fault keeps what it had', async () => {
  const world = await new ClusterWorld().start();
  await alter(world, { upsertions: [upsertion('ann')] });
  const before = await world.json('/config/users/ann');
  const faults = await alter(world, {
    deletions: [{ name: 'ann', mechanism: SHA_512 }],
    upsertions: [
      { ...upsertion('ann'), iterations: 8192 },
      { ...upsertion('few'), iterations: 4095 },
      { ...upsertion('many'), iterations: 16_385 },
      upsertion('odd', 3),
      upsertion('twice'),
      upsertion('twice'),
      upsertion(''),
    ],
  });
  assert.deepEqual(faults, {
    ann: ErrorCode.RESOURCE_NOT_FOUND,
    few: ErrorCode.UNACCEPTABLE_CREDENTIAL,
    many: ErrorCode.UNACCEPTABLE_CREDENTIAL,
    odd: ErrorCode.UNSUPPORTED_SASL_MECHANISM,
    twice: ErrorCode.DUPLICATE_RESOURCE,
    '': ErrorCode.UNACCEPTABLE_CREDENTIAL,
  });
  assert.deepEqual(await world.json('/config/users/ann'), before);
  assert.deepEqual(await world.run(world.zk.getChildren('/config/users')), ['ann']);
});

test('only the controller changes credentials', async () => {
  const world = await new ClusterWorld({ brokers: 2 }).start();
  assert.deepEqual(await alter(world, { upsertions: [upsertion('ann')] }, 1), { ann: ErrorCode.NOT_CONTROLLER });
});
