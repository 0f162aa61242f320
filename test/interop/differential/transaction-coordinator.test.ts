/** Lives of transactional ids, told to Apache's broker 3.9.1 and to ours: the same answers, records and markers. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Odradek, startOdradek } from '../odradek.ts';
import { type ApacheKafka, startApacheKafka } from '../peers/apache-kafka.ts';
import { type ApacheZookeeper, startApacheZookeeper } from '../peers/apache-zookeeper.ts';
import { until } from '../peers/process.ts';
import { tempDir } from '../peers/temp-dir.ts';
import { CoordinatorStory, PARTITIONS } from './coordinator-story.ts';
import { type Answer, ask } from './raw-client.ts';

/** Ids that nobody uses for so long are forgotten; no story rests so long by itself. */
const EXPIRATION_MS = 10_000;
/** Within this a transaction that is to be aborted for its age is begun and written to. */
const OPEN_MS = 10_000;

let zookeeper: ApacheZookeeper;
let apache: ApacheKafka;
let odradek: Odradek;

before(async () => {
  const dir = tempDir();
  zookeeper = await startApacheZookeeper({ version: '3.9.4', dataDir: join(dir, 'apache-zookeeper') });
  const settings = {
    'offsets.topic.num.partitions': '3',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.num.partitions': String(PARTITIONS),
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.max.timeout.ms': '100000',
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': '500',
    'transactional.id.expiration.ms': String(EXPIRATION_MS),
    'transaction.remove.expired.transaction.cleanup.interval.ms': '500',
  };
  const zookeeperConnect = zookeeper.connect;
  [apache, odradek] = await Promise.all([
    startApacheKafka({ version: '3.9.1', zookeeperConnect, logDir: join(dir, 'apache'), overrides: settings }),
    startOdradek({ dir, kafka: settings }),
  ]);
  await Promise.all([apache.port, odradek.kafkaPort].map(prepare));
});

after(async () => {
  await odradek?.kill();
  await apache?.kill();
  await zookeeper?.kill();
});

async function prepare(port: number): Promise<void> {
  const topics = stories.map((_, index) => ({
    name: `story-${index}`,
    numPartitions: 2,
    replicationFactor: 1,
    assignments: [],
    configs: [],
  }));
  await ask(port, 19, 4, { topics, timeoutMs: 60_000 });
  for (const keyType of [0, 1]) {
    await until('the coordinators', async () => {
      const { errorCode } = (await ask(port, 10, 1, { key: 'any', keyType })) as Answer;
      const listed = (await ask(port, keyType === 0 ? 16 : 66, 0, {})) as Answer;
      return errorCode === 0 && listed.errorCode === 0 ? true : undefined;
    });
  }
  await until('a block of producer ids', async () => {
    const given = (await ask(port, 22, 0, { transactionalId: null, transactionTimeoutMs: 60_000 })) as Answer;
    return given.errorCode === 0 ? given : undefined;
  });
}

interface Told {
  readonly transcript: readonly unknown[];
  readonly records: readonly unknown[];
  readonly written: readonly unknown[];
}

/** With what the broker has written of it when it ends: the other one may take so long that this one forgets the id. */
async function told(port: number, id: string, tell: (story: CoordinatorStory) => Promise<void>): Promise<Told> {
  const story = new CoordinatorStory({ port, id, topic: id });
  await tell(story);
  return { transcript: story.transcript, records: await story.records(), written: await story.written() };
}

const stories: readonly { readonly name: string; readonly tell: (story: CoordinatorStory) => Promise<void> }[] = [
  {
    name: 'a producer commits, aborts, and comes back',
    async tell(story) {
      await story.describe();
      const one = await story.init();
      await story.describe();
      await story.list();
      await story.end(one, true);
      await story.end(one, false);
      await story.verify(one);
      await story.add(one);
      await story.add(one);
      await story.describe();
      await story.list({ stateFilters: ['Ongoing'] });
      await story.list({ stateFilters: ['Empty', 'Nonsense'] });
      await story.list({ producerIdFilters: [one.producerId] });
      await story.list({ producerIdFilters: [987_654] });
      await story.list({ durationFilter: 0 });
      await story.list({ durationFilter: 500_000 });
      await story.verify(one, [0, 1]);
      await story.write(one, 0);
      await story.add(one, { partitions: [0, 1] });
      await story.write(one, 0, { partition: 1 });
      await story.addOffsets(one);
      await story.describe();
      await story.end(one, true);
      await story.waitFor('CompleteCommit');
      await story.describe();
      await story.end(one, true);
      await story.end(one, false);
      await story.verify(one);
      await story.add(one, { partitions: [1] });
      await story.end(one, false);
      await story.waitFor('CompleteAbort');
      await story.end(one, false);
      await story.end(one, true);
      const two = await story.init();
      await story.add(one);
      await story.end(one, true);
      await story.verify(one);
      await story.describe();
      await story.add(two);
      await story.end(two, true);
      await story.waitFor('CompleteCommit');
    },
  },
  {
    name: 'a producer that has a transaction open is fenced by another',
    async tell(story) {
      const one = await story.init();
      await story.add(one, { partitions: [0, 1] });
      await story.write(one, 0);
      await story.init();
      const two = await story.initWhenReady();
      for (let version = 0; version <= 3; version += 1) {
        await story.add(one, { version });
        await story.addOffsets(one, { version });
        await story.end(one, true, { version });
      }
      for (const version of [4, 5]) {
        await story.add(one, { version });
        await story.verify(one, [0], version);
        await story.add(two, { version, partitions: [version - 4] });
        await story.verify(two, [0, 1], version);
      }
      await story.end(two, true);
      await story.waitFor('CompleteCommit');
    },
  },
  {
    name: 'a producer that names itself goes on, and one that is fenced does not (KIP-360)',
    async tell(story) {
      const stranger = { producerId: 123_456, producerEpoch: 0 };
      const one = await story.init({ as: stranger });
      const two = await story.init({ as: one });
      await story.init({ as: one });
      await story.init({ as: two });
      await story.init({ as: one });
      await story.init({ as: one, version: 3 });
      await story.init({ as: stranger });
      await story.init({ as: stranger, version: 3 });
      await story.init({ as: { ...two, producerEpoch: 9 } });
      const three = await story.init();
      await story.init({ as: { ...three, producerEpoch: three.producerEpoch - 1 } });
      await story.add(three);
      await story.init({ as: { ...three, producerEpoch: 0 } });
      const four = await story.initWhenReady({ as: three });
      await story.describe();
      await story.add(four);
      await story.init({ as: three });
      await story.waitFor('CompleteAbort');
      await story.init({ as: { producerId: three.producerId, producerEpoch: -1 } });
      await story.init({ as: { producerId: -1, producerEpoch: 3 } });
    },
  },
  {
    name: 'every version of InitProducerId gives the next epoch',
    async tell(story) {
      for (let version = 0; version <= 5; version += 1) await story.init({ version, timeoutMs: 1000 + version });
      await story.init({ timeoutMs: 0 });
      await story.init({ timeoutMs: -1 });
      await story.init({ timeoutMs: 100_000 });
      await story.init({ timeoutMs: 100_001 });
      await story.init({ id: '' });
      await story.describe('', story.id, 'nobody');
    },
  },
  {
    name: 'requests of what nobody knows',
    async tell(story) {
      const nobody = { producerId: 77_777, producerEpoch: 0 };
      for (let version = 0; version <= 3; version += 1) {
        await story.add(nobody, { version });
        await story.addOffsets(nobody, { version });
        await story.end(nobody, true, { version });
        await story.add(nobody, { version, id: '' });
        await story.addOffsets(nobody, { version, id: '' });
        await story.end(nobody, false, { version, id: '' });
      }
      await story.verify(nobody);
      const one = await story.init();
      const other = { ...one, producerId: one.producerId + 1_000_000 };
      await story.add(other);
      await story.addOffsets(other);
      await story.end(other, true);
      await story.verify(other);
      await story.add({ ...one, producerEpoch: 5 });
      await story.end({ ...one, producerEpoch: 5 }, true);
      await story.verify({ ...one, producerEpoch: 5 });
      await story.add(one, { topic: 'missing' });
      await story.add(one, { partitions: [0, 7] });
      await story.add(one, { partitions: [0, 7], version: 5 });
      await story.describe();
      await story.add(one, { partitions: [] });
      await story.describe();
      await story.end(one, true);
      await story.waitFor('CompleteCommit');
      await story.addBatch([
        { as: one, topics: [{ name: story.topic, partitions: [0, 1] }] },
        { as: nobody, id: 'nobody' },
        { as: one, id: '', topics: [{ name: 'missing', partitions: [3] }] },
      ]);
      await story.end(one, false);
      await story.waitFor('CompleteAbort');
    },
  },
  {
    name: 'a transaction that stays open for too long is aborted, and its producer fenced',
    async tell(story) {
      const one = await story.init({ timeoutMs: OPEN_MS });
      await story.add(one);
      await story.write(one, 0);
      await story.waitFor('CompleteAbort');
      await story.describe();
      await story.write(one, 1);
      await story.end(one, true);
      await story.add(one);
      const two = await story.init();
      await story.add(two);
      await story.write(two, 0);
      await story.end(two, true);
      await story.waitFor('CompleteCommit');
    },
  },
  {
    name: 'an id that nobody uses is forgotten',
    async tell(story) {
      const one = await story.init();
      await story.add(one);
      await story.end(one, true);
      await story.waitForgotten();
      await story.end(one, true);
      await story.init({ as: one });
    },
  },
];

function compare(theirs: Told, ours: Told): void {
  for (const [step, entry] of ours.transcript.entries()) {
    assert.deepEqual(
      entry,
      theirs.transcript[step],
      `step ${step}, after ${JSON.stringify(ours.transcript[step - 1])}`,
    );
  }
  assert.deepEqual(ours.records, theirs.records);
  assert.deepEqual(ours.written, theirs.written);
}

test('both brokers tell the same stories', { concurrency: true }, async (t) => {
  await Promise.all(
    stories.map(({ name, tell }, index) =>
      t.test(name, async () => {
        const ports = [apache.port, odradek.kafkaPort];
        const [theirs, ours] = await Promise.all(ports.map((port) => told(port, `story-${index}`, tell)));
        compare(theirs!, ours!);
      }),
    ),
  );
});
