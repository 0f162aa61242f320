/** As whom, and by which way, kafka-acls comes to a ZooKeeper that knows users. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { zooCfg } from '../../config/zoo-cfg.ts';
import { Simulation } from '../../runtime/sim/simulation.ts';
import { connectZookeeper, type ZookeeperClient } from '../../zookeeper/client/client.ts';
import { startZookeeper } from '../../zookeeper/ensemble/start-zookeeper.ts';
import { kafkaAcls } from './kafka-acls.ts';
import { guarded } from './tool.ts';

const LOGIN = 'org.apache.zookeeper.server.auth.DigestLoginModule required';

interface World {
  readonly eye: ZookeeperClient;
  readonly connect: string;
  settle<T>(promise: Promise<T>): Promise<T>;
  /** Answers the exit code and what is printed. */
  run(line: string): Promise<readonly [number, string]>;
}

async function start(): Promise<World> {
  const sim = new Simulation({ seed: 3 });
  const server = sim.machine('zookeeper');
  server.runtime.disk.writeFile('/jaas.conf', Buffer.from(`Server { ${LOGIN} user_kafka="secret"; };`));
  const provider = { 'authProvider.1': 'org.apache.zookeeper.server.auth.SASLAuthenticationProvider' };
  const config = zooCfg(
    { dataDir: '/data', clientPort: 2181, ...provider },
    { 'java.security.auth.login.config': '/jaas.conf' },
  );
  const settle = <T>(promise: Promise<T>): Promise<T> => sim.complete(promise);
  await settle(startZookeeper(server.runtime, config));
  const connect = `${server.host}:2181`;
  const { runtime } = sim.machine('desk');
  const run = async (line: string): Promise<readonly [number, string]> => {
    let told = '';
    const io = {
      out(text: string | Uint8Array): void {
        told += text;
      },
      err(text: string): void {
        told += text;
      },
      input: (async function* () {})(),
      isInteractive: false,
      onInterrupt: () => () => undefined,
    };
    const args = ['--authorizer-properties', `zookeeper.connect=${connect}`, ...line.split(' ')];
    return [await settle(guarded(kafkaAcls, args, io, runtime)), told];
  };
  const eye = connectZookeeper(sim.machine('eye').runtime, { connect, sessionTimeoutMs: 30_000 });
  return { eye, connect, settle, run };
}

function fileOf(t: TestContext, text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'odradek-acls-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'file');
  writeFileSync(path, text);
  return path;
}

function logInByOpts(t: TestContext): void {
  const before = process.env.KAFKA_OPTS;
  const jaas = fileOf(t, `Client { ${LOGIN} username="kafka" password="secret"; };`);
  process.env.KAFKA_OPTS = `-Djava.security.auth.login.config=${jaas}`;
  t.after(() => {
    if (before === undefined) delete process.env.KAFKA_OPTS;
    else process.env.KAFKA_OPTS = before;
  });
}

const addition = '--add --topic t --allow-principal User:a --operation Read';

async function ownersOf({ eye, settle }: World, path: string): Promise<string[]> {
  const { acl } = await settle(eye.getACL(path));
  return acl.map(({ perms, id }) => `${id.scheme}:${id.id} ${perms}`);
}

test('what is made by whom KAFKA_OPTS lets log in belongs to that user, unless it is not to', async (t) => {
  logInByOpts(t);
  const world = await start();
  assert.equal((await world.run(addition))[0], 0);
  assert.deepEqual(await ownersOf(world, '/kafka-acl/Topic/t'), ['sasl:kafka 31', 'world:anyone 1']);
  const open = '--authorizer-properties zookeeper.set.acl=false';
  assert.equal((await world.run(`${open} ${addition.replace(' t ', ' other ')}`))[0], 0);
  assert.deepEqual(await ownersOf(world, '/kafka-acl/Topic/other'), ['world:anyone 31']);
});

test('without a login everything is everybody’s', async () => {
  const world = await start();
  assert.equal((await world.run(addition))[0], 0);
  assert.deepEqual(await ownersOf(world, '/kafka-acl/Topic/t'), ['world:anyone 31']);
});

for (const prefix of ['', 'authorizer.']) {
  test(`the file of TLS keys counts, with ${prefix}zookeeper.ssl.client.enable: who speaks plain does not answer`, async (t) => {
    const world = await start();
    const file = fileOf(t, `${prefix}zookeeper.ssl.client.enable=true\n`);
    const [code, told] = await world.run(`--list --zk-tls-config-file ${file}`);
    assert.equal(code, 1);
    assert.match(
      told,
      /^Error while executing ACL command: Timed out waiting for connection while in state: CONNECTING\n/,
    );
  });
}
