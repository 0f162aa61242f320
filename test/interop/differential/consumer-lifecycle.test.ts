/**
 * Whole lives of groups of the consumer protocol (KIP-848), told to Apache's broker 4.4.0 and to ours: the same answers, and the same
 * records in `__consumer_offsets`.
 */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ZERO_UUID } from '../../../src/wire/schema.ts';
import { type Odradek, startOdradek } from '../odradek.ts';
import type { ApacheKafka } from '../peers/apache-kafka.ts';
import { startApacheKraft } from '../peers/apache-kraft.ts';
import { until } from '../peers/process.ts';
import { tempDir } from '../peers/temp-dir.ts';
import { TooLate } from '../security/sasl-stories.ts';
import { type NewestWorld, newestCases } from './cases-newest.ts';
import { comparedWith4 } from './compared-with-4.ts';
import { consumerStories, type Story } from './consumer-stories.ts';
import { ConsumerStory, OFFSETS_PARTITIONS } from './consumer-story.ts';
import { topicsAndGroupsReady } from './groups-ready.ts';
import { normalise } from './normalise.ts';
import { type Answer, ask } from './raw-client.ts';
import { telemetryTranscript } from './telemetry-story.ts';

let apache: ApacheKafka;
let odradek: Odradek;

before(async () => {
  const dir = tempDir();
  const settings = {
    'offsets.topic.num.partitions': String(OFFSETS_PARTITIONS),
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    'group.consumer.max.size': '3',
    'group.consumer.assignment.interval.ms': '0',
    // Long, as whatever must not run out within a story; what must is configured for its group alone.
    'group.consumer.session.timeout.ms': '60000',
    'group.consumer.heartbeat.interval.ms': '15000',
    'group.consumer.min.session.timeout.ms': '1000',
    'group.consumer.min.heartbeat.interval.ms': '500',
  };
  [apache, odradek] = await Promise.all([
    startApacheKraft({ logDir: join(dir, 'apache'), overrides: settings }),
    startOdradek({ dir, kafka: settings }),
  ]);
  for (const port of [apache.port, odradek.kafkaPort]) {
    await topicsAndGroupsReady(port, { t: 4, u: 2 });
  }
});

after(async () => {
  await odradek?.kill();
  await apache?.kill();
});

const spoken = new Map<number, Set<number>>();

for (const [index, { name, tell }] of consumerStories.entries()) {
  test(name, async () => {
    const [theirs, ours] = await until(`${name}, in time`, () => toldInTime(`story-${index}`, tell));
    assert.deepEqual(ours!.transcript, theirs!.transcript);
    assert.deepEqual(await ours!.records(), await theirs!.records());
    for (const [key, versions] of ours!.spoken) {
      for (const version of versions) spoken.set(key, (spoken.get(key) ?? new Set()).add(version));
    }
  });
}

let tellings = 0;

/** To both, of a new group; undefined where the machine was too slow for it. */
async function toldInTime(group: string, tell: Story['tell']): Promise<ConsumerStory[] | undefined> {
  tellings += 1;
  const pair = [apache.port, odradek.kafkaPort].map((port) => new ConsumerStory(port, `${group}-${tellings}`));
  const told = await Promise.allSettled(
    pair.map(async (story) => {
      await story.learnTopics();
      await tell(story);
    }),
  );
  const failures = told.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  for (const failure of failures) if (!(failure instanceof TooLate)) throw failure;
  return failures.length === 0 ? pair : undefined;
}

test('requests in versions that Apache 3.9.1 does not serve are answered alike', async () => {
  const sides = await Promise.all([apache.port, odradek.kafkaPort].map(newestSide));
  for (const { apiKey, name, versions, request } of newestCases) {
    for (const version of versions) {
      const [theirs, ours] = await Promise.all(
        sides.map(async ({ port, world }) => normalise(await ask(port, apiKey, version, request(version, world)))),
      );
      assert.deepEqual(ours, theirs, `api key ${apiKey} version ${version}: ${name}`);
    }
  }
});

test('clients that ask for subscriptions of metrics, and push some, are answered alike', async () => {
  const [theirs, ours] = await Promise.all([apache.port, odradek.kafkaPort].map(telemetryTranscript));
  assert.deepEqual(ours, theirs);
});

/** With a coordinator of transactions. */
async function newestSide(port: number): Promise<{ readonly port: number; readonly world: NewestWorld }> {
  await until('the coordinator of transactions', async () => {
    const found = (await ask(port, 10, 1, { key: 'any', keyType: 1 })) as Answer;
    const listed = (await ask(port, 66, 0, {})) as Answer;
    return found.errorCode === 0 && listed.errorCode === 0 ? true : undefined;
  });
  const { topics } = (await ask(port, 3, 12, { topics: [{ name: 't', topicId: ZERO_UUID }] })) as unknown as {
    readonly topics: readonly { readonly topicId: string }[];
  };
  return { port, world: { topicId: topics[0]!.topicId } };
}

test('what the table of COMPATIBILITY.md takes from here was compared', () => {
  const fromHere = comparedWith4.filter(({ name }) => name.startsWith('lives of groups'));
  for (const { apiKey, versions } of fromHere) {
    for (const version of versions) assert.ok(spoken.get(apiKey)?.has(version), `api key ${apiKey} version ${version}`);
  }
});
