/**
 * A day of clients of other makers, each with transactions and groups, and where the client can, groups of the consumer protocol:
 * franz-go, sarama, librdkafka.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { chosen } from './breadth.ts';
import { startOdradek } from './odradek.ts';
import { startApacheKafka } from './peers/apache-kafka.ts';
import { installKafkaGo } from './peers/install.ts';
import { type Outcome, run, type Service } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';
import { python } from './peers/tools.ts';

const kafka = {
  'offsets.topic.num.partitions': '3',
  'transaction.state.log.num.partitions': '3',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'group.initial.rebalance.delay.ms': '0',
};

type Peer = Service & { readonly bootstrap: string };

const brokers: Readonly<Record<string, (t: TestContext) => Promise<Peer>>> = {
  'our broker': async (t) => {
    const ours = await startOdradek({ dir: tempDir(), kafka });
    t.after(() => ours.kill());
    return ours;
  },
  'Apache’s broker 3.9.1': async (t) => {
    const { kill, zookeeper } = await startOdradek({ dir: tempDir(), withoutKafka: true });
    t.after(kill);
    const apache = await startApacheKafka({
      version: '3.9.1',
      zookeeperConnect: zookeeper,
      logDir: tempDir(),
      overrides: kafka,
    });
    t.after(() => apache.kill());
    return apache;
  },
};

interface Client {
  readonly name: string;
  run(bootstrap: string, isOurs: boolean): Promise<Outcome>;
  readonly want: readonly string[];
  /** What of it Apache's broker of 3.9 does otherwise, which has groups of the consumer protocol in KRaft mode alone. */
  readonly apache?: (line: string) => readonly string[];
}

const goClient = async (name: string, bootstrap: string): Promise<Outcome> =>
  run(await installKafkaGo(), [name, bootstrap]);

const clients: readonly Client[] = [
  {
    name: 'franz-go',
    run: (bootstrap) => goClient('franz', bootstrap),
    apache: (line) => [line.replace('group: consumer', 'group: classic')],
    want: [
      'again: TOPIC_ALREADY_EXISTS: Topic with this name already exists.',
      'retention: 3600000 DYNAMIC_TOPIC_CONFIG',
      'found in classic: 150',
      'group: classic Stable',
      'committed: 150',
      'found in consumer: 150',
      'group: consumer Stable',
      'committed: 150',
      'transaction: Ongoing',
      'copied: 150',
      'committed copies: 150 150',
      'low: 1',
      'log dirs: 1',
      'groups gone: <nil>',
      'topics gone: <nil>',
    ],
  },
  {
    name: 'sarama',
    run: (bootstrap) => goClient('sarama', bootstrap),
    want: [
      "again: kafka server: Topic with this name already exists - Topic 'sarama' already exists.",
      'found: 150',
      'group: Stable 1',
      'committed: 150',
      'copied up to: 4',
      'committed copies: copy0 copy2 copy4',
      'config: retention.ms 3600000',
      'log dirs: 1',
      'acls: kafka server: failed to create one or more ACL rules: kafka server: Security features are disabled',
    ],
  },
  {
    name: 'librdkafka',
    run: (bootstrap, isOurs) =>
      python(join(import.meta.dirname, 'clients', 'librdkafka-day.py'), [
        ...[bootstrap, 'classic'],
        ...(isOurs ? ['consumer'] : []),
      ]),
    apache: (line) => (line === 'found by consumer 150 3, committed 150' ? [] : [line]),
    want: [
      'created done',
      'again TOPIC_ALREADY_EXISTS',
      'altered done',
      'retention 7200000',
      'found by classic 150 3, committed 150',
      'found by consumer 150 3, committed 150',
      'stable [12]',
      'fenced _FENCED True',
      'copied up to [4]',
      'copies copy0 copy2 copy4',
      'groups gone done',
      'topics gone done',
    ],
  },
];

const rows = Object.keys(brokers).flatMap((broker) => clients.map((client) => ({ broker, client })));

for (const { broker, client } of chosen(rows, () => false)) {
  test(`${client.name} produces, consumes, copies in transactions and administers on ${broker}`, async (t) => {
    const isOurs = broker === 'our broker';
    const { bootstrap } = await (brokers[broker] as (typeof brokers)[string])(t);
    const { code, stdout, stderr } = await client.run(bootstrap, isOurs);
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    const want = isOurs ? client.want : client.want.flatMap((line) => client.apache?.(line) ?? [line]);
    assert.deepEqual(stdout.trim().split('\n'), want);
  });
}
