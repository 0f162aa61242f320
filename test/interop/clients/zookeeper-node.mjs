/** node-zookeeper-client, every operation it has: `zookeeper-node.mjs host:port`. Prints RESTART when the server shall be killed. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { promisify } from 'node:util';
import zookeeper from 'node-zookeeper-client';

const { ACL, CreateMode, Event, Exception, Id, Permission, State } = zookeeper;
const connect = process.argv[2];

async function open() {
  const client = zookeeper.createClient(connect, { sessionTimeout: 10_000, spinDelay: 100, retries: 20 });
  client.connect();
  await once(client, 'connected');
  return client;
}

/** The client's calls as promises; some answer two values. */
function call(client, name, ...args) {
  return promisify((...all) => {
    const callback = all.pop();
    client[name](...all, (error, ...values) => callback(error, values.length > 1 ? values : values[0]));
  })(...args);
}

const refusedWith = (name) => (error) => error instanceof Exception && error.name === name;
const nextEvent = (watch) => new Promise((resolve) => watch((event) => resolve([event.getType(), event.getPath()])));

const one = await open();
const two = await open();

assert.equal(await call(one, 'create', '/n', Buffer.from('one'), ACL.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT), '/n');
assert.equal(await call(one, 'create', '/n/s-', null, CreateMode.PERSISTENT_SEQUENTIAL), '/n/s-0000000000');
assert.equal(await call(one, 'create', '/n/e-', CreateMode.EPHEMERAL_SEQUENTIAL), '/n/e-0000000001');
await assert.rejects(call(one, 'create', '/n'), refusedWith('NODE_EXISTS'));
await assert.rejects(call(one, 'create', '/none/child'), refusedWith('NO_NODE'));
await call(one, 'mkdirp', '/deep/a');
const stat = await call(one, 'setData', '/n', Buffer.from('two'), 0);
assert.equal(stat.version, 1);
await assert.rejects(call(one, 'setData', '/n', Buffer.from('x'), 0), refusedWith('BAD_VERSION'));
const [data, read] = await call(one, 'getData', '/n');
assert.deepEqual([data.toString(), read.version, read.numChildren], ['two', 1, 2]);
assert.equal(await call(one, 'exists', '/none'), null);
const [children] = await call(one, 'getChildren', '/n');
assert.deepEqual(children.sort(), ['e-0000000001', 's-0000000000']);
// With the version of `async` that it gets it lists one level only.
assert.deepEqual((await call(one, 'listSubTreeBFS', '/deep')).sort(), ['/deep', '/deep/a']);
await assert.rejects(call(one, 'remove', '/n', -1), refusedWith('NOT_EMPTY'));
await call(one, 'remove', '/n/s-0000000000', 0);
await call(one, 'removeRecursive', '/deep');
assert.equal(await call(one, 'exists', '/deep'), null);

one.addAuthInfo('digest', Buffer.from('bob:secret'));
await call(one, 'create', '/acl', Buffer.from('hidden'), ACL.CREATOR_ALL_ACL, CreateMode.PERSISTENT);
await assert.rejects(call(two, 'getData', '/acl'), refusedWith('NO_AUTH'));
const [acls] = await call(one, 'getACL', '/acl');
assert.equal(acls[0].id.scheme, 'digest');
const readable = [...acls, new ACL(Permission.READ, new Id('world', 'anyone'))];
assert.equal((await call(one, 'setACL', '/acl', readable, 0)).aversion, 1);
assert.equal(String((await call(two, 'getData', '/acl'))[0]), 'hidden');
await assert.rejects(call(two, 'setData', '/acl', Buffer.alloc(0), -1), refusedWith('NO_AUTH'));

const commit = (transaction) => call(transaction, 'commit');
const results = await commit(
  one.transaction().create('/t', Buffer.from('t')).check('/t', 0).setData('/t', Buffer.from('u')).remove('/t', 1),
);
assert.equal(results.length, 4);
assert.equal(results[0].path, '/t');
assert.equal(results[2].stat.version, 1);
await assert.rejects(commit(one.transaction().create('/t2').check('/n', 99)), refusedWith('BAD_VERSION'));
assert.equal(await call(one, 'exists', '/t2'), null);

const created = nextEvent((watcher) => one.exists('/w', watcher, () => two.create('/w', () => {})));
assert.deepEqual(await created, [Event.NODE_CREATED, '/w']);
const changed = nextEvent((watcher) =>
  one.getData('/w', watcher, () => two.setData('/w', Buffer.alloc(0), -1, () => {})),
);
assert.deepEqual(await changed, [Event.NODE_DATA_CHANGED, '/w']);
const grown = nextEvent((watcher) => one.getChildren('/w', watcher, () => two.create('/w/c', () => {})));
assert.deepEqual(await grown, [Event.NODE_CHILDREN_CHANGED, '/w']);
const deleted = nextEvent((watcher) => one.exists('/w/c', watcher, () => two.remove('/w/c', -1, () => {})));
assert.deepEqual(await deleted, [Event.NODE_DELETED, '/w/c']);

await call(two, 'create', '/gone', CreateMode.EPHEMERAL);
const gone = nextEvent((watcher) => one.exists('/gone', watcher, () => two.close()));
assert.deepEqual(await gone, [Event.NODE_DELETED, '/gone']);

const session = one.getSessionId().toString('hex');
await call(one, 'create', '/alive', CreateMode.EPHEMERAL);
const afterwards = nextEvent((watcher) => one.getData('/n', watcher, () => process.stdout.write('RESTART\n')));
await once(one, 'disconnected');
await once(one, 'connected');
assert.equal(one.getSessionId().toString('hex'), session);
assert.equal(one.getState(), State.SYNC_CONNECTED);
assert.ok(await call(one, 'exists', '/alive'));
const three = await open();
await call(three, 'setData', '/n', Buffer.from('three'), -1);
assert.deepEqual(await afterwards, [Event.NODE_DATA_CHANGED, '/n']);
one.close();
three.close();
process.stdout.write('walked\n');
