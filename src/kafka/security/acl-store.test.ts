import assert from 'node:assert/strict';
import test from 'node:test';
import { silent } from '../../runtime/log.ts';
import { Simulation, simulateZookeeper } from '../../testing/index.ts';
import { connectZookeeper } from '../../zookeeper/client/client.ts';
import { CreateMode } from '../../zookeeper/jute/create-mode.ts';
import { AclZnodes } from '../zk/acl-znodes.ts';
import { KafkaZk } from '../zk/kafka-zk.ts';
import { type AclBinding, type AclEntry, AclOperation, AclPermission, AclResource, PatternType } from './acl.ts';
import { AclAuthorizer } from './acl-authorizer.ts';
import { everyAcl } from './acl-filter.ts';
import { AclStore } from './acl-store.ts';

const { topic } = AclResource;
const { read, write } = AclOperation;
const alice = { principal: 'alice', clientAddress: '10.0.0.1' };

const acl = (name: string, entry: Partial<AclEntry> = {}, patternType: number = PatternType.literal): AclBinding => ({
  pattern: { resourceType: topic, patternType, name },
  entry: { principal: 'User:alice', host: '*', operation: read, permission: AclPermission.allow, ...entry },
});

async function world() {
  const sim = new Simulation({ seed: 11 });
  const zookeeper = simulateZookeeper(sim);
  await zookeeper.start();
  const connect = `${zookeeper.machine.host}:2181`;
  const run = <T>(promise: Promise<T>): Promise<T> => sim.complete(promise);
  const broker = async (name: string, ready: (zk: KafkaZk) => KafkaZk = (zk) => zk) => {
    const { runtime } = sim.machine(name);
    const session = () => connectZookeeper(runtime, { connect, sessionTimeoutMs: 6000 });
    const zk = ready(new KafkaZk(session(), runtime.clock, runtime.random));
    const authorizer = new AclAuthorizer({ superUsers: new Set(), allowsWithoutAcl: false, log: silent });
    const { clock, random } = runtime;
    const store = new AclStore({ znodes: new AclZnodes(zk, clock), authorizer, clock, random, log: silent });
    await run(store.start());
    const mayRead = (at: string): boolean => authorizer.isAllowed(alice, read, topic, at);
    return { zk, store, authorizer, mayRead, session };
  };
  const eye = connectZookeeper(sim.machine('eye').runtime, { connect, sessionTimeoutMs: 30_000 });
  const text = async (path: string): Promise<string> => String((await run(eye.getData(path))).data ?? '');
  const children = (path: string): Promise<string[]> => run(eye.getChildren(path));
  return { sim, run, broker, eye, text, children };
}

test('what one broker writes is what Apache writes, and another takes it', async () => {
  const { sim, run, broker, text, children } = await world();
  const [one, other] = [await broker('one'), await broker('other')];
  const errors = await run(one.store.create([acl('t'), acl('pre', {}, PatternType.prefixed), acl('t', { host: 'h' })]));
  assert.deepEqual(errors, [undefined, undefined, undefined]);
  assert.ok(one.mayRead('t') && one.mayRead('prefix'));
  const json = (...hosts: readonly string[]): string =>
    `{"acls":[${hosts
      .map((host) => `{"principal":"User:alice","permissionType":"Allow","host":"${host}","operation":"Read"}`)
      .join(',')}],"version":1}`;
  assert.equal(await text('/kafka-acl/Topic/t'), json('*', 'h'));
  assert.equal(await text('/kafka-acl-extended/prefixed/Topic/pre'), json('*'));
  assert.equal(await text('/kafka-acl-changes/acl_changes_0000000000'), 'TOPIC:t');
  assert.match(await text('/kafka-acl-extended-changes/acl_changes_0000000000'), /"patternType":"PREFIXED"/);
  assert.deepEqual((await children('/kafka-acl')).sort(), [
    'Cluster',
    'DelegationToken',
    'Group',
    'Topic',
    'TransactionalId',
    'User',
  ]);
  await sim.runFor(1000);
  assert.ok(other.mayRead('t') && other.mayRead('prefix') && !other.mayRead('u'));
});

test('a broker that starts reads what there is', async () => {
  const { run, broker } = await world();
  await run((await broker('one')).store.create([acl('t'), acl('pre', {}, PatternType.prefixed)]));
  const late = await broker('late');
  assert.ok(late.mayRead('t') && late.mayRead('prefix') && !late.mayRead('u'));
});

test("a tool's change is taken, whatever case it writes in", async () => {
  const { sim, run, broker, eye } = await world();
  const { mayRead } = await broker('one');
  const data = '{"version":1,"acls":[{"principal":"User:*","permissionType":"Allow","operation":"All","host":"*"}]}';
  await run(eye.create('/kafka-acl/Topic/t', Buffer.from(data)));
  await sim.runFor(1000);
  assert.ok(!mayRead('t'), 'nobody has told of it');
  const mode = CreateMode.PERSISTENT_SEQUENTIAL;
  await run(eye.create('/kafka-acl-changes/acl_changes_', Buffer.from('nonsense'), { mode }));
  await run(eye.create('/kafka-acl-changes/acl_changes_', Buffer.from('Topic:t'), { mode }));
  await sim.runFor(1000);
  assert.ok(mayRead('t'));
});

test('a node goes with its last ACL, and with it the right', async () => {
  const { sim, run, broker, children } = await world();
  const [one, other] = [await broker('one'), await broker('other')];
  await run(one.store.create([acl('t'), acl('t', { operation: write }), acl('u')]));
  await sim.runFor(1000);
  const first = await run(other.store.delete([{ ...everyAcl, name: 't', operation: read }]));
  assert.deepEqual(first, [[{ binding: acl('t'), error: undefined }]]);
  assert.deepEqual((await children('/kafka-acl/Topic')).sort(), ['t', 'u']);
  await run(other.store.delete([{ ...everyAcl, name: 't' }]));
  assert.deepEqual(await children('/kafka-acl/Topic'), ['u']);
  await sim.runFor(1000);
  assert.ok(!one.mayRead('t') && one.mayRead('u'));
});

test('an ACL that several filters mean is told to the first, and what nothing means stays', async () => {
  const { run, broker } = await world();
  const { store } = await broker('one');
  await run(store.create([acl('t'), acl('tt', {}, PatternType.prefixed), acl('*'), acl('other')]));
  const match = { ...everyAcl, patternType: PatternType.match, name: 'ttt', resourceType: topic };
  const results = await run(store.delete([match, everyAcl, { ...everyAcl, name: 'nothing' }]));
  const told = results.map((found) => found.map(({ binding }) => binding.pattern.name).sort());
  assert.deepEqual(told, [['*', 'tt'], ['other', 't'], []]);
  assert.deepEqual(store.matching(everyAcl), []);
});

test('two brokers that change the same ACLs at once lose none', async () => {
  const { sim, run, broker, text } = await world();
  const brokers = [await broker('one'), await broker('two'), await broker('three')];
  const hosts = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'];
  const created = hosts.map((host, index) =>
    (brokers[index % 3] as (typeof brokers)[0]).store.create([acl('t', { host })]),
  );
  for (const errors of await run(Promise.all(created))) assert.deepEqual(errors, [undefined]);
  await sim.runFor(2000);
  const stored = JSON.parse(await text('/kafka-acl/Topic/t')) as { acls: { host: string }[] };
  assert.deepEqual(stored.acls.map(({ host }) => host).sort(), hosts);
  for (const { store } of brokers) assert.equal(store.matching(everyAcl).length, hosts.length);
});

test('whoever is always overtaken gives up, and says so', async () => {
  const { run, broker } = await world();
  const { store } = await broker('one', (zk) => {
    const { requests } = zk;
    const isRival = (path: string): boolean => path.endsWith('/t');
    // Somebody else makes the node before each of our writes, and it is gone again when we read.
    const overtaken = {
      create: async (path: string, data: Uint8Array | null) => {
        if (isRival(path)) await requests.create(path, data);
        return requests.create(path, data);
      },
      getData: async (path: string) => {
        if (isRival(path)) await requests.delete(path).catch(() => undefined);
        return requests.getData(path);
      },
      getChildren: (path: string, options: object) => requests.getChildren(path, options),
    };
    return Object.defineProperty(zk, 'requests', { get: () => overtaken });
  });
  const [first, second] = await run(store.create([acl('t'), acl('u')]));
  assert.match(String(first), /Failed to update ACLs for .*name=t.* after trying a maximum of 10 times/);
  assert.equal(second, undefined);
  assert.deepEqual(
    store.matching(everyAcl).map(({ pattern }) => pattern.name),
    ['u'],
  );
});

test('a principal without a type spoils the ACLs of its resource', async () => {
  const { run, broker } = await world();
  const { store } = await broker('one');
  const [first, second, third] = await run(store.create([acl('t'), acl('t', { principal: 'alice' }), acl('u')]));
  assert.ok(first !== undefined && second !== undefined && third === undefined);
});

test('after a new session everything is read again, also what is gone', async () => {
  const { sim, run, broker } = await world();
  const [one, other] = [await broker('one'), await broker('other')];
  await run(one.store.create([acl('t')]));
  await sim.runFor(1000);
  assert.ok(other.mayRead('t'));
  await run(other.zk.client.close());
  await run(one.store.delete([everyAcl]));
  await run(one.store.create([acl('u')]));
  await sim.runFor(1000);
  assert.ok(other.mayRead('t') && !other.mayRead('u'), 'it hears of nothing');
  other.zk.use(other.session());
  await run(other.store.start());
  assert.ok(!other.mayRead('t') && other.mayRead('u'));
  await run(one.store.create([acl('v')]));
  await sim.runFor(1000);
  assert.ok(other.mayRead('v'), 'and hears of changes again');
});

test('changes that are a quarter of an hour old are removed by whoever takes the next', async () => {
  const { sim, run, broker, children } = await world();
  const { store } = await broker('one');
  await run(store.create([acl('t')]));
  await sim.runFor(16 * 60_000);
  await run(store.create([acl('u')]));
  await sim.runFor(1000);
  assert.deepEqual(await children('/kafka-acl-changes'), ['acl_changes_0000000001']);
});
