/**
 * Whole lives of streams groups (KIP-1071), told to Apache's broker 4.4.0 and to ours: the same answers, and the same records in
 * `__consumer_offsets`.
 */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Odradek, startOdradek } from '../odradek.ts';
import type { ApacheKafka } from '../peers/apache-kafka.ts';
import { startApacheKraft } from '../peers/apache-kraft.ts';
import { tempDir } from '../peers/temp-dir.ts';
import { comparedWith4 } from './compared-with-4.ts';
import { OFFSETS_PARTITIONS } from './consumer-story.ts';
import { topicsAndGroupsReady } from './groups-ready.ts';
import { streamsStories } from './streams-stories.ts';
import { StreamsStory } from './streams-story.ts';

let apache: ApacheKafka;
let odradek: Odradek;

before(async () => {
  const dir = tempDir();
  const settings = {
    'offsets.topic.num.partitions': String(OFFSETS_PARTITIONS),
    'offsets.topic.replication.factor': '1',
    'group.initial.rebalance.delay.ms': '0',
    'group.streams.max.size': '4',
    'group.streams.initial.rebalance.delay.ms': '0',
    'group.streams.assignment.interval.ms': '0',
    'group.streams.max.assignment.interval.ms': '60000',
    // Long, as whatever must not run out within a story; what must is configured for its group alone.
    'group.streams.session.timeout.ms': '60000',
    'group.streams.heartbeat.interval.ms': '15000',
    'group.streams.min.session.timeout.ms': '1000',
    'group.streams.min.heartbeat.interval.ms': '500',
  };
  [apache, odradek] = await Promise.all([
    startApacheKraft({ logDir: join(dir, 'apache'), overrides: settings }),
    startOdradek({ dir, kafka: settings }),
  ]);
  for (const port of [apache.port, odradek.kafkaPort]) {
    await topicsAndGroupsReady(port, { t: 4, u: 2, v: 4 });
  }
});

after(async () => {
  await odradek?.kill();
  await apache?.kill();
});

const spoken = new Map<number, Set<number>>();

test('both brokers tell the same stories', { concurrency: true }, async (t) => {
  await Promise.all(
    streamsStories.map(({ name, tell }, index) =>
      t.test(name, async () => {
        const [theirs, ours] = [apache.port, odradek.kafkaPort].map((port) => new StreamsStory(port, `story-${index}`));
        await Promise.all(
          [theirs!, ours!].map(async (story) => {
            await story.learnTopics();
            await tell(story);
          }),
        );
        for (const [step, told] of theirs!.transcript.entries()) assert.deepEqual(ours!.transcript[step], told);
        assert.equal(ours!.transcript.length, theirs!.transcript.length);
        assert.deepEqual(await ours!.records(), await theirs!.records());
        for (const [key, versions] of ours!.spoken) {
          for (const version of versions) spoken.set(key, (spoken.get(key) ?? new Set()).add(version));
        }
      }),
    ),
  );
});

test('what the table of COMPATIBILITY.md takes from here was compared', () => {
  const fromHere = comparedWith4.filter(({ name }) => name.startsWith('lives of streams groups'));
  assert.ok(fromHere.length > 0);
  for (const { apiKey, versions } of fromHere) {
    for (const version of versions) assert.ok(spoken.get(apiKey)?.has(version), `api key ${apiKey} version ${version}`);
  }
});
