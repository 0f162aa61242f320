/** Share groups (KIP-932): stories told to Apache's broker 4.4.0 and to ours, and Java's share consumer on ours. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Odradek, startOdradek } from '../odradek.ts';
import type { ApacheKafka } from '../peers/apache-kafka.ts';
import { startApacheKraft } from '../peers/apache-kraft.ts';
import { type KafkaToolName, kafkaTool } from '../peers/kafka-tools.ts';
import { tempDir } from '../peers/temp-dir.ts';
import { tellOfGroupConfigs } from './group-config-story.ts';
import { tellOfDeliveries, tellOfFailures, tellOfMembers, tellOfState } from './share-stories.ts';
import { Teller } from './share-teller.ts';

let apache: ApacheKafka;
let odradek: Odradek;

before(async () => {
  const dir = tempDir();
  const settings = {
    'offsets.topic.num.partitions': '3',
    'offsets.topic.replication.factor': '1',
    'share.coordinator.state.topic.num.partitions': '3',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    // What is old stays.
    'log.retention.ms': '-1',
    // See Teller.leave.
    'num.network.threads': '1',
    // Nothing waits, and nothing runs out, unless a story configures it for its group.
    'group.share.assignment.interval.ms': '0',
    'group.share.max.assignment.interval.ms': '60000',
    'group.share.session.timeout.ms': '60000',
    'group.share.record.lock.duration.ms': '60000',
  };
  [apache, odradek] = await Promise.all([
    startApacheKraft({ logDir: join(dir, 'apache'), overrides: settings }),
    startOdradek({ dir, kafka: settings }),
  ]);
});

after(async () => {
  await odradek?.kill();
  await apache?.kill();
});

const stories = {
  'the state of share partitions': tellOfState,
  'records are acquired and acknowledged': tellOfDeliveries,
  'records come again, in parts and in batches': tellOfFailures,
  'records come again to a member of version 1': (teller) => tellOfFailures(teller, 1),
  'members come and go, and offsets are altered': tellOfMembers,
  'groups are configured': tellOfGroupConfigs,
} satisfies Record<string, (teller: Teller) => Promise<void>>;

test('both brokers tell the same stories', { concurrency: true }, async (t) => {
  await Promise.all(
    Object.entries(stories).map(([name, story], index) =>
      t.test(name, async () => {
        const [theirs, ours] = [
          new Teller(apache.port, `story${index}`),
          new Teller(odradek.kafkaPort, `story${index}`),
        ];
        await Promise.all([story(theirs), story(ours)]);
        for (const [step, [label, answer]] of theirs.told.entries())
          assert.deepEqual(ours.told[step]?.[1], answer, label);
        assert.equal(ours.told.length, theirs.told.length);
        assert.ok(theirs.told.length > 10, 'there was a story');
      }),
    ),
  );
});

test('Java’s share consumer gets each record once, and the tool for share groups sees it', async () => {
  const at = ['--bootstrap-server', odradek.bootstrap];
  const tool = async (name: KafkaToolName, args: string[], stdin = ''): Promise<string> => {
    const outcome = await kafkaTool(name, '4.4.0', [...at, ...args], { stdin });
    assert.equal(outcome.code, 0, outcome.stderr);
    return outcome.stdout;
  };
  await new Teller(odradek.kafkaPort, 'shared').begin(1);
  await tool('kafka-console-producer', ['--topic', 'shared'], 'one\ntwo\nthree\n');
  // Groups begin at the end of the log unless they are told otherwise.
  const ofJava = ['--entity-type', 'groups', '--entity-name', 'java'];
  await tool('kafka-configs', [...ofJava, '--alter', '--add-config', 'share.auto.offset.reset=earliest']);
  const settings = await tool('kafka-configs', [...ofJava, '--describe']);
  assert.match(settings, /share\.auto\.offset\.reset=earliest sensitive=false synonyms=\{DYNAMIC_GROUP_CONFIG/);
  const consumer = ['--topic', 'shared', '--group', 'java', '--max-messages', '3'];
  const consumed = await tool('kafka-console-share-consumer', consumer);
  assert.deepEqual(consumed.trim().split('\n'), ['one', 'two', 'three']);
  const [list, offsets] = await Promise.all([
    tool('kafka-share-groups', ['--list']),
    tool('kafka-share-groups', ['--describe', '--group', 'java', '--offsets']),
  ]);
  assert.match(list, /^java$/m);
  assert.match(offsets, /java +shared +0 +\d+ +0/);
});
