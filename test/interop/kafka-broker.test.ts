/** Our broker and our ZooKeeper with Apache's tools and everybody's clients; our broker on Apache's ZooKeeper, and the reverse. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { chosen } from './breadth.ts';
import { roundtrips } from './clients/roundtrips.ts';
import { SHORT_SESSION, startOdradek } from './odradek.ts';
import { startApacheKafka } from './peers/apache-kafka.ts';
import { startApacheZookeeper } from './peers/apache-zookeeper.ts';
import { freePort } from './peers/free-port.ts';
import { kafkaTool } from './peers/kafka-tools.ts';
import { type Outcome, until } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';
import { ToolHost } from './peers/tool-host.ts';
import { kcat } from './peers/tools.ts';

const clean = (outcome: Outcome): string => {
  assert.equal(outcome.code, 0, `${outcome.stdout}\n${outcome.stderr}`);
  return outcome.stdout;
};
const lines = (outcome: Outcome): string[] =>
  clean(outcome)
    .split('\n')
    .filter((line) => line !== '');

/** A broker that has just started first has to hear from its controller which partitions there are. */
async function readAll(bootstrap: string, topic: string): Promise<string[]> {
  await until(`leader of ${topic}`, async () => {
    const known = clean(await kcat(['-b', bootstrap, '-L'])); // without the topic's name: asking for it could create it
    return new RegExp(`topic "${topic}" with 1 partitions:\\n +partition 0, leader \\d`).test(known) || undefined;
  });
  return lines(await kcat(['-b', bootstrap, '-t', topic, '-C', '-o', 'beginning', '-e']));
}

let host: ToolHost;
before(async () => {
  host = await ToolHost.start('3.9.1');
});
after(() => host?.close());

const tool39: ToolHost['run'] = (...command) => host.run(...command);

test('the walk: Apache’s tools of 2.1.0, 3.9.1 and 4.4.0 create, produce, consume and describe', async (t) => {
  const ours = await startOdradek({ dir: tempDir() });
  t.after(() => ours.kill());
  const { bootstrap, zookeeper } = ours;
  const created = await kafkaTool('kafka-topics', '2.1.0', [
    ...['--topic', 'morris', '--create', '--zookeeper', zookeeper],
    ...['--partitions', '1', '--replication-factor', '1'],
  ]);
  assert.equal(clean(created), 'Created topic "morris".\n');
  const again = await tool39('kafka-topics', ['--bootstrap-server', bootstrap, '--create', '--topic', 'morris']);
  assert.match(again.stdout, /Topic 'morris' already exists/);

  clean(
    await kafkaTool('kafka-console-producer', '2.1.0', ['--broker-list', bootstrap, '--topic', 'morris'], {
      stdin: 'a\nb\n',
    }),
  );
  for (const [version, stdin] of [
    ['3.9.1', 'c\nd\n'],
    ['4.4.0', 'e\nf\n'],
  ] as const) {
    clean(
      await kafkaTool('kafka-console-producer', version, ['--bootstrap-server', bootstrap, '--topic', 'morris'], {
        stdin,
      }),
    );
  }
  for (const version of ['2.1.0', '3.9.1', '4.4.0'] as const) {
    const consumed = await kafkaTool('kafka-console-consumer', version, [
      ...['--bootstrap-server', bootstrap, '--topic', 'morris', '--from-beginning'],
      ...['--group', `group-${version}`, '--max-messages', '6', '--timeout-ms', '100000'],
    ]);
    assert.deepEqual(lines(consumed), ['a', 'b', 'c', 'd', 'e', 'f']);
    assert.match(consumed.stderr, /Processed a total of 6 messages/);
  }
  const described = await tool39('kafka-consumer-groups', [
    ...['--bootstrap-server', bootstrap, '--describe', '--group', 'group-2.1.0'],
  ]);
  assert.match(clean(described), /group-2\.1\.0 +morris +0 +6 +6 +0 /);
  assert.match(
    clean(await kafkaTool('kafka-topics', '2.1.0', ['--zookeeper', zookeeper, '--describe', '--topic', 'morris'])),
    /Topic: morris\tPartition: 0\tLeader: 0\tReplicas: 0\tIsr: 0/,
  );
});

test('topics grow, change and go, by RPC and by the znodes that 2.1’s tools write', async (t) => {
  const ours = await startOdradek({ dir: tempDir() });
  t.after(() => ours.kill());
  const at = ['--bootstrap-server', ours.bootstrap];
  const zk = ['--zookeeper', ours.zookeeper];
  clean(await tool39('kafka-topics', [...at, '--create', '--topic', 'new', '--partitions', '2']));
  clean(await kafkaTool('kafka-topics', '2.1.0', [...zk, '--alter', '--topic', 'new', '--partitions', '4']));
  clean(
    await tool39('kafka-configs', [
      ...at,
      '--alter',
      '--entity-type',
      'topics',
      '--entity-name',
      'new',
      '--add-config',
      'retention.ms=12345',
    ]),
  );
  clean(
    await kafkaTool('kafka-topics', '2.1.0', [...zk, '--alter', '--topic', 'new', '--config', 'segment.bytes=100000']),
  );
  const described = clean(await tool39('kafka-topics', [...at, '--describe', '--topic', 'new']));
  assert.match(described, /PartitionCount: 4\tReplicationFactor: 1\tConfigs: /);
  assert.match(described, /retention\.ms=12345/);
  assert.match(described, /segment\.bytes=100000/);
  clean(await tool39('kafka-topics', [...at, '--alter', '--topic', 'new', '--partitions', '5']));
  const fewer = await tool39('kafka-topics', [...at, '--alter', '--topic', 'new', '--partitions', '3']);
  assert.match(fewer.stdout, /Topic currently has 5 partitions, which is higher than the requested 3\./);
  const tooMany = await tool39('kafka-topics', [...at, '--create', '--topic', 'wide', '--replication-factor', '3']);
  assert.match(tooMany.stdout, /Replication factor: 3 larger than available brokers: 1\./);
  clean(await kafkaTool('kafka-topics', '2.1.0', [...zk, '--delete', '--topic', 'new']));
  await tool39('kafka-topics', [...at, '--create', '--topic', 'other']);
  assert.deepEqual(lines(await tool39('kafka-topics', [...at, '--list'])), ['other']);
});

test('what was acknowledged outlives kill -9, and Apache’s dump tool reads our log', async (t) => {
  const dir = tempDir();
  const spec = { dir, kafka: SHORT_SESSION };
  const first = await startOdradek(spec);
  t.after(() => first.kill());
  const records = Array.from({ length: 500 }, (_, index) => `record ${index}`);
  clean(await kcat(['-b', first.bootstrap, '-t', 'kept', '-P', '-X', 'acks=all'], { stdin: records.join('\n') }));
  clean(
    await kcat(['-b', first.bootstrap, '-t', 'kept', '-P', '-z', 'snappy', '-X', 'enable.idempotence=true'], {
      stdin: 'more\n',
    }),
  );
  await first.kill();
  const second = await startOdradek(spec);
  t.after(() => second.kill());
  assert.deepEqual(await readAll(second.bootstrap, 'kept'), [...records, 'more']);
  await second.stop();
  const segment = join(dir, 'kafka', 'kept-0', '00000000000000000000.log');
  const dumped = clean(await kafkaTool('kafka-dump-log', '3.9.1', ['--deep-iteration', '--files', segment]));
  assert.equal(dumped.match(/\| offset: /g)?.length, 501);
  assert.doesNotMatch(dumped, /invalid|mismatch|corrupt/i);
});

test('clients of other makers produce and consume in groups', async (t) => {
  const ours = await startOdradek({ dir: tempDir() });
  t.after(() => ours.kill());
  for (const { name, run, want } of roundtrips) {
    await t.test(name, async () => {
      assert.deepEqual(
        clean(await run(ours.bootstrap))
          .trim()
          .split(','),
        want,
      );
    });
  }
});

test('our broker runs on Apache ZooKeeper 3.9.4, restarts there and leaves like a Kafka broker', async (t) => {
  const dir = tempDir();
  const apache = await startApacheZookeeper({ version: '3.9.4', dataDir: join(dir, 'zookeeper') });
  t.after(() => apache.kill());
  const spec = { dir, zookeeperConnect: `${apache.connect}/kafka` };
  const first = await startOdradek(spec);
  t.after(() => first.kill());
  clean(await kcat(['-b', first.bootstrap, '-t', 'there', '-P'], { stdin: 'one\ntwo\n' }));
  await first.stop();
  const second = await startOdradek(spec);
  t.after(() => second.kill());
  assert.deepEqual(await readAll(second.bootstrap, 'there'), ['one', 'two']);
  await second.stop();
});

for (const version of chosen(['3.9.1', '2.1.0'] as const, (one) => one === '3.9.1')) {
  test(`Apache’s broker ${version} runs on our ZooKeeper, restarts, and our broker takes over its log dir`, async (t) => {
    const dir = tempDir();
    const ours = await startOdradek({ dir, withoutKafka: true });
    t.after(() => ours.kill());
    const logDir = join(dir, 'kafka');
    const broker = { version, zookeeperConnect: ours.zookeeper, logDir, brokerId: 0 } as const;
    const first = await startApacheKafka(broker);
    t.after(() => first.kill());
    clean(await kcat(['-b', first.bootstrap, '-t', 'theirs', '-P'], { stdin: 'one\ntwo\n' }));
    clean(
      await kcat(['-b', first.bootstrap, '-t', 'theirs', '-P', '-X', 'enable.idempotence=true', '-z', 'gzip'], {
        stdin: 'three\n',
      }),
    );
    await first.stop();
    const second = await startApacheKafka(broker);
    t.after(() => second.kill());
    assert.deepEqual(await readAll(second.bootstrap, 'theirs'), ['one', 'two', 'three']);
    await second.stop();

    const third = await startOdradek({ dir, zookeeperConnect: ours.zookeeper });
    t.after(() => third.kill());
    assert.deepEqual(await readAll(third.bootstrap, 'theirs'), ['one', 'two', 'three']);
    clean(await kcat(['-b', third.bootstrap, '-t', 'theirs', '-P'], { stdin: 'four\n' }));
    await third.stop();

    const fourth = await startApacheKafka(broker);
    t.after(() => fourth.kill());
    assert.deepEqual(await readAll(fourth.bootstrap, 'theirs'), [...['one', 'two', 'three', 'four']]);
    await fourth.stop();
    assert.ok(readdirSync(logDir).includes('meta.properties'));
  });
}

for (const version of chosen(['3.9.1', '2.1.0'] as const, (one) => one === '3.9.1')) {
  test(`Apache’s broker ${version} outlives kill -9 of our ZooKeeper, and goes on with topics and groups`, async (t) => {
    const dir = tempDir();
    const spec = { dir, withoutKafka: true, zookeeperPort: await freePort() };
    const first = await startOdradek(spec);
    t.after(() => first.kill());
    const { zookeeper } = first;
    const broker = await startApacheKafka({
      ...{ version, zookeeperConnect: zookeeper, logDir: join(dir, 'kafka'), brokerId: 0 },
    });
    t.after(() => broker.kill());
    const { bootstrap } = broker;
    const at = version === '2.1.0' ? ['--zookeeper', zookeeper] : ['--bootstrap-server', bootstrap];
    const topics = (...args: string[]): Promise<Outcome> => kafkaTool('kafka-topics', version, [...at, ...args]);
    const walk = async (topic: string): Promise<void> => {
      clean(await topics('--create', '--topic', topic, '--partitions', '3', '--replication-factor', '1'));
      clean(await topics('--alter', '--topic', topic, '--partitions', '4'));
      const described = clean(await topics('--describe', '--topic', topic));
      assert.match(described, /PartitionCount: ?4\s+ReplicationFactor: ?1/);
      assert.equal(described.match(/Leader: 0\s+Replicas: 0\s+Isr: 0/g)?.length, 4);
      clean(await kcat(['-b', bootstrap, '-t', topic, '-P'], { stdin: 'one\ntwo\nthree\n' }));
      const consumed = await kafkaTool('kafka-console-consumer', version, [
        ...['--bootstrap-server', bootstrap, '--topic', topic, '--from-beginning', '--group', `of-${topic}`],
        ...['--max-messages', '3', '--timeout-ms', '100000'],
      ]);
      assert.deepEqual(lines(consumed).sort(), ['one', 'three', 'two']);
    };
    await walk('before');
    await first.kill();
    const second = await startOdradek(spec);
    t.after(() => second.kill());
    await walk('after');
    clean(await topics('--delete', '--topic', 'before'));
    await until('the topic to be gone', async () => {
      const listed = lines(await topics('--list'));
      return !listed.includes('before') && listed.includes('after') ? true : undefined;
    });
    assert.ok(broker.alive());
    await broker.stop();
  });
}
