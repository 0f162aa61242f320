/** The files of a membership: what Apache's server leaves of a configuration file, we leave too; each starts from the other's. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readZooCfg, type ZooCfg } from '../../src/config/zoo-cfg.ts';
import type { Completion } from '../../src/runtime/disk.ts';
import { silent } from '../../src/runtime/log.ts';
import { nodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { connectZookeeper, type ZookeeperClient } from '../../src/zookeeper/client/index.ts';
import { DynamicConfigFiles, readMembership } from '../../src/zookeeper/quorum/dynamic-config.ts';
import { establish, type Membership, membershipOf, parseMembership } from '../../src/zookeeper/quorum/membership.ts';
import { type ApacheZookeeper, startApacheZookeeper } from './peers/apache-zookeeper.ts';
import { freePort } from './peers/free-port.ts';
import { until } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';

type Keys = Readonly<Record<string, string | number>>;

/** A lone participant is an ensemble, and anybody may change its membership. */
const alone: Keys = { standaloneEnabled: 'false', reconfigEnabled: 'true', skipACL: 'yes', syncLimit: 5 };

const cases: readonly {
  readonly name: string;
  readonly myid: number;
  readonly keys: (client: number, ports: readonly number[]) => Keys;
}[] = [
  {
    name: 'clientPort in zoo.cfg, ids that meet in one bin of a table, and more keys than its first size',
    myid: 17,
    keys: (_client, [peer, election, other]) => ({
      'server.33': `127.0.0.1:${other}:1:observer`,
      'server.1': `127.0.0.1:${other}:2:observer;2181`,
      'server.17': `127.0.0.1:${peer}:${election}`,
      peerType: 'participant',
      'autopurge.purgeInterval': 0,
      'autopurge.snapRetainCount': 3,
      snapCount: 1000,
      preAllocSize: 64,
      localSessionsEnabled: 'false',
      quorumListenOnAllIPs: 'false',
      minSessionTimeout: 1000,
      maxSessionTimeout: 60_000,
      'fastleader.maxNotificationInterval': 60_000,
    }),
  },
  {
    name: 'the client port in the line of the server',
    myid: 2,
    keys: (client, [peer, election, other]) => ({
      clientPortListenBacklog: 50,
      'server.2': `127.0.0.1:${peer}:${election};127.0.0.1:${client}`,
      'server.10': `localhost:${other}:1:observer;0.0.0.0:2182`,
    }),
  },
  {
    name: 'groups and weights',
    myid: 1,
    keys: (_client, [peer, election, other]) => ({
      'server.1': `127.0.0.1:${peer}:${election}`,
      'server.2': `127.0.0.1:${other}:1`,
      'server.18': `127.0.0.1:${other}:2`,
      'group.20': '18:1:2',
      'weight.2': 0,
      'weight.18': 0,
    }),
  },
];

for (const { name, myid, keys } of cases) {
  test(`the first start: ${name}`, async (t) => {
    const port = await freePort();
    const ports = [await freePort(), await freePort(), await freePort()];
    const dir = tempDir();
    const server = await startApacheZookeeper({
      ...{ version: '3.9.4', dataDir: dir, myid, port },
      config: { ...alone, ...keys(port, ports) },
    });
    t.after(() => server.kill());
    const first = await activated(dir);
    const ours = startOf(readFileSync(join(dir, 'zoo.cfg.bak'), 'latin1'));
    await ours.backUp();
    const membership = establish(membershipOf(ours.config), first, ours.config);
    await ours.writeNext(membership);
    await ours.activate(membership, myid);
    assertSameFiles(dir, ours.dir);
    assert.equal(membership.text, await configNode(t, server));
    assert.equal(stored(dir).current.text, membership.text);
    await server.kill();
    const statically = { ...alone, ...keys(port, ports), reconfigEnabled: 'false' };
    const options = { version: '3.9.4', dataDir: tempDir(), myid, port } as const;
    const unchanging = await startApacheZookeeper({ ...options, config: statically });
    t.after(() => unchanging.kill());
    assert.equal(await configNode(t, unchanging), membershipOf(ours.config).text, 'without reconfigEnabled');
  });
}

test('the change of a membership', async (t) => {
  const port = await freePort();
  const [peer, election, other] = [await freePort(), await freePort(), await freePort()];
  const dir = tempDir();
  const server = await startApacheZookeeper({
    ...{ version: '3.9.4', dataDir: dir, myid: 9, port },
    config: { ...alone, 'server.9': `127.0.0.1:${peer}:${election};127.0.0.1:${port}` },
  });
  t.after(() => server.kill());
  const first = await activated(dir);
  const ours = startOf(readFileSync(join(dir, 'zoo.cfg.bak'), 'latin1'));
  const before = establish(membershipOf(ours.config), first, ours.config);
  await ours.backUp();
  await ours.activate(before, 9);
  const client = clientOf(t, server);
  await client.reconfigure({
    joining: `server.8=127.0.0.1:${other}:1:observer;2182,server.24=127.0.0.1:${other}:2:observer;2183`,
  });
  const after = parseMembership(await configNode(t, server), { standaloneEnabled: false, multiAddressEnabled: false });
  assert.equal(await activated(dir, before.version), after.version);
  await ours.writeNext(after);
  await ours.activate(after, 9);
  assertSameFiles(dir, ours.dir);
});

test('Apache starts from our files, and brings about what was pending in them', async (t) => {
  const port = await freePort();
  const [peer, election, other] = [await freePort(), await freePort(), await freePort()];
  const dir = tempDir();
  const line = `server.3=127.0.0.1:${peer}:${election}:participant;127.0.0.1:${port}`;
  writeFileSync(join(dir, 'zoo.cfg'), 'dataDir=/d\n');
  const files = new DynamicConfigFiles(nodeRuntime({ log: silent }).disk, join(dir, 'zoo.cfg'));
  const rules = { standaloneEnabled: false, multiAddressEnabled: false };
  const current = parseMembership(`${line}\nversion=100000007`, rules);
  const next = parseMembership(`${line}\nserver.4=127.0.0.1:${other}:1:observer\nversion=100000009`, rules);
  await completed((done) => files.activate(current, 3, done));
  await completed((done) => files.writeNext(next, done));
  // What it held was needed for our files alone.
  rmSync(join(dir, 'zoo.cfg'));
  const server = await startApacheZookeeper({
    ...{ version: '3.9.4', dataDir: dir, myid: 3, port },
    config: { ...alone, dynamicConfigFile: join(dir, 'zoo.cfg.dynamic.100000007') },
  });
  t.after(() => server.kill());
  assert.equal(await configNode(t, server), next.text);
  assert.ok(readdirSync(dir).includes('zoo.cfg.dynamic.100000009'));
  assert.ok(!readdirSync(dir).includes('zoo.cfg.dynamic.next'));
  assert.equal(stored(dir).current.text, next.text);
});

/** The version of the newest membership of that directory, once there is one newer than `after`. */
function activated(dir: string, after = -1n): Promise<bigint> {
  return until('a dynamic file that zoo.cfg names', async () => {
    const { current } = stored(dir);
    return current.version > after && current.version > 0n ? current.version : undefined;
  });
}

function stored(dir: string): ReturnType<typeof readMembership> {
  return readMembership(nodeRuntime({ log: silent }).disk, configIn(dir));
}

function configIn(dir: string): ZooCfg {
  const path = join(dir, 'zoo.cfg');
  return readZooCfg(readFileSync(path, 'latin1'), {}, path);
}

/** Our files, of a configuration file with this text. */
function startOf(text: string) {
  const dir = tempDir();
  const path = join(dir, 'zoo.cfg');
  mkdirSync(dir, { recursive: true });
  writeFileSync(path, text);
  const files = new DynamicConfigFiles(nodeRuntime({ log: silent }).disk, path);
  return {
    dir,
    config: readZooCfg(text, {}, path),
    backUp: () => completed((done) => files.backUp(done)),
    writeNext: (membership: Membership) => completed((done) => files.writeNext(membership, done)),
    activate: (membership: Membership, self: number) => completed((done) => files.activate(membership, self, done)),
  };
}

function completed(act: (done: Completion) => void): Promise<void> {
  return new Promise((resolve, reject) => act((error) => (error === undefined ? resolve() : reject(error))));
}

function assertSameFiles(theirs: string, ours: string): void {
  const configuration = (dir: string): string[] => readdirSync(dir).filter((name) => name.startsWith('zoo.cfg'));
  assert.deepEqual(configuration(ours), configuration(theirs));
  for (const name of configuration(theirs)) {
    const text = (dir: string): string => readFileSync(join(dir, name), 'latin1').replaceAll(`${dir}/zoo`, 'DIR/zoo');
    assert.equal(text(ours), text(theirs), name);
  }
}

function clientOf(t: TestContext, server: ApacheZookeeper): ZookeeperClient {
  const client = connectZookeeper({ connect: server.connect });
  t.after(() => client.close());
  return client;
}

async function configNode(t: TestContext, server: ApacheZookeeper): Promise<string> {
  const { data } = await clientOf(t, server).getConfig();
  return data?.toString() ?? '';
}
