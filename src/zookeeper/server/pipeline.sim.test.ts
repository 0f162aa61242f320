import assert from 'node:assert/strict';
import test from 'node:test';
import { Reader } from '../../wire/reader.ts';
import { ErrorCode } from '../jute/errors.ts';
import { EventType } from '../jute/events.ts';
import { OpCode, Xid } from '../jute/op-codes.ts';
import { CreateResponse, ErrorResponse, GetDataResponse, MultiHeader, SetDataResponse } from '../jute/proto.ts';
import type { RawClient, RawReply } from './testkit/raw-client.ts';
import { check, create, exists, getChildren, getData, multi, remove, setData } from './testkit/requests.ts';
import { ServerWorld } from './testkit/server-world.ts';

const SEQUENTIAL = 2;
const EPHEMERAL = 1;

function dataOf(reply: RawReply | undefined): string {
  return Buffer.from(GetDataResponse.read(new Reader(reply?.body ?? new Uint8Array(0))).data ?? []).toString();
}

async function all(world: ServerWorld, client: RawClient, xids: readonly number[]): Promise<RawReply[]> {
  await world.until(() => xids.every((xid) => client.reply(xid) !== undefined));
  return xids.map((xid) => client.reply(xid) as RawReply);
}

test('a pipeline of dependent writes behaves as if each had waited for the one before', async () => {
  const world = await ServerWorld.start();
  const client = await world.open();
  const xids = client.sendTogether([
    create('/a', '0'),
    create('/a/b', '0'),
    remove('/a'),
    setData('/a', '1', 0),
    setData('/a', '2', 0),
    setData('/a', '3', 1),
    remove('/a/b'),
    remove('/a', 2),
    getData('/a'),
    create('/a', 'again'),
  ]);
  const replies = await all(world, client, xids);
  assert.deepEqual(
    replies.map(({ err }) => err),
    [0, 0, ErrorCode.NOTEMPTY, 0, ErrorCode.BADVERSION, 0, 0, 0, ErrorCode.NONODE, 0],
  );
  assert.deepEqual(
    client.heard.map(({ xid }) => xid),
    xids,
    'answers come in the order of the requests',
  );
});

test('a failed write uses a zxid, as every write does', async () => {
  const world = await ServerWorld.start();
  const client = await world.open();
  const [first, failed, last] = await all(
    world,
    client,
    client.sendTogether([create('/a'), create('/a'), create('/b')]),
  );
  assert.equal(failed?.err, ErrorCode.NODEEXISTS);
  assert.equal(failed?.zxid, (first?.zxid ?? 0n) + 1n);
  assert.equal(last?.zxid, (first?.zxid ?? 0n) + 2n);
});

test('reads keep their place between the writes of their session', async () => {
  const world = await ServerWorld.start();
  const client = await world.open();
  const xids = client.sendTogether([
    create('/a', '0'),
    getData('/a'),
    setData('/a', '1'),
    getData('/a'),
    getData('/a'),
    setData('/a', '2'),
    setData('/a', '3'),
    getData('/a'),
  ]);
  const replies = await all(world, client, xids);
  assert.deepEqual(
    client.heard.map(({ xid }) => xid),
    xids,
  );
  assert.deepEqual(
    [1, 3, 4, 7].map((index) => dataOf(replies[index])),
    ['0', '1', '1', '3'],
  );
});

test('reads of a session without writes do not wait for the writes of others', async () => {
  const world = await ServerWorld.start();
  const writing = await world.open();
  const reading = await world.open();
  const write = writing.send(OpCode.create, create('/a').body);
  const read = reading.send(OpCode.exists, exists('/').body);
  await world.until(() => reading.reply(read) !== undefined);
  await world.until(() => writing.reply(write) !== undefined);
});

test('sequence suffixes count every child ever created', async () => {
  const world = await ServerWorld.start();
  const client = await world.open();
  const xids = client.sendTogether([
    create('/q'),
    create('/q/a-', '', SEQUENTIAL),
    create('/q/plain'),
    remove('/q/plain'),
    create('/q/b-', '', SEQUENTIAL),
    create('/q/', '', SEQUENTIAL),
  ]);
  const replies = await all(world, client, xids);
  const pathOf = (index: number) => CreateResponse.read(new Reader(replies[index]?.body ?? new Uint8Array(0))).path;
  assert.equal(pathOf(1), '/q/a-0000000000');
  assert.equal(pathOf(4), '/q/b-0000000002');
  assert.equal(pathOf(5), '/q/0000000003');
});

test('a watch event is sent before the reply of the change that caused it, and before reads that see the change', async () => {
  const world = await ServerWorld.start();
  const client = await world.open();
  const other = await world.open();
  await all(world, client, client.sendTogether([create('/a', '0'), getData('/a', true)]));
  await all(world, other, other.sendTogether([getData('/a', true)]));
  client.heard.length = 0;
  const [set, read] = client.sendTogether([setData('/a', '1'), getData('/a')]);
  await world.until(() => client.heard.length === 3);
  assert.deepEqual(
    client.heard.map(({ xid }) => xid),
    [Xid.notification, set, read],
  );
  assert.equal(client.events[0]?.zxid, client.reply(set ?? 0)?.zxid);
  await world.until(() => other.events.length === 1);
  assert.deepEqual(other.events[0], { type: EventType.NodeDataChanged, path: '/a', zxid: client.events[0]?.zxid });
});

test('exists leaves a watch on a missing node, and one-shot watches fire once', async () => {
  const world = await ServerWorld.start();
  const client = await world.open();
  const [missing] = await all(world, client, client.sendTogether([exists('/a', true), getChildren('/', true)]));
  assert.equal(missing?.err, ErrorCode.NONODE);
  await all(world, client, client.sendTogether([create('/a'), setData('/a', '1'), remove('/a')]));
  assert.deepEqual(
    client.events.map(({ type, path }) => [type, path]),
    [
      [EventType.NodeCreated, '/a'],
      [EventType.NodeChildrenChanged, '/'],
    ],
  );
});

function multiErrors(reply: RawReply | undefined): number[] {
  const from = new Reader(reply?.body ?? new Uint8Array(0));
  const errors: number[] = [];
  for (let header = MultiHeader.read(from); !header.done; header = MultiHeader.read(from)) {
    if (header.type === OpCode.error) errors.push(ErrorResponse.read(from).err);
    else {
      if (header.type === OpCode.create) CreateResponse.read(from);
      if (header.type === OpCode.setData) SetDataResponse.read(from);
      errors.push(header.err);
    }
  }
  return errors;
}

test('a multi is one transaction; one that fails changes nothing, for later requests of the pipeline too', async () => {
  const world = await ServerWorld.start();
  const client = await world.open();
  const replies = await all(
    world,
    client,
    client.sendTogether([
      create('/a', '0'),
      multi(create('/a/x'), create('/a/y'), setData('/a', '1', 0), check('/a', 1)),
      multi(create('/a/z'), remove('/a/x'), setData('/a', '9', 7), create('/b')),
      exists('/a/z'),
      exists('/a/x'),
      create('/a/s-', '', SEQUENTIAL),
      multi(),
      multi(remove('/a/x'), remove('/a/y'), remove('/a/s-0000000002'), remove('/a')),
    ]),
  );
  assert.deepEqual(multiErrors(replies[1]), [0, 0, 0, 0]);
  assert.deepEqual(multiErrors(replies[2]), [0, 0, ErrorCode.BADVERSION, ErrorCode.RUNTIMEINCONSISTENCY]);
  assert.equal(replies[2]?.err, 0, 'the request itself succeeds');
  assert.equal(replies[3]?.err, ErrorCode.NONODE);
  assert.equal(replies[4]?.err, 0);
  assert.equal(replies[5]?.err, 0);
  assert.deepEqual(multiErrors(replies[6]), []);
  assert.deepEqual(multiErrors(replies[7]), [0, 0, 0, 0]);
  assert.equal(world.server.view.tree.find('/a'), -1);
});

test('nodes have no children below ephemerals, special paths are not deleted, bad paths are refused', async () => {
  const world = await ServerWorld.start();
  const client = await world.open();
  const replies = await all(
    world,
    client,
    client.sendTogether([
      create('/e', '', EPHEMERAL),
      create('/e/child'),
      remove('/zookeeper'),
      remove('/'),
      create('/'),
      create('no-slash'),
      create('/a/../b'),
      create('/x', '', 9),
      create('/missing/child'),
      create('/ttl', '', 5),
    ]),
  );
  assert.deepEqual(
    replies.map(({ err }) => err),
    [
      0,
      ErrorCode.NOCHILDRENFOREPHEMERALS,
      ErrorCode.BADARGUMENTS,
      ErrorCode.BADARGUMENTS,
      ErrorCode.NODEEXISTS,
      ErrorCode.BADARGUMENTS,
      ErrorCode.NONODE,
      ErrorCode.BADARGUMENTS,
      ErrorCode.NONODE,
      ErrorCode.UNIMPLEMENTED,
    ],
  );
});

test('a body that cannot be read is a marshalling error, an unknown request -6 and the end', async () => {
  const world = await ServerWorld.start();
  const client = await world.open();
  const broken = client.send(OpCode.create, (to) => to.int32(100));
  const brokenRead = client.send(OpCode.getData, (to) => to.int32(-1));
  const badMulti = client.send(OpCode.multi, multi(getData('/')).body);
  const unknown = client.send(55);
  await world.until(() => client.isClosed);
  assert.equal(client.reply(unknown)?.err, ErrorCode.UNIMPLEMENTED);
  assert.equal(client.reply(unknown)?.zxid, -1n);
  const second = await world.open();
  const replies = await all(world, second, [
    second.send(OpCode.create, (to) => to.int32(100)),
    second.send(OpCode.getData, (to) => to.int32(-1)),
    second.send(OpCode.multi, multi(getData('/')).body),
  ]);
  assert.deepEqual(
    replies.map(({ err }) => err),
    [ErrorCode.MARSHALLINGERROR, ErrorCode.MARSHALLINGERROR, ErrorCode.MARSHALLINGERROR],
  );
  assert.ok([broken, brokenRead, badMulti].every((xid) => xid > 0));
});

test('the tree has the digest that prepare foresaw, whatever was pending', async () => {
  const world = await ServerWorld.start();
  const client = await world.open();
  const requests = [];
  for (let round = 0; round < 20; round += 1) {
    requests.push(
      create(`/n${round}`, `data ${round}`),
      create(`/n${round}/e-`, '', 3),
      setData(`/n${round}`, 'x'.repeat(round)),
      multi(create(`/n${round}/a`), setData(`/n${round}`, 'multi'), remove(`/n${round}/missing`)),
      multi(create(`/n${round}/b`), setData(`/n${round}`, 'multi'), create(`/n${round}/b/c`)),
      remove(`/n${round}/b/c`),
    );
  }
  const closing = { type: OpCode.closeSession, body: () => undefined };
  await all(world, client, client.sendTogether([...requests, create('/late', '', EPHEMERAL), closing]));
  await world.crash('process');
  assert.equal(world.logged.filter((line) => line.includes('Digests are not matching')).length, 0);
  assert.ok(world.server.view.tree.treeDigest !== 0n);
});

test('sync answers once everything proposed before it is applied', async () => {
  const world = await ServerWorld.start();
  const writing = await world.open();
  const syncing = await world.open();
  const writes = writing.sendTogether([create('/a'), create('/a/b'), create('/a/b/c')]);
  await world.until(() => world.server.view.outstandingCount > 0);
  const sync = syncing.send(OpCode.sync, (to) => {
    to.int32(2);
    to.utf8('/a');
  });
  const read = syncing.send(OpCode.exists, exists('/a/b/c').body);
  const replies = await all(world, syncing, [sync, read]);
  assert.equal(CreateResponse.read(new Reader(replies[0]?.body ?? new Uint8Array(0))).path, '/a');
  assert.equal(replies[1]?.err, 0);
  await all(world, writing, writes);
});

test('every acknowledged write is found after a crash of process or power, at any moment', async () => {
  for (let seed = 1; seed <= 12; seed += 1) {
    const world = await ServerWorld.start({ seed, config: { snapCount: 40, preAllocSize: seed % 2 === 0 ? 0 : 64 } });
    const acknowledged = new Set<string>();
    for (let life = 0; life < 3; life += 1) {
      const client = await world.open();
      const paths = new Map<number, string>();
      const random = world.sim.random.fork(`load ${life}`);
      for (let index = 0; index < 120; index += 1) {
        const path = `/n-${life}-${index}`;
        paths.set(client.send(OpCode.create, create(path, 'x'.repeat(random.uint32() % 300)).body), path);
        if (random.uint32() % 4 === 0) await world.sim.runFor((random.uint32() % 1000) / 250);
      }
      await world.sim.runFor((random.uint32() % 1000) / 100);
      for (const { xid, err } of client.heard) if (err === 0) acknowledged.add(paths.get(xid) ?? '');
      await world.crash(life % 2 === 0 ? 'power' : 'process');
      for (const path of acknowledged) {
        assert.notEqual(world.server.view.tree.find(path), -1, `seed ${seed}: ${path} is lost`);
      }
    }
    assert.ok(acknowledged.size > 0);
  }
});

test('a failed sync: nothing is acknowledged any more, the server stops and says why', async () => {
  for (const fault of [
    { operation: 'sync', code: 'EIO', path: 'log.' },
    { operation: 'append', code: 'ENOSPC', path: 'log.' },
  ] as const) {
    const world = await ServerWorld.start();
    const client = await world.open();
    await all(world, client, client.sendTogether([create('/a')]));
    world.machine.disk.failNext(fault);
    const xids = client.sendTogether([create('/b'), create('/c')]);
    await world.until(() => client.isClosed);
    assert.ok(xids.every((xid) => client.reply(xid) === undefined));
    assert.equal(world.server.state, 'failed');
    assert.equal(world.fatal.length, 1);
    assert.match(String(world.fatal[0]), new RegExp(fault.code));
    const late = await world.connectRefused();
    assert.equal(late, true, 'nobody is let in any more');
    world.machine.disk.repair();
    await world.crash('process');
    assert.notEqual(world.server.view.tree.find('/a'), -1);
  }
});

test('a full disk: writes stop, and with room again a restart has everything acknowledged', async () => {
  const world = await ServerWorld.start({ config: { preAllocSize: 0 } });
  const client = await world.open();
  const acknowledged: string[] = [];
  world.machine.disk.fill(64 * 1024);
  for (let index = 0; index < 50 && !client.isClosed; index += 1) {
    const path = `/n${index}`;
    const xid = client.send(OpCode.create, create(path, 'x'.repeat(5000)).body);
    await world.until(() => client.isClosed || client.reply(xid) !== undefined);
    if (client.reply(xid)?.err === 0) acknowledged.push(path);
  }
  assert.equal(client.isClosed, true);
  assert.ok(acknowledged.length > 5);
  world.machine.disk.repair();
  await world.crash('power');
  for (const path of acknowledged) assert.notEqual(world.server.view.tree.find(path), -1, path);
});

test('inside a multi the flags of a creation decide its kind, and what no operation can be made of spoils the whole', async () => {
  const world = await ServerWorld.start({ config: { extendedTypesEnabled: true } });
  const client = await world.open();
  const [container, badFlags, noTime] = client.sendTogether([
    multi(create('/box', '', 4)),
    multi(create('/a'), create('/b', '', 9)),
    multi(create('/a'), create('/b', '', 5)),
  ]);
  await world.until(() => client.heard.length === 3);
  // An answer with a stat: that of createContainer, as create2's.
  assert.equal(
    new DataView(client.reply(container!)!.body.buffer).getInt32(client.reply(container!)!.body.byteOffset),
    15,
  );
  assert.deepEqual(world.server.view.tree.containers.size, 1);
  for (const xid of [badFlags, noTime]) assert.equal(client.reply(xid!)?.err, ErrorCode.MARSHALLINGERROR);
  assert.equal(world.server.view.tree.find('/a'), -1);
});
