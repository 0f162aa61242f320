/** Groups of the consumer protocol (KIP-848) with the clients that people use, and what Apache's tool shows of them. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { chosen } from './breadth.ts';
import { type Odradek, startOdradek } from './odradek.ts';
import { type KafkaToolVersion, kafkaTool, kafkaToolLine } from './peers/kafka-tools.ts';
import { type Service, startService, until } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';
import { kcat, python } from './peers/tools.ts';

let odradek: Odradek;
const dir = tempDir();

before(async () => {
  odradek = await startOdradek({
    dir,
    kafka: {
      'num.partitions': '4',
      'offsets.topic.replication.factor': '1',
      'offsets.topic.num.partitions': '3',
      'group.initial.rebalance.delay.ms': '0',
      'group.consumer.min.heartbeat.interval.ms': '200',
      'group.consumer.heartbeat.interval.ms': '300',
      'group.consumer.assignment.interval.ms': '0',
    },
  });
  const produced = await kcat(['-P', '-b', odradek.bootstrap, '-t', 'lines'], { stdin: 'one\ntwo\nthree\n' });
  assert.equal(produced.code, 0, produced.stderr);
});

after(() => odradek?.kill());

const consumes = (version: KafkaToolVersion, group: string, ...properties: string[]): readonly string[] => [
  ...['--bootstrap-server', odradek.bootstrap, '--topic', 'lines', '--from-beginning', '--group', group],
  ...properties.flatMap((property) => [version === '4.4.0' ? '--command-property' : '--consumer-property', property]),
];

async function follow(version: KafkaToolVersion, group: string, protocol: string): Promise<Service> {
  const args = consumes(version, group, `group.protocol=${protocol}`);
  const line = await kafkaToolLine('kafka-console-consumer', version, args);
  return startService(line.command, line.args, { logFile: join(dir, `${group}-${version}-${protocol}.log`) });
}

const groupsTool = async (...args: string[]): Promise<string> => {
  const { stdout, stderr } = await kafkaTool('kafka-consumer-groups', '4.4.0', [
    ...['--bootstrap-server', odradek.bootstrap, ...args],
  ]);
  return stdout + stderr;
};

for (const version of chosen(['3.9.1', '4.4.0'] as const, (one) => one === '4.4.0')) {
  test(`the console consumer of ${version} reads in a group of the consumer protocol`, async () => {
    const consumed = await kafkaTool('kafka-console-consumer', version, [
      ...consumes(version, `lines-${version}`, 'group.protocol=consumer'),
      ...['--max-messages', '3', '--timeout-ms', '100000'],
    ]);
    assert.deepEqual(consumed.stdout.trim().split('\n').sort(), ['one', 'three', 'two'], consumed.stderr);
  });
}

const mixtures = ['two consumers share, one of the classic protocol joins them, and the tool shows who has what'];

for (const name of chosen(mixtures, () => false)) {
  test(name, async () => {
    const members = [await follow('4.4.0', 'shared', 'consumer'), await follow('4.4.0', 'shared', 'classic')];
    await until('both have their part', async () => {
      const state = await groupsTool('--describe', '--group', 'shared', '--state', '--verbose');
      return /uniform +Stable +\d+ +\d+ +2/.test(state) ? true : undefined;
    });
    const shown = await groupsTool('--describe', '--group', 'shared', '--members', '--verbose');
    assert.match(shown, /CURRENT-EPOCH +CURRENT-ASSIGNMENT +TARGET-EPOCH +TARGET-ASSIGNMENT/);
    assert.equal(shown.split('\n').filter((line) => /lines[-:].*lines[-:]/.test(line)).length, 2, shown);
    assert.match(await groupsTool('--list', '--type', 'consumer', '--state', 'stable'), /shared +Consumer +Stable/i);
    for (const member of members) await member.stop();
    await until('the group is empty', async () => {
      const text = await groupsTool('--describe', '--group', 'shared', '--state');
      return / Empty /.test(text) ? true : undefined;
    });
    const offsets = await groupsTool('--describe', '--group', 'shared');
    assert.match(offsets, /shared +lines +\d+ +\d+ +\d+ +0/);
    assert.match(await groupsTool('--delete', '--group', 'shared'), /successful/);
  });
}

test('librdkafka reads in a group of the consumer protocol', async () => {
  const program = `
import sys
from confluent_kafka import Consumer
c = Consumer({'bootstrap.servers': sys.argv[1], 'group.id': 'rd', 'group.protocol': 'consumer', 'auto.offset.reset': 'earliest'})
c.subscribe(['lines'])
found = []
for _ in range(1000):
    m = c.poll(0.1)
    if m is not None and m.error() is None: found.append(m.value().decode())
    if len(found) == 3: break
c.commit(asynchronous=False)
print(sorted(found), len(c.assignment()))
c.close()
`;
  const read = await python('-c', [program, odradek.bootstrap]);
  assert.equal(read.stdout, "['one', 'three', 'two'] 4\n", read.stderr);
});
