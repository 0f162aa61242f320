/**
 * The classic walk-through of ZooKeeper 3.4.8 and Kafka 2.1.0, word for word, on Apache's own ports: once with both
 * servers from one command, once piece by piece, with our tools and with Apache's. Each walk has a network of its own.
 */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from './peers/process.ts';
import { lines, startLine, walk } from './walk/walk.ts';

function sorted({ stdout }: { readonly stdout: string }): string[] {
  return stdout.split('\n').sort();
}

const BOTH_READY = [
  'ZooKeeper is ready on localhost:2181, its data are in data/zookeeper',
  'Kafka is ready on localhost:9092, its data are in data/kafka',
];

test('one command starts both, the classic lines work, and what was written is there after Ctrl-C', async (t) => {
  const { type, npmStart } = await walk(t);
  const first = await npmStart();
  assert.equal(first.printed().startsWith(lines(...BOTH_READY)), true, first.printed());
  for (const next of ['kafka-topics', 'kafka-console-producer', 'kafka-console-consumer', 'zkCli'])
    assert.match(first.printed(), new RegExp(`^ {2}bin/${next}\\.sh `, 'm'));

  const created = await type(
    'bin/kafka-topics.sh --topic morris --create --zookeeper 127.0.0.1:2181 --partitions 1 --replication-factor 1',
  );
  assert.deepEqual(created, { code: 0, stdout: 'Created topic "morris".\n', stderr: '' });
  const produced = await type(
    'bin/kafka-console-producer.sh --broker-list localhost:9092 --topic morris',
    lines('first', 'second', 'third'),
  );
  assert.deepEqual(produced, { code: 0, stdout: '>>>>', stderr: '' });
  const consume = 'bin/kafka-console-consumer.sh --bootstrap-server localhost:9092 --topic morris';
  const three = {
    ...{ code: 0, stdout: lines('first', 'second', 'third') },
    stderr: 'Processed a total of 3 messages\n',
  };
  assert.deepEqual(await type(`${consume} --from-beginning --max-messages 3`), three);

  const zk = await type('bin/zkCli.sh -server 127.0.0.1:2181 ls /brokers/topics');
  assert.match(zk.stdout, /\[__consumer_offsets, morris\]\n$/);

  assert.equal(await first.end('SIGINT'), 0);
  assert.match(first.printed(), /Stopping Kafka, then ZooKeeper/);
  const second = await npmStart();
  assert.deepEqual(await type(`${consume} --from-beginning --max-messages 3`), three);
  assert.equal(await second.end('SIGTERM'), 0);
});

test('topics are made, shown, changed and deleted in the words of 2.1 and of 3.9', async (t) => {
  const { type, npmStart } = await walk(t);
  await npmStart();
  const old = (words: string) => type(`bin/kafka-topics.sh --zookeeper 127.0.0.1:2181 ${words}`);
  const now = (words: string) => type(`bin/kafka-topics.sh --bootstrap-server localhost:9092 ${words}`);
  const says = (...text: string[]) => ({ code: 0, stdout: lines(...text), stderr: '' });

  assert.deepEqual(
    await old('--create --topic one --partitions 1 --replication-factor 1'),
    says('Created topic "one".'),
  );
  assert.deepEqual(await now('--create --topic two --partitions 2'), says('Created topic two.'));
  assert.deepEqual(await old('--list'), says('one', 'two'));
  assert.deepEqual(await now('--list'), says('one', 'two'));
  assert.deepEqual(
    await old('--describe --topic two'),
    says(
      'Topic:two\tPartitionCount:2\tReplicationFactor:1\tConfigs:',
      '\tTopic: two\tPartition: 0\tLeader: 0\tReplicas: 0\tIsr: 0',
      '\tTopic: two\tPartition: 1\tLeader: 0\tReplicas: 0\tIsr: 0',
    ),
  );
  const described = await now('--describe --topic one');
  assert.equal(
    described.stdout.replace(/TopicId: [\w-]{22}\t/, 'TopicId: ID\t'),
    lines(
      'Topic: one\tTopicId: ID\tPartitionCount: 1\tReplicationFactor: 1\tConfigs: ',
      '\tTopic: one\tPartition: 0\tLeader: 0\tReplicas: 0\tIsr: 0\tElr: N/A\tLastKnownElr: N/A',
    ),
  );
  const again = await now('--create --topic one');
  assert.equal(again.code, 1);
  assert.equal(again.stdout, "Error while executing topic command : Topic 'one' already exists.\n");

  const warning =
    'WARNING: If partitions are increased for a topic that has a key, the partition logic or ordering of the messages will be affected';
  assert.deepEqual(await old('--alter --topic one --partitions 3'), says(warning, 'Adding partitions succeeded!'));
  assert.deepEqual(await now('--alter --topic two --partitions 3'), says());
  assert.match((await now('--describe --topic one')).stdout, /PartitionCount: 3\t/);
  assert.match((await old('--describe --topic two')).stdout, /PartitionCount:3\t/);

  const note = 'Note: This will have no impact if delete.topic.enable is not set to true.';
  assert.deepEqual(await old('--delete --topic one'), says('Topic one is marked for deletion.', note));
  assert.deepEqual(await now('--delete --topic two'), says());
  assert.deepEqual(await now('--list'), says(''), 'an empty list is one empty line');
});

test('the console consumer reads by group, by offset and with keys, and ends when nothing comes', async (t) => {
  const { type, npmStart } = await walk(t);
  await npmStart();
  const produced = await type(
    'bin/kafka-console-producer.sh --bootstrap-server localhost:9092 --topic keyed --property parse.key=true --property key.separator=:',
    lines('a:1', 'b:2', 'c:3'),
  );
  assert.equal(produced.code, 0, produced.stderr);
  assert.equal(produced.stdout, '');
  const consume = (words: string) =>
    type(`bin/kafka-console-consumer.sh --bootstrap-server localhost:9092 --topic keyed ${words}`);

  const withKeys = await consume('--from-beginning --max-messages 3 --property print.key=true');
  assert.equal(withKeys.stdout, lines('a\t1', 'b\t2', 'c\t3'));
  const fromOffset = await consume('--partition 0 --offset 1 --max-messages 2');
  assert.equal(fromOffset.stdout, lines('2', '3'));
  assert.equal(fromOffset.stderr, 'Processed a total of 2 messages\n');

  const inGroup = await consume('--group readers --from-beginning --max-messages 2');
  assert.equal(inGroup.stdout, lines('1', '2'));
  assert.equal((await consume('--group readers --max-messages 1')).stdout, lines('3'));
  const rest = await consume('--group readers --timeout-ms 1000');
  assert.equal(rest.code, 0);
  assert.equal(rest.stdout, '');
  assert.match(rest.stderr, /Error processing message, terminating consumer process:[\s\S]*TimeoutException/);
  assert.match(rest.stderr, /\nProcessed a total of 0 messages\n$/);
});

test('zkCli.sh makes, reads, changes and deletes nodes', async (t) => {
  const { type, npmStart } = await walk(t);
  await npmStart();
  const zk = async (words: string): Promise<string> => {
    const { code, stdout, stderr } = await type(`bin/zkCli.sh -server 127.0.0.1:2181 ${words}`);
    assert.equal(code, 0, stderr);
    return `${stdout}${stderr}`;
  };
  assert.match(await zk('ls /'), /\nConnecting|^Connecting/);
  assert.match(await zk('create /spool thread'), /Created \/spool\n/);
  assert.match(await zk('get /spool'), /\nthread\n/);
  await zk('set /spool wound');
  assert.match(await zk('get /spool'), /\nwound\n/);
  const stat = await zk('stat /spool');
  assert.match(stat, /\ndataVersion = 1\n/);
  assert.match(stat, /\ndataLength = 5\n/);
  // as Apache's: a tool that ran one command leaves its session to the timeout
  assert.match(await zk('create -s -e /end- x'), /Created \/end-\d{10}\n/);
  assert.match(await zk('ls /'), /, end-\d{10}, /);
  await zk('delete /spool');
  const gone = await type('bin/zkCli.sh -server 127.0.0.1:2181 get /spool');
  assert.equal(gone.code, 1);
  assert.match(gone.stdout + gone.stderr, /Node does not exist: \/spool/);
});

test('a second start is refused in one line: the directory or the port is in use', async (t) => {
  const { dir, type, npmStart } = await walk(t);
  await npmStart();
  const sameDirectory = await type(startLine(dir));
  assert.equal(sameDirectory.code, 1);
  assert.equal(sameDirectory.stdout, '');
  assert.match(sameDirectory.stderr, /^odradek start: [^\n]*data\/zookeeper[^\n]*\n$/);
  const samePort = await type(`${startLine(dir)} --data other`);
  assert.equal(samePort.code, 1);
  assert.equal(samePort.stdout, '');
  assert.match(samePort.stderr, /^odradek start: [^\n]*2181[^\n]*\n$/);
  const cases: readonly [string, string, RegExp][] = [
    ['port', join(dir, 'else'), /^[^\n]*9092[^\n]*\n$/],
    ['directory', join(dir, 'data/kafka'), /^[^\n]*data\/kafka[^\n]*\n$/],
  ];
  for (const [what, logDir, want] of cases) {
    const [port, brokerId] = what === 'port' ? [9092, 1] : [9093, 0];
    const words = [
      ...['conf/server.properties', '--override', `broker.id=${brokerId}`, '--override', `log.dirs=${logDir}`],
      ...['--override', `listeners=PLAINTEXT://:${port}`, '--override', `advertised.listeners=PLAINTEXT://:${port}`],
    ].join(' ');
    const daemon = await type(`bin/kafka-server-start.sh -daemon ${words}`);
    assert.equal(daemon.code, 1, what);
    assert.match(daemon.stderr, want, what);
    const foreground = await type(`bin/kafka-server-start.sh ${words}`);
    assert.equal(foreground.code, 1, what);
    const lastLine = foreground.stdout.trimEnd().split('\n').at(-1) ?? '';
    assert.match(lastLine, /\] ERROR Exiting Kafka due to fatal exception: .*(:9092|data\/kafka)/, what);
  }
});

test('piece by piece: zkServer.sh with a zoo.cfg and a myid, a Kafka broker as a daemon', async (t) => {
  const { dir, type, listening } = await walk(t);
  const dataDir = join(dir, 'zk');
  mkdirSync(dataDir);
  const zooCfg = join(dir, 'my-zoo.cfg');
  writeFileSync(zooCfg, lines('tickTime=2000', 'initLimit=10', 'syncLimit=5', `dataDir=${dataDir}`, 'clientPort=2181'));
  writeFileSync(join(dataDir, 'myid'), '1\n');
  const started = await type(`bin/zkServer.sh start ${zooCfg}`);
  assert.equal(started.code, 0, started.stderr);
  assert.equal(started.stdout, 'Starting zookeeper ... STARTED\n');
  assert.match((await type(`bin/zkServer.sh status ${zooCfg}`)).stdout, /\nMode: standalone\n$/);
  const again = await type(`bin/zkServer.sh start ${zooCfg}`);
  assert.equal(again.code, 1);
  assert.match(again.stdout, /^Starting zookeeper \.\.\. already running as process \d+\.\n$/);

  const logDir = join(dir, 'broker');
  const daemon = await type(
    `bin/kafka-server-start.sh -daemon conf/server.properties --override log.dirs=${logDir} --override num.partitions=4`,
  );
  assert.equal(daemon.code, 0, daemon.stderr);
  await listening(9092);
  const create = 'bin/kafka-topics.sh --create --bootstrap-server localhost:9092 --topic pieces';
  assert.equal((await type(create)).stdout, 'Created topic pieces.\n');
  const describe = 'bin/kafka-topics.sh --describe --zookeeper localhost:2181 --topic pieces';
  assert.match((await type(describe)).stdout, /^Topic:pieces\tPartitionCount:4\t/);

  const restarted = await type(`bin/zkServer.sh restart ${zooCfg}`);
  assert.equal(restarted.stdout, 'Stopping zookeeper ... STOPPED\nStarting zookeeper ... STARTED\n');
  assert.match((await type(describe)).stdout, /^Topic:pieces\tPartitionCount:4\t/);
  const more = 'bin/kafka-topics.sh --create --bootstrap-server localhost:9092 --topic later';
  assert.equal((await type(more)).stdout, 'Created topic later.\n', 'the broker found its ZooKeeper again');

  assert.equal((await type('bin/kafka-server-stop.sh')).code, 0);
  const none = await until('end of the broker', async () => {
    const stopped = await type('bin/kafka-server-stop.sh'); // the broker has its signal and is at it
    return stopped.code === 1 ? stopped : undefined;
  });
  assert.equal(none.stdout, 'No kafka server to stop\n');
  const brokers = await type('bin/zkCli.sh -server 127.0.0.1:2181 ls /brokers/ids');
  assert.match(brokers.stdout, /\n\[\]\n$/, 'a broker that was stopped is gone at once');
  assert.equal((await type(`bin/zkServer.sh stop ${zooCfg}`)).stdout, 'Stopping zookeeper ... STOPPED\n');

  // Kafka's own script starts the same server in the same place
  await type(`bin/zookeeper-server-start.sh -daemon ${zooCfg}`);
  await listening(2181);
  assert.match((await type('bin/zkCli.sh -server 127.0.0.1:2181 ls /brokers/topics')).stdout, /\n\[later, pieces\]\n$/);
  assert.equal((await type('bin/zookeeper-server-stop.sh')).code, 0);
});

test("Apache's tools of 2.1.0 and 3.9.1 take the same walk and print what ours print", async (t) => {
  const { type, kafka, zkCli, npmStart } = await walk(t);
  await npmStart();
  const old = '--zookeeper 127.0.0.1:2181';
  const now = '--bootstrap-server localhost:9092';
  const created = await kafka(
    '2.1.0',
    `kafka-topics ${old} --create --topic theirs-old --partitions 1 --replication-factor 1`,
  );
  assert.equal(created.stdout, 'Created topic "theirs-old".\n', created.stderr);
  assert.equal(
    (await kafka('3.9.1', `kafka-topics ${now} --create --topic theirs-now`)).stdout,
    'Created topic theirs-now.\n',
  );
  assert.equal((await type(`bin/kafka-topics.sh ${now} --create --topic ours`)).stdout, 'Created topic ours.\n');
  for (const [version, where] of [
    ['2.1.0', old],
    ['3.9.1', now],
  ] as const)
    for (const action of ['--list', '--describe'])
      assert.deepEqual(
        // 3.9 shows topics in the order of their hashes, and of a broker that serves DescribeTopicPartitions what it tells: nobody.
        sorted(await kafka(version, `kafka-topics ${where} ${action}`)).map((line) =>
          line.replace(/Elr: \tLastKnownElr: $/, 'Elr: N/A\tLastKnownElr: N/A'),
        ),
        sorted(await type(`bin/kafka-topics.sh ${where} ${action}`)),
        `${version} ${action}`,
      );

  const said = lines('one', 'two', 'three');
  const producer = 'kafka-console-producer --broker-list localhost:9092 --topic ours';
  const consumer = `kafka-console-consumer ${now} --topic ours --from-beginning --max-messages`;
  assert.equal((await kafka('2.1.0', producer, said)).stdout, '>>>>');
  assert.equal((await kafka('3.9.1', `kafka-console-producer ${now} --topic ours`, said)).code, 0);
  const [name, ...words] = producer.split(' ');
  assert.equal((await type(`bin/${name}.sh ${words.join(' ')}`, said)).stdout, '>>>>');
  for (const version of ['2.1.0', '3.9.1'] as const) {
    const consumed = await kafka(version, `${consumer} 9`);
    assert.deepEqual(consumed, {
      ...{ code: 0, stdout: said.repeat(3) },
      stderr: 'Processed a total of 9 messages\n',
    });
  }
  const [reader, ...rest] = consumer.split(' ');
  assert.equal((await type(`bin/${reader}.sh ${rest.join(' ')} 9`)).stdout, said.repeat(3));

  const inZookeeper = await zkCli('ls /brokers/topics');
  assert.match(inZookeeper.stdout, /\n\[__consumer_offsets, ours, theirs-now, theirs-old\]\n/);
  const sequential = await zkCli('create -s -e /theirs- x');
  assert.match(sequential.stdout + sequential.stderr, /Created \/theirs-\d{10}\n/);
  assert.match((await zkCli('stat /brokers/ids/0')).stdout, /\nephemeralOwner = 0x[0-9a-f]+\n/);
});
