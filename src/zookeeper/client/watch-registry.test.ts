import assert from 'node:assert/strict';
import test from 'node:test';
import { type WatchEventType, type WatchKind, WatchRegistry } from './watch-registry.ts';

interface Case {
  readonly name: string;
  readonly watches: readonly (readonly [kind: WatchKind, path: string])[];
  readonly event: readonly [type: WatchEventType, path: string];
  /** The watches that hear it, and those that are left. */
  readonly heard: readonly string[];
  readonly left: readonly string[];
}

const cases: readonly Case[] = [
  {
    name: 'a change of data uses up the watches on data',
    watches: [
      ['data', '/a'],
      ['exist', '/a'],
      ['child', '/a'],
      ['data', '/b'],
    ],
    event: ['NodeDataChanged', '/a'],
    heard: ['data /a', 'exist /a'],
    left: ['data /b', 'child /a'],
  },
  {
    name: 'a creation uses up a watch on absence',
    watches: [
      ['exist', '/a'],
      ['child', '/a'],
    ],
    event: ['NodeCreated', '/a'],
    heard: ['exist /a'],
    left: ['child /a'],
  },
  {
    name: 'a deletion uses up everything on the node',
    watches: [
      ['data', '/a'],
      ['exist', '/a'],
      ['child', '/a'],
      ['child', '/'],
    ],
    event: ['NodeDeleted', '/a'],
    heard: ['child /a', 'data /a', 'exist /a'],
    left: ['child /'],
  },
  {
    name: 'persistent watches stay',
    watches: [
      ['persistent', '/a'],
      ['child', '/a'],
    ],
    event: ['NodeChildrenChanged', '/a'],
    heard: ['child /a', 'persistent /a'],
    left: ['persistent /a'],
  },
  {
    name: 'recursive watches hear of the whole subtree',
    watches: [
      ['recursive', '/'],
      ['recursive', '/a'],
      ['recursive', '/a/b'],
      ['recursive', '/ab'],
    ],
    event: ['NodeCreated', '/a/b'],
    heard: ['recursive /', 'recursive /a', 'recursive /a/b'],
    left: ['recursive /', 'recursive /a', 'recursive /a/b', 'recursive /ab'],
  },
  {
    name: 'recursive watches hear of nodes, not of lists of children',
    watches: [['recursive', '/a']],
    event: ['NodeChildrenChanged', '/a'],
    heard: [],
    left: ['recursive /a'],
  },
];

for (const { name, watches, event, heard, left } of cases) {
  test(name, () => {
    const registry = new WatchRegistry();
    const told: string[] = [];
    for (const [kind, path] of watches) registry.add(kind, path, () => told.push(`${kind} ${path}`));
    const [type, path] = event;
    for (const watcher of registry.take(type, path)) watcher({ type, path, zxid: 1n });
    assert.deepEqual(told.sort(), heard);
    const kinds = ['data', 'exist', 'child', 'persistent', 'recursive'] as const;
    assert.deepEqual(
      kinds.flatMap((kind) => registry.paths(kind).map((found) => `${kind} ${found}`)),
      left,
    );
  });
}

test('one watcher set twice hears once', () => {
  const registry = new WatchRegistry();
  const watcher = (): void => undefined;
  registry.add('data', '/a', watcher);
  registry.add('child', '/a', watcher);
  assert.equal(registry.take('NodeDeleted', '/a').size, 1);
});
