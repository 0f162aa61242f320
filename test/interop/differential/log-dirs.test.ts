/**
 * Apache's broker 3.9.1 and ours, each with two log dirs: every key as both describe it, changes of configuration, replicas that move
 * between log dirs, and a log dir that fails.
 */
import assert from 'node:assert/strict';
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildBatch } from '../../../src/kafka/records/builder.ts';
import { ZERO_UUID } from '../../../src/wire/schema.ts';
import { type Odradek, startOdradek } from '../odradek.ts';
import { type ApacheKafka, startApacheKafka } from '../peers/apache-kafka.ts';
import { type ApacheZookeeper, startApacheZookeeper } from '../peers/apache-zookeeper.ts';
import { kafkaTool } from '../peers/kafka-tools.ts';
import { until } from '../peers/process.ts';
import { tempDir } from '../peers/temp-dir.ts';
import { brokerChanges, operations, topicChanges, type Values } from './config-changes.ts';
import { PARTITION_FIELDS } from './fetch-fields.ts';
import { normalise } from './normalise.ts';
import { type Answer, ask } from './raw-client.ts';

interface Side {
  readonly port: number;
  readonly bootstrap: string;
  /** Its two log dirs. */
  readonly dirs: readonly [string, string];
  readonly zookeeper: string;
}

const TOPIC = 'moved';
const OPERATION_SET = 0;
const OPERATION_DELETE = 1;

let zookeeper: ApacheZookeeper;
let apache: ApacheKafka;
let odradek: Odradek;
let theirs: Side;
let ours: Side;

before(async () => {
  const dir = tempDir();
  zookeeper = await startApacheZookeeper({ version: '3.9.4', dataDir: join(dir, 'apache-zookeeper') });
  const dirsOf = (name: string): [string, string] => [join(dir, `${name}-a`), join(dir, `${name}-b`)];
  const settings = (dirs: readonly string[]) => ({
    'log.dirs': dirs.join(','),
    'log.retention.hours': '200',
    'some.unknown.key': 'x',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '5',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '5',
    'group.initial.rebalance.delay.ms': '0',
    'log.cleaner.dedupe.buffer.size': '2097152',
    'zookeeper.session.timeout.ms': '18000',
    'replica.high.watermark.checkpoint.interval.ms': '500',
  });
  const [theirDirs, ourDirs] = [dirsOf('apache'), dirsOf('odradek')];
  [apache, odradek] = await Promise.all([
    startApacheKafka({
      version: '3.9.1',
      zookeeperConnect: zookeeper.connect,
      logDir: join(dir, 'apache'),
      overrides: settings(theirDirs),
    }),
    startOdradek({ dir, kafka: settings(ourDirs) }),
  ]);
  const side = (port: number, dirs: readonly [string, string], zk: string): Side => ({
    port,
    bootstrap: `127.0.0.1:${port}`,
    dirs,
    zookeeper: zk,
  });
  theirs = side(apache.port, theirDirs, zookeeper.connect);
  ours = side(odradek.kafkaPort, ourDirs, odradek.zookeeper);
  await Promise.all([prepare(theirs), prepare(ours)]);
});

after(async () => {
  await odradek?.kill();
  await apache?.kill();
  await zookeeper?.kill();
});

async function prepare(side: Side): Promise<void> {
  const assignments = [{ partitionIndex: 0, brokerIds: [0] }];
  const topics = [TOPIC, 'other', 'stays'].map((name) => ({
    name,
    numPartitions: -1,
    replicationFactor: -1,
    assignments,
    configs: [],
  }));
  for (const topic of topics) await ask(side.port, 19, 5, { topics: [topic], timeoutMs: 60_000 });
  await until('a leader', async () => ((await produce(side, TOPIC)) === 0 ? true : undefined));
  for (const name of ['other', 'stays']) {
    await until('a leader', async () => ((await produce(side, name)) === 0 ? true : undefined));
  }
}

async function produce({ port }: Side, name: string): Promise<number> {
  // Long from now: retention looks at old ones half a minute after a start, which is in the middle of this on a slow machine.
  const record = { timestamp: 4_000_000_000_000, key: null, value: Buffer.from('v'.repeat(1000)) };
  const partitionData = [{ index: 0, records: buildBatch({ records: [record] }) }];
  const topicData = [{ name, topicId: ZERO_UUID, partitionData }];
  const answer = (await ask(port, 0, 7, { acks: -1, timeoutMs: 10_000, topicData })) as unknown as {
    responses: { partitionResponses: { errorCode: number }[] }[];
  };
  return answer.responses[0]?.partitionResponses[0]?.errorCode ?? -1;
}

/** What is a broker's own by name: its directories, its ZooKeeper. */
function anonymous(side: Side, answer: Answer | 'closed'): unknown {
  const text = JSON.stringify(normalise(answer), (_key, value: unknown) =>
    typeof value === 'bigint' ? `${value}` : value,
  );
  const [first, second] = side.dirs;
  return JSON.parse(text.replaceAll(first, '<a>').replaceAll(second, '<b>').replaceAll(side.zookeeper, '<zookeeper>'));
}

async function compare(
  apiKey: number,
  versions: readonly number[],
  request: (side: Side, version: number) => object,
  what: string,
) {
  for (const version of versions) {
    const own = anonymous(ours, await ask(ours.port, apiKey, version, request(ours, version)));
    const other = anonymous(theirs, await ask(theirs.port, apiKey, version, request(theirs, version)));
    assert.deepEqual(own, other, `${what}, v${version}`);
  }
}

function describing(
  resourceType: number,
  resourceName: string,
  keys: readonly string[] | null = null,
  version = 4,
): object {
  const resources = [{ resourceType, resourceName, configurationKeys: keys }];
  return { resources, includeSynonyms: version >= 1, includeDocumentation: version >= 3 };
}

test('every key of a broker and of a topic: values, sources, synonyms, types, flags', async () => {
  await compare(32, [0, 1, 2, 3, 4], (_side, version) => describing(4, '0', null, version), 'the broker');
  await compare(32, [0, 1, 2, 3, 4], (_side, version) => describing(2, TOPIC, null, version), 'the topic');
  await compare(32, [4], () => describing(4, ''), 'all brokers');
  for (const [type, name] of [
    [8, ''],
    [8, '1'],
    [8, 'x'],
    [16, ''],
    [16, 'sub'],
    [4, 'x'],
    [4, '9'],
    [0, ''],
  ] as const) {
    await compare(32, [4], () => describing(type, name), `${type} ${name}`);
  }
  await compare(32, [4], () => describing(8, '0', ['root']), 'the root logger');
});

test('changes of configuration: the same codes, in the same words', async () => {
  const legacy = (resourceType: number, resourceName: string, values: Values): object => ({
    resources: [{ resourceType, resourceName, configs: values.map(([name, value]) => ({ name, value })) }],
    validateOnly: true,
  });
  const change = (type: number, resourceName: string, values: Values, configOperation = OPERATION_SET): object => ({
    resources: [
      { resourceType: type, resourceName, configs: values.map(([name, value]) => ({ name, configOperation, value })) },
    ],
    validateOnly: true,
  });
  for (const values of brokerChanges) {
    const what = JSON.stringify(values);
    await compare(33, [2], () => legacy(4, '', values), `for all: ${what}`);
    await compare(33, [2], () => legacy(4, '0', values), `for one: ${what}`);
    await compare(44, [1], () => change(4, '0', values), `one by one: ${what}`);
  }
  for (const values of topicChanges) {
    const what = JSON.stringify(values);
    await compare(33, [2], () => legacy(2, TOPIC, values), `of the topic: ${what}`);
    await compare(44, [1], () => change(2, TOPIC, values), `of the topic, one by one: ${what}`);
  }
  for (const [type, name, key, operation, value] of operations) {
    await compare(
      44,
      [1],
      () => change(type, name, [[key, value]], operation),
      JSON.stringify([type, name, key, operation]),
    );
    if (operation === OPERATION_SET)
      await compare(33, [2], () => legacy(type, name, [[key, value]]), `${type} ${name}`);
  }
  const twice = { resourceType: 2, resourceName: TOPIC, configs: [] };
  await compare(44, [1], () => ({ resources: [twice, twice], validateOnly: true }), 'a resource twice');
});

test('dynamic values stand in their order before those of the file, and go again', async () => {
  const steps: readonly (readonly [name: string, values: Values])[] = [
    [
      '',
      [
        ['log.retention.ms', '5000'],
        ['no.such.key', 'x'],
        ['log.flush.interval.ms', '777'],
        ['min.insync.replicas', '2'],
      ],
    ],
    [
      '0',
      [
        ['log.retention.ms', ' 6000 '],
        ['listener.name.plaintext.max.connections', '50'],
        ['max.connections', '90'],
      ],
    ],
    [
      '0',
      [
        ['replica.alter.log.dirs.io.max.bytes.per.second', '1000000'],
        ['log.cleanup.policy', 'compact, delete'],
      ],
    ],
  ];
  const alter = async (operation: number): Promise<void> => {
    for (const [resourceName, values] of steps) {
      for (const { port } of [ours, theirs]) {
        const configs = values.map(([name, value]) => ({ name, configOperation: operation, value }));
        const answer = await ask(port, 44, 1, {
          resources: [{ resourceType: 4, resourceName, configs }],
          validateOnly: false,
        });
        assert.deepEqual(
          (answer as { responses: { errorCode: number }[] }).responses.map(({ errorCode }) => errorCode),
          [0],
        );
      }
    }
    await settled(operation === OPERATION_SET ? '50' : undefined);
  };
  await alter(OPERATION_SET);
  await compare(32, [4], () => describing(4, '0'), 'the broker');
  await compare(32, [4], () => describing(4, ''), 'all brokers');
  await compare(32, [4], () => describing(2, TOPIC), 'a topic');
  await alter(OPERATION_DELETE);
  await compare(32, [4], () => describing(4, '0'), 'the broker, later');
  await compare(32, [4], () => describing(2, TOPIC), 'a topic, later');
});

/** Both have heard of the last change. */
async function settled(value: string | undefined): Promise<void> {
  const key = value === undefined ? 'log.cleanup.policy' : 'listener.name.plaintext.max.connections';
  for (const { port } of [ours, theirs]) {
    await until('the change is known', async () => {
      const answer = (await ask(port, 32, 4, describing(4, '0', [key, 'log.cleanup.policy']))) as unknown as {
        results: { configs: { name: string; value: string | null }[] }[];
      };
      const found = answer.results[0]?.configs ?? [];
      const policy = found.find(({ name }) => name === 'log.cleanup.policy')?.value;
      return (value === undefined ? policy === 'delete' : policy === 'compact,delete') ? true : undefined;
    });
  }
}

test('a replica moves to the other log dir, and both tell it alike all the way', async () => {
  const everything = () => ({ topics: null });
  await compare(35, [0, 1, 2, 3, 4], everything, 'before');
  await compare(35, [4], () => ({ topics: [{ topic: TOPIC, partitions: [0, 7] }] }), 'of one topic');
  const moving = (topic: string, partition: number, at: 0 | 1) => (side: Side) => ({
    dirs: [{ path: side.dirs[at], topics: [{ name: topic, partitions: [partition] }] }],
  });
  await compare(
    34,
    [0, 1, 2],
    () => ({ dirs: [{ path: '/no/such', topics: [{ name: TOPIC, partitions: [0] }] }] }),
    'nowhere',
  );
  await compare(34, [2], moving('unheard-of', 0, 1), 'an unknown topic');
  await compare(34, [2], moving(TOPIC, 7, 1), 'an unknown partition');
  await compare(34, [2], moving(TOPIC, 0, 0), 'where it is');
  await compare(34, [2], moving('x'.repeat(230), 0, 0), 'a name that is too long');
  await compare(34, [2], moving(TOPIC, 0, 1), 'to the other');
  for (const { dirs } of [ours, theirs]) {
    await until('the replica has moved', () => (existsSync(join(dirs[1], `${TOPIC}-0`)) ? true : undefined));
  }
  for (const side of [ours, theirs]) assert.equal(await produce(side, TOPIC), 0);
  await compare(35, [4], everything, 'after');
});

test('what kafka-configs of 2.1.0 writes to the znodes of brokers counts', async () => {
  const rate = 'replica.alter.log.dirs.io.max.bytes.per.second';
  const { code, stderr } = await kafkaTool('kafka-configs', '2.1.0', [
    ...['--zookeeper', ours.zookeeper, '--entity-type', 'brokers', '--entity-name', '0'],
    ...['--alter', '--add-config', `${rate}=12345678`],
  ]);
  assert.equal(code, 0, stderr);
  await until('the value is known', async () => {
    const answer = (await ask(ours.port, 32, 4, describing(4, '0', [rate]))) as unknown as {
      results: { configs: { value: string | null; configSource: number }[] }[];
    };
    const [found] = answer.results[0]?.configs ?? [];
    return found?.value === '12345678' && found.configSource === 2 ? true : undefined;
  });
});

test('kafka-log-dirs prints the same', async () => {
  const outputs = await Promise.all(
    [ours, theirs].map(async ({ bootstrap, dirs }) => {
      const { stdout } = await kafkaTool('kafka-log-dirs', '3.9.1', [
        ...['--bootstrap-server', bootstrap, '--describe', '--topic-list', `${TOPIC},other,stays`],
      ]);
      const [first, second] = dirs;
      const line = stdout.split('\n').find((text) => text.startsWith('{')) ?? '';
      const printed = JSON.parse(line.replaceAll(first, '<a>').replaceAll(second, '<b>')) as {
        brokers: { logDirs: { logDir: string }[] }[];
      };
      for (const { logDirs } of printed.brokers) logDirs.sort((a, b) => (a.logDir < b.logDir ? -1 : 1));
      return [stdout.split('\n').filter((text) => !text.startsWith('{')), printed];
    }),
  );
  assert.deepEqual(outputs[0], outputs[1]);
});

test('a log dir that fails: requests, metadata, descriptions', async () => {
  for (const side of [ours, theirs]) {
    renameSync(side.dirs[1], `${side.dirs[1]}-gone`);
    await until('the directory is offline', async () => ((await produce(side, TOPIC)) === 56 ? true : undefined));
    await until('the controller knows', async () => {
      const told = (await metadata(side)) as { topics: { partitions: { leaderId: number }[] }[] };
      const leaders = told.topics.map(({ partitions }) => partitions[0]?.leaderId);
      return leaders.filter((id) => id === -1).length === 2 ? true : undefined;
    });
    assert.equal(await produce(side, 'stays'), 0);
  }
  assert.deepEqual(anonymous(ours, await metadata(ours)), anonymous(theirs, await metadata(theirs)));
  await compare(35, [0, 4], () => ({ topics: null }), 'with a failed directory');
  const to = (at: 0 | 1) => (side: Side) => ({
    dirs: [{ path: side.dirs[at], topics: [{ name: TOPIC, partitions: [0] }] }],
  });
  await compare(34, [2], to(0), 'an offline partition');
  await compare(34, [2], to(1), 'to an offline directory');
  const fetching = {
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 1000,
    topics: [
      {
        topic: TOPIC,
        topicId: ZERO_UUID,
        partitions: [
          {
            ...PARTITION_FIELDS,
            partition: 0,
            fetchOffset: 0,
            partitionMaxBytes: 1000,
          },
        ],
      },
    ],
  };
  await compare(1, [4, 11], () => fetching, 'a fetch');
});

function metadata({ port }: Side): Promise<Answer | 'closed'> {
  return ask(port, 3, 9, { topics: [TOPIC, 'other', 'stays'].map((name) => ({ name, topicId: ZERO_UUID })) });
}
