import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Writer } from '../../wire/writer.ts';
import { writeUstring } from '../jute/ustring.ts';
import { isExcludedFromDigest } from './digest.ts';
import { NodeStore } from './node-store.ts';
import { PathStore } from './path-store.ts';

const name = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 80 }),
  fc.constantFrom('zookeeper', 'z', 'ä'),
);
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => `/${names.join('/')}`);

const written = (write: (to: Writer) => void): string => {
  const to = new Writer();
  write(to);
  return Buffer.from(to.finishFlat()).toString('hex');
};

test('a path is kept as it was, and known again', () => {
  fc.assert(
    fc.property(fc.array(path, { minLength: 1, maxLength: 20 }), path, (paths, other) => {
      const nodes = new NodeStore();
      const store = new PathStore(nodes);
      const kept = paths.map((each) => {
        const node = nodes.allocate();
        store.put(node, each);
        return { each, node };
      });
      for (const { each, node } of kept) {
        assert.equal(store.path(node), each);
        assert.equal(store.isNamed(node, each), true);
        for (const wrong of [other, `${each}x`, each.slice(0, -1), `${each.slice(0, -1)}\u0001`, '']) {
          assert.equal(store.isNamed(node, wrong), wrong === each, wrong);
        }
        assert.equal(store.isExcludedFromDigest(node), isExcludedFromDigest(each));
        assert.equal(
          written((to) => store.writePath(to, node)),
          written((to) => writeUstring(to, each)),
        );
      }
    }),
  );
});

test('a name is what follows the path of the parent', () => {
  fc.assert(
    fc.property(fc.oneof(fc.constant(''), path), name, (parentPath, last) => {
      const nodes = new NodeStore();
      const store = new PathStore(nodes);
      const [parent, child] = [nodes.allocate(), nodes.allocate()];
      store.put(parent, parentPath);
      store.put(child, `${parentPath}/${last}`);
      assert.equal(store.name(child, parent), last);
      assert.equal(
        written((to) => store.writeName(to, child, parent)),
        written((to) => writeUstring(to, last)),
      );
    }),
  );
});

test('freed memory is used again', () => {
  const nodes = new NodeStore();
  const store = new PathStore(nodes);
  for (let round = 0; round < 20_000; round += 1) {
    const node = nodes.allocate();
    store.put(node, `/app/node-${round}`);
    store.free(node);
    nodes.free(node);
  }
  assert.ok(store.bytesHeld <= 2 * 65_536, `${store.bytesHeld} bytes are held`);
});
