/** Our ZooKeeper server with Apache's tools, kazoo, and on Apache's directories. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { connectZookeeper, type ZookeeperClient } from '../../src/zookeeper/client/client.ts';
import { startOurs } from './our-server.ts';
import { fourLetterWord, startApacheZookeeper } from './peers/apache-zookeeper.ts';
import { PATIENCE_MS } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';
import { dumpTransactionLog, python, zkCli } from './peers/tools.ts';

const runtime = nodeRuntime({ logLevel: 'off' });

function clientOf(t: { after(done: () => unknown): void }, server: { connect: string }): ZookeeperClient {
  const client = connectZookeeper(runtime, { connect: server.connect });
  t.after(() => client.close());
  return client;
}

for (const version of ['3.9.4', '3.4.8'] as const) {
  test(`Apache's zkCli ${version} walks through our server`, async (t) => {
    const server = await startOurs(tempDir());
    t.after(() => server.stop());
    const get = version === '3.9.4' ? 'get -s' : 'get';
    const script = [
      'create /app hello',
      `${get} /app`,
      'set /app world',
      `${get} /app`,
      'create -s /app/task- one',
      'create -s /app/task- two',
      'ls /app',
      'create -e /app/live x',
      'stat /app',
      'getAcl /app',
      'addauth digest bob:bobsecret',
      'setAcl /app auth:bob:cdrwa',
      'getAcl /app',
      'create /app again',
      'delete /app',
      'delete /app/task-0000000000',
      'delete /missing',
      'ls /app',
      'sync /',
      'quit',
      '',
    ].join('\n');
    const outcome = await zkCli(version, server.connect, [], { stdin: script });
    const text = outcome.stdout + outcome.stderr;
    for (const expected of [
      /Created \/app\n/,
      /hello/,
      /world/,
      /Created \/app\/task-0000000000/,
      /Created \/app\/task-0000000001/,
      /\[task-0000000000, task-0000000001\]|\[task-0000000001, task-0000000000\]/,
      /dataVersion = 1/,
      /numChildren = 3/,
      /'world,'anyone\n: cdrwa/,
      /'digest,'bob:WGAwC\+XYxdw8bJ5K6KcPh8oL58U=\n: cdrwa/,
      /Node already exists: \/app/,
      /Node not empty: \/app/,
      /Node does not exist: \/missing/,
    ]) {
      assert.match(text, expected);
    }
  });
}

const kazooWalk = `
import sys, threading
from kazoo.client import KazooClient
from kazoo.exceptions import NoNodeError, NodeExistsError, BadVersionError, RolledBackError
c = KazooClient(hosts=sys.argv[1], timeout=10); c.start(timeout=60)
other = KazooClient(hosts=sys.argv[1], timeout=10); other.start(timeout=60)
assert c.server_version()[:2] == (3, 9), c.server_version()
assert c.create('/k', b'one') == '/k'
data, stat = c.get('/k'); assert data == b'one' and stat.version == 0, (data, stat)
try: c.create('/k', b''); raise SystemExit('no NodeExists')
except NodeExistsError: pass
try: c.get('/none'); raise SystemExit('no NoNode')
except NoNodeError: pass
fired = threading.Event(); seen = []
def watch(event): seen.append((event.type, event.path)); fired.set()
other.get('/k', watch=watch)
assert c.set('/k', b'two').version == 1
assert fired.wait(60) and seen == [('CHANGED', '/k')], seen
try: c.set('/k', b'x', version=7); raise SystemExit('no BadVersion')
except BadVersionError: pass
assert other.create('/k/e', b'', ephemeral=True) == '/k/e'
assert other.create('/k/s-', b'', ephemeral=True, sequence=True) == '/k/s-0000000001'
children = threading.Event()
c.get_children('/k', watch=lambda event: children.set())
other.stop(); other.close()
assert children.wait(60)
assert c.exists('/k/e') is None and c.get_children('/k') == []
t = c.transaction(); t.create('/k/t', b'a'); t.set_data('/k', b'three'); t.check('/k', 2)
assert [str(r.__class__.__name__) for r in t.commit()] == ['str', 'ZnodeStat', 'bool'], 'multi'
t = c.transaction(); t.create('/k/u', b'a'); t.delete('/k/missing'); t.create('/k/v', b'')
results = t.commit()
assert isinstance(results[0], RolledBackError) and isinstance(results[1], NoNodeError), results
assert c.exists('/k/u') is None
c.ensure_path('/deep/a/b/c'); c.delete('/deep', recursive=True); assert c.exists('/deep') is None
lock = c.Lock('/lock', 'me')
with lock: assert lock.contenders() == ['me']
many = [c.create_async('/many-%d' % i, b'x' * 100) for i in range(2000)]
assert [m.get() for m in many] == ['/many-%d' % i for i in range(2000)]
big = b'z' * 900000; c.create('/big', big); assert c.get('/big')[0] == big
counter = c.Counter('/count'); counter += 3; counter -= 1; assert counter.value == 2
queue = c.Queue('/queue'); queue.put(b'1'); queue.put(b'2'); assert queue.get() == b'1'
c.stop()
print('walked')
`;

test('kazoo walks through our server', async (t) => {
  const server = await startOurs(tempDir());
  t.after(() => server.stop());
  const outcome = await python('-c', [kazooWalk, server.connect]);
  assert.equal(outcome.stdout.trim(), 'walked', outcome.stderr);
});

/** Creates nodes as fast as it may until the connection is lost; answers those that were acknowledged. */
async function createUntilLost(client: ZookeeperClient, prefix: string, enough: number, kill: () => void) {
  const acknowledged: string[] = [];
  let isLost = false;
  let killed = false;
  const one = async (index: number): Promise<void> => {
    try {
      acknowledged.push(await client.create(`${prefix}${index}`, `data of ${index}`));
      if (acknowledged.length >= enough && !killed) {
        killed = true;
        kill();
      }
    } catch {
      isLost = true;
    }
  };
  for (let index = 0; !isLost; index += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, offset) => one(index + offset)));
  }
  return acknowledged;
}

test('kill -9 under load: every acknowledged write is found by our restart, and by Apache on our directory', async (t) => {
  const dataDir = tempDir();
  const acknowledged: string[] = [];
  for (let life = 0; life < 3; life += 1) {
    const server = await startOurs(dataDir, { snapCount: 1000 });
    const client = connectZookeeper(runtime, { connect: server.connect, failFast: true });
    await client.connected({ timeoutMs: PATIENCE_MS });
    for (const path of acknowledged) assert.ok((await client.exists(path)) !== undefined, `${path} after kill ${life}`);
    acknowledged.push(...(await createUntilLost(client, `/n-${life}-`, 1000, () => void server.kill())));
    await client.close();
  }
  assert.ok(acknowledged.length >= 3000);
  const apache = await startApacheZookeeper({ version: '3.9.4', dataDir });
  t.after(() => apache.stop());
  const client = clientOf(t, apache);
  for (const path of acknowledged) assert.ok((await client.exists(path)) !== undefined, `${path} in Apache's server`);
  const { data } = await client.getData(acknowledged.at(-1) ?? '');
  assert.match(data?.toString() ?? '', /^data of \d+$/);
  assert.match(readFileSync(apache.logFile, 'utf8'), /zookeeper/);
  assert.doesNotMatch(readFileSync(apache.logFile, 'utf8'), /Digests are not matching/);
});

for (const version of ['3.9.4', '3.4.8'] as const) {
  test(`our server starts on the directory of Apache ${version}, and Apache on ours again`, async (t) => {
    const dataDir = tempDir();
    const first = await startApacheZookeeper({ version, dataDir });
    const filling = clientOf(t, first);
    await filling.create('/from-apache', 'theirs');
    for (let index = 0; index < 100; index += 1) await filling.create(`/from-apache/n${index}`, `value ${index}`);
    await filling.setData('/from-apache', 'changed');
    await filling.delete('/from-apache/n7');
    await filling.close();
    await first.kill();

    // A server of 3.4 that never reached snapCount leaves logs alone: whoever upgrades says that this is no loss.
    const ours = await startOurs(dataDir, version === '3.4.8' ? { 'snapshot.trust.empty': 'true' } : {});
    const reading = clientOf(t, ours);
    const { data, stat } = await reading.getData('/from-apache');
    assert.equal(data?.toString(), 'changed');
    assert.equal(stat.version, 1);
    assert.equal(stat.numChildren, 99);
    assert.equal((await reading.getData('/from-apache/n42')).data?.toString(), 'value 42');
    await reading.create('/from-us', 'ours');
    await reading.multi([
      { kind: 'create', path: '/from-us/a', data: 'm' },
      { kind: 'setData', path: '/from-us', data: 'multi' },
    ]);
    await reading.close();
    await ours.stop();

    const again = await startApacheZookeeper({ version, dataDir });
    t.after(() => again.stop());
    const checking = clientOf(t, again);
    assert.equal((await checking.getData('/from-us')).data?.toString(), 'multi');
    assert.equal((await checking.getData('/from-us/a')).data?.toString(), 'm');
    assert.equal((await checking.getChildren('/from-apache')).length, 99);
    assert.doesNotMatch(readFileSync(again.logFile, 'utf8'), /Digests are not matching|CRC check failed/);
  });
}

test("Apache's log tool reads our log, digests included", async (t) => {
  const dataDir = tempDir();
  const server = await startOurs(dataDir);
  t.after(() => server.stop());
  const client = clientOf(t, server);
  await client.create('/a', 'x');
  await client.setData('/a', 'y');
  await client.delete('/a');
  const { stdout, stderr } = await dumpTransactionLog('3.9.4', [join(dataDir, 'version-2', 'log.1'), '-v']);
  assert.match(stdout, /createSession/, stderr);
  assert.match(stdout, /zxid 0x2 create /);
  assert.match(stdout, /zxid 0x3 setData /);
  assert.match(stdout, /zxid 0x4 delete /);
  assert.doesNotMatch(stdout, /CRC ERROR/);
});

test('four-letter words have the same lines as those of Apache 3.9.4', async (t) => {
  const apache = await startApacheZookeeper({ version: '3.9.4', dataDir: tempDir() });
  t.after(() => apache.stop());
  const server = await startOurs(tempDir());
  t.after(() => server.stop());
  const texts: string[][] = [];
  for (const each of [apache, server]) {
    const client = connectZookeeper(runtime, { connect: each.connect });
    await client.create('/a', 'x');
    await client.exists('/b', { watch: () => undefined });
    const answers: string[] = [];
    for (const word of [
      'ruok',
      'crst',
      'srst',
      'stat',
      'srvr',
      'isro',
      'wchs',
      'wchp',
      'wchc',
      'cons',
      'dump',
      'conf',
    ]) {
      answers.push(comparable(word, await fourLetterWord(each.port, word)));
    }
    texts.push(answers);
    await client.close();
  }
  assert.deepEqual(texts[1], texts[0]);
});

/** What differs between any two runs. */
function comparable(word: string, text: string): string {
  const lines = text
    .replace(/^Zookeeper version: .*/m, 'Zookeeper version: V')
    .replace(/127\.0\.0\.1:\d+/g, 'PEER')
    .replace(/0x1[0-9a-f]{14}/g, 'SESSION')
    .replace(/expire at .*:/g, 'expire at DATE:')
    // A bucket whose connections have moved on stands empty until its time comes: whether one is there depends on the moment.
    .replace(/^0 expire at DATE:\n/gm, '')
    .replace(/ Sets \(\d+\)\/\((\d+)\)/g, ' Sets (N)/($1)')
    .replace(/Latency min\/avg\/max: .*/, 'Latency')
    .replace(/(est|lresp|llat|minlat|avglat|maxlat)=\d+/g, '$1=N')
    .replace(/(clientPort|dataDir|dataDirSize|dataLogDir|dataLogSize)=.*/g, '$1=V')
    .split('\n');
  // Apache lists connections in the order of a hash table.
  if (word === 'stat' || word === 'cons') lines.sort();
  return [word, ...lines].join('\n');
}
