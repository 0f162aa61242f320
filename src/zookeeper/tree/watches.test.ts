import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ACL } from '../jute/data.ts';
import { EventType, WatcherType } from '../jute/events.ts';
import type { Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import type { Txn } from '../jute/txn.ts';
import { OPEN_ACL_UNSAFE } from './acl.ts';
import { DataTree } from './data-tree.ts';
import { type WatchedEvent, type Watcher, WatchMode } from './watches.ts';

class Recorder implements Watcher {
  readonly events: string[] = [];

  process(event: WatchedEvent): void {
    const name = Object.entries(EventType).find(([, value]) => value === event.type)?.[0];
    this.events.push(`${name} ${event.path} ${event.zxid}`);
  }
}

const open = OPEN_ACL_UNSAFE as ACL[];

function world() {
  const tree = DataTree.create();
  let zxid = 0n;
  const apply = (txn: Txn): void => {
    zxid += 1n;
    tree.apply({ clientId: 7n, cxid: 0, zxid, time: 0, type: txn.type }, txn);
  };
  const create = (path: string, ephemeral = false): void =>
    apply({ type: OpCode.create, path, data: null, acl: open, ephemeral, parentCVersion: -1 });
  return { tree, apply, create, watcher: new Recorder(), other: new Recorder() };
}

test('a creation tells who awaited the node, then who watches its parent; once', () => {
  const { tree, create, watcher } = world();
  tree.watches.data.add('/a', watcher, WatchMode.STANDARD);
  tree.watches.child.add('/', watcher, WatchMode.STANDARD);
  create('/a');
  create('/b');
  assert.deepEqual(watcher.events, ['NodeCreated /a 1', 'NodeChildrenChanged / 1']);
  assert.equal(tree.watches.size, 0);
});

test('a deletion is told once to who watches data and children, and to who watches the parent', () => {
  const { tree, create, apply, watcher, other } = world();
  create('/a');
  create('/a/b');
  tree.watches.data.add('/a/b', watcher, WatchMode.STANDARD);
  tree.watches.child.add('/a/b', watcher, WatchMode.STANDARD);
  tree.watches.child.add('/a/b', other, WatchMode.STANDARD);
  tree.watches.child.add('/a', other, WatchMode.STANDARD);
  apply({ type: OpCode.delete, path: '/a/b' });
  assert.deepEqual(watcher.events, ['NodeDeleted /a/b 3']);
  assert.deepEqual(other.events, ['NodeDeleted /a/b 3', 'NodeChildrenChanged /a 3']);
  assert.equal(tree.watches.size, 0);
});

test('a changed ACL tells nobody, changed data who watches it', () => {
  const { tree, create, apply, watcher } = world();
  create('/a');
  tree.watches.data.add('/a', watcher, WatchMode.STANDARD);
  apply({ type: OpCode.setACL, path: '/a', acl: open, version: 1 });
  assert.deepEqual(watcher.events, []);
  apply({ type: OpCode.setData, path: '/a', data: null, version: 1 });
  assert.deepEqual(watcher.events, ['NodeDataChanged /a 3']);
});

test('a closed session fires the watches on its ephemerals', () => {
  const { tree, create, apply, watcher } = world();
  create('/e', true);
  tree.watches.data.add('/e', watcher, WatchMode.STANDARD);
  apply({ type: OpCode.closeSession, paths2Delete: ['/e'] });
  assert.deepEqual(watcher.events, ['NodeDeleted /e 2']);
});

test('persistent watches stay, recursive ones see the subtree without children events', () => {
  const { tree, create, apply, watcher, other } = world();
  tree.watches.addPersistent('/a', watcher);
  tree.watches.addRecursive('/a', other);
  create('/a');
  create('/a/b');
  create('/ab');
  apply({ type: OpCode.setData, path: '/a/b', data: null, version: 1 });
  apply({ type: OpCode.delete, path: '/a/b' });
  assert.deepEqual(watcher.events, ['NodeCreated /a 1', 'NodeChildrenChanged /a 2', 'NodeChildrenChanged /a 5']);
  assert.deepEqual(other.events, [
    'NodeCreated /a 1',
    'NodeCreated /a/b 2',
    'NodeDataChanged /a/b 4',
    'NodeDeleted /a/b 5',
  ]);
});

test('modes of one path are removed one by one', () => {
  const { tree, create, watcher } = world();
  const { watches } = tree;
  watches.data.add('/a', watcher, WatchMode.STANDARD);
  watches.addPersistent('/a', watcher);
  watches.addRecursive('/a', watcher);
  assert.equal(watches.data.size, 1);
  assert.ok(watches.remove('/a', WatcherType.PersistentRecursive, watcher));
  assert.ok(!watches.has('/a', WatcherType.PersistentRecursive, watcher));
  assert.ok(watches.remove('/a', WatcherType.Persistent, watcher));
  assert.ok(!watches.remove('/a', WatcherType.Persistent, watcher));
  assert.ok(watches.has('/a', WatcherType.Any, watcher));
  assert.ok(!watches.has('/a', WatcherType.Children, watcher));
  assert.ok(watches.remove('/a', WatcherType.Any, watcher));
  create('/a');
  assert.deepEqual(watcher.events, []);
});

test('a connection that ends leaves no watch behind', () => {
  const { tree, create, watcher, other } = world();
  for (const each of [watcher, other]) tree.watches.data.add('/a', each, WatchMode.STANDARD);
  tree.watches.addRecursive('/', watcher);
  tree.watches.child.add('/', watcher, WatchMode.STANDARD);
  tree.watches.removeWatcher(watcher);
  create('/a');
  assert.deepEqual(watcher.events, []);
  assert.deepEqual(other.events, ['NodeCreated /a 1']);
  assert.equal(tree.watches.data.pathCount + tree.watches.data.watcherCount, 0);
});

test('a client that is back hears what it missed and watches the rest again', () => {
  const { tree, create, apply, watcher } = world();
  for (const path of ['/same', '/changed', '/grown', '/appeared']) create(path);
  apply({ type: OpCode.setData, path: '/changed', data: null, version: 1 });
  create('/grown/child');
  tree.setWatches(
    {
      relativeZxid: 4n as Zxid,
      dataWatches: ['/same', '/changed', '/gone'],
      existWatches: ['/appeared', '/awaited'],
      childWatches: ['/same', '/grown', '/gone'],
      persistentWatches: ['/p'],
      persistentRecursiveWatches: ['/r'],
    },
    watcher,
  );
  assert.deepEqual(watcher.events, [
    'NodeDataChanged /changed -1',
    'NodeDeleted /gone -1',
    'NodeCreated /appeared -1',
    'NodeChildrenChanged /grown -1',
    'NodeDeleted /gone -1',
  ]);
  assert.deepEqual([...tree.watches.data.pathsOf(watcher)].sort(), ['/awaited', '/p', '/r', '/same']);
  assert.deepEqual([...tree.watches.child.pathsOf(watcher)].sort(), ['/p', '/same']);
});
