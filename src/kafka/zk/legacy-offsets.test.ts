import assert from 'node:assert/strict';
import test from 'node:test';
import type { ZookeeperClient } from '../../zookeeper/client/client.ts';
import { ErrorCode, KeeperError } from '../../zookeeper/jute/errors.ts';
import { LegacyOffsets } from './legacy-offsets.ts';

/** The three operations that are used, on a map of paths. */
function fakeClient(nodes: Map<string, string>): ZookeeperClient {
  const client = {
    getData: async (path: string) => {
      const text = nodes.get(path);
      if (text === undefined) throw new KeeperError(ErrorCode.NONODE, path);
      return { data: Buffer.from(text) };
    },
    setData: async (path: string, data: Uint8Array) => {
      if (!nodes.has(path)) throw new KeeperError(ErrorCode.NONODE, path);
      nodes.set(path, Buffer.from(data).toString());
    },
    create: async (path: string) => {
      if (nodes.has(path)) throw new KeeperError(ErrorCode.NODEEXISTS, path);
      const parent = path.slice(0, path.lastIndexOf('/'));
      if (parent !== '' && !nodes.has(parent)) throw new KeeperError(ErrorCode.NONODE, path);
      nodes.set(path, '');
    },
  };
  return client as unknown as ZookeeperClient;
}

test('an offset is decimal text under its group, topic and partition, whose nodes come into being', async () => {
  const nodes = new Map([['/consumers', '']]);
  const offsets = new LegacyOffsets(fakeClient(nodes));
  assert.equal(await offsets.get('g', 't', 3), undefined);
  await offsets.put('g', 't', 3, 17);
  await offsets.put('g', 't', 3, 18);
  await offsets.put('g', 't', 4, 1);
  assert.equal(nodes.get('/consumers/g/offsets/t/3'), '18');
  assert.deepEqual([...nodes.keys()].slice(0, 5), [
    '/consumers',
    '/consumers/g',
    '/consumers/g/offsets',
    '/consumers/g/offsets/t',
    '/consumers/g/offsets/t/3',
  ]);
  assert.equal(await offsets.get('g', 't', 3), 18);
});

test('what is no number counts as nothing', async () => {
  const nodes = new Map([['/consumers/g/offsets/t/0', 'many']]);
  assert.equal(await new LegacyOffsets(fakeClient(nodes)).get('g', 't', 0), undefined);
});
