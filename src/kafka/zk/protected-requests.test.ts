import assert from 'node:assert/strict';
import test from 'node:test';
import type { ZookeeperClient } from '../../zookeeper/client/client.ts';
import { CreateMode } from '../../zookeeper/jute/create-mode.ts';
import { ZkConnection } from './zk-connection.ts';
import { protectedAcl } from './znode-acls.ts';

/** Notes what is created, and with which ACL. */
class Recorder {
  readonly created: unknown[] = [];
  readonly client = {
    create: async (path: string, _data: unknown, options: { acl?: unknown; mode?: unknown } = {}) => {
      this.created.push([path, options.acl, options.mode]);
      return path;
    },
    multi: async (operations: { kind: string; path: string; acl?: unknown }[]) => {
      for (const { kind, path, acl } of operations) this.created.push([kind, path, acl]);
      return [];
    },
  } as unknown as ZookeeperClient;
}

async function createdBy(protects: boolean): Promise<unknown[]> {
  const recorder = new Recorder();
  const zk = new ZkConnection(new Recorder().client, protects);
  zk.use(recorder.client);
  await zk.requests.create('/config/users/ann', null, { mode: CreateMode.EPHEMERAL });
  await zk.requests.multi([
    { kind: 'create', path: '/brokers/ids/0', data: null },
    { kind: 'setData', path: '/brokers/ids/0', data: null, version: 0 },
  ]);
  return recorder.created;
}

test('whatever a broker of a protected cluster creates is the brokers’, in a session to come as well', async () => {
  assert.deepEqual(await createdBy(true), [
    ['/config/users/ann', protectedAcl('/config/users/ann'), CreateMode.EPHEMERAL],
    ['create', '/brokers/ids/0', protectedAcl('/brokers/ids/0')],
    ['setData', '/brokers/ids/0', undefined],
  ]);
});

test('what a broker of an open cluster creates is everybody’s', async () => {
  assert.deepEqual(await createdBy(false), [
    ['/config/users/ann', undefined, CreateMode.EPHEMERAL],
    ['create', '/brokers/ids/0', undefined],
    ['setData', '/brokers/ids/0', undefined],
  ]);
});
