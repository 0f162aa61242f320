/**
 * KIP-890's transactions (`transaction.version=2`), told to Apache's broker 4.4.0 and to ours: the same answers, records and
 * markers. No cluster of Apache's with ZooKeeper has that version. In the full run only.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { chosen } from '../breadth.ts';
import { type Odradek, startOdradek } from '../odradek.ts';
import type { ApacheKafka } from '../peers/apache-kafka.ts';
import { startApacheKraft } from '../peers/apache-kraft.ts';
import { until } from '../peers/process.ts';
import { tempDir } from '../peers/temp-dir.ts';
import { CoordinatorStory, PARTITIONS, type Producer } from './coordinator-story.ts';
import { type Answer, ask } from './raw-client.ts';

let apache: ApacheKafka;
let odradek: Odradek;

before(async () => {
  if (told.length === 0) return;
  const dir = tempDir();
  const settings = {
    'transaction.state.log.num.partitions': String(PARTITIONS),
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': '500',
  };
  [apache, odradek] = await Promise.all([
    startApacheKraft({ logDir: join(dir, 'apache'), overrides: settings, features: { 'transaction.version': 2 } }),
    startOdradek({ dir, kafka: { ...settings, 'transaction.version': '2' } }),
  ]);
  await Promise.all([apache.port, odradek.kafkaPort].map(prepare));
});

after(async () => {
  await odradek?.kill();
  await apache?.kill();
});

async function prepare(port: number): Promise<void> {
  const topics = stories.map((_, index) => ({
    name: `story-${index}`,
    numPartitions: 2,
    replicationFactor: 1,
    assignments: [],
    configs: [],
  }));
  await ask(port, 19, 4, { topics, timeoutMs: 10_000 });
  await until('the coordinator of transactions', async () => {
    const { errorCode } = (await ask(port, 10, 1, { key: 'any', keyType: 1 })) as Answer;
    const listed = (await ask(port, 66, 0, {})) as Answer;
    return errorCode === 0 && listed.errorCode === 0 ? true : undefined;
  });
  await until('a block of producer ids', async () => {
    const given = (await ask(port, 22, 0, { transactionalId: null, transactionTimeoutMs: 60_000 })) as Answer;
    return given.errorCode === 0 ? given : undefined;
  });
}

/** The producer that the end of a transaction makes. */
const next = (ended: Answer): Producer => ended as Answer & Producer;
const before1 = (producer: Producer): Producer => ({ ...producer, producerEpoch: producer.producerEpoch - 1 });

const stories: readonly { readonly name: string; readonly tell: (story: CoordinatorStory) => Promise<void> }[] = [
  {
    name: 'each end of a transaction raises the epoch',
    async tell(story) {
      const one = await story.init({ version: 5 });
      await story.add(one, { version: 5, partitions: [0, 1] });
      await story.verify(one, [0, 1], 5);
      await story.write(one, 0, { version: 12 });
      await story.describe();
      const two = next(await story.end(one, true, { version: 5 }));
      await story.waitFor('CompleteCommit');
      await story.describe();
      await story.end(one, true, { version: 5 });
      await story.end(one, false, { version: 5 });
      await story.end(two, true, { version: 5 });
      await story.add(one, { version: 5 });
      await story.add(two, { version: 5, partitions: [1] });
      const three = next(await story.end(two, false, { version: 5 }));
      await story.waitFor('CompleteAbort');
      await story.end(two, false, { version: 5 });
      await story.end(two, true, { version: 5 });
      await story.end(one, false, { version: 5 });
      const four = next(await story.end(three, false, { version: 5 }));
      await story.waitFor('CompleteAbort');
      await story.write(four, 0, { version: 12, partition: 1 });
      await story.write(two, 0, { version: 12, partition: 1 });
      await story.describe();
      await story.end(four, true, { version: 5 });
      await story.waitFor('CompleteCommit');
    },
  },
  {
    name: 'a producer that has written nothing may abort, but not commit',
    async tell(story) {
      const one = await story.init();
      await story.end(one, true, { version: 5 });
      const two = next(await story.end(one, false, { version: 5 }));
      await story.waitFor('CompleteAbort');
      await story.describe();
      await story.end(one, false, { version: 5 });
      await story.init({ as: one });
      await story.init({ as: two });
      await story.init();
      await story.describe();
    },
  },
  {
    name: 'a producer with a transaction open is fenced by another',
    async tell(story) {
      const one = await story.init();
      await story.add(one, { version: 5 });
      await story.write(one, 0, { version: 12 });
      await story.init();
      const two = await story.initWhenReady();
      await story.end(one, true, { version: 5 });
      await story.add(one, { version: 5 });
      await story.verify(one, [0], 5);
      await story.add(two, { version: 5 });
      const three = next(await story.end(two, true, { version: 5 }));
      await story.waitFor('CompleteCommit');
      await story.init({ as: before1(three) });
      await story.describe();
    },
  },
  {
    name: 'older clients live beside newer ones',
    async tell(story) {
      const one = await story.init({ version: 4 });
      await story.add(one, { version: 3 });
      await story.addOffsets(one);
      await story.end(one, true, { version: 4 });
      await story.waitFor('CompleteCommit');
      await story.end(one, true, { version: 4 });
      await story.add(one, { version: 3 });
      const two = next(await story.end(one, false, { version: 5 }));
      await story.waitFor('CompleteAbort');
      await story.add(two, { version: 3 });
      await story.end(two, true, { version: 3 });
      await story.waitFor('CompleteCommit');
      await story.end(two, true, { version: 5 });
      await story.init({ as: two });
      await story.describe();
    },
  },
  {
    name: 'a transaction that stays open for too long is aborted, and its producer fenced',
    async tell(story) {
      const one = await story.init({ timeoutMs: 5000 });
      await story.write(one, 0, { version: 12 });
      await story.waitFor('CompleteAbort');
      await story.describe();
      await story.end(one, true, { version: 5 });
      await story.init({ as: one });
      await story.init();
    },
  },
  {
    name: 'ids are listed by pattern',
    async tell(story) {
      await story.init();
      for (const transactionalIdPattern of ['story-.', 'story', '.*', '', 'nothing', '(', '(?=a)']) {
        await story.list({ transactionalIdPattern }, 2);
      }
      await story.list({ transactionalIdPattern: null }, 2);
    },
  },
];

const told = chosen(stories, () => false);

for (const [index, { name, tell }] of told.entries()) {
  test(name, async () => {
    const id = `story-${index}`;
    const theirs = new CoordinatorStory({ port: apache.port, id, topic: id });
    const ours = new CoordinatorStory({ port: odradek.kafkaPort, id, topic: id });
    await Promise.all([tell(theirs), tell(ours)]);
    for (const [step, entry] of ours.transcript.entries()) {
      assert.deepEqual(
        entry,
        theirs.transcript[step],
        `step ${step}, after ${JSON.stringify(ours.transcript[step - 1])}`,
      );
    }
    assert.deepEqual(await ours.records(), await theirs.records());
    assert.deepEqual(await ours.written(), await theirs.written());
  });
}
