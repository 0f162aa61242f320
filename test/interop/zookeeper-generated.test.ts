/** Generated sequences over several sessions: every reply and every watch event of ours is the one of Apache 3.9.4. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { EventType } from '../../src/zookeeper/jute/events.ts';
import { OpCode } from '../../src/zookeeper/jute/op-codes.ts';
import { create, exists, remove, type TestRequest } from '../../src/zookeeper/server/testkit/requests.ts';
import { chosen, fullTest } from './breadth.ts';
import { until } from './peers/process.ts';
import { firstDifference, firstDifferenceInEnsembles, startPair } from './zookeeper/pair.ts';
import type { Player, PlayStep } from './zookeeper/player.ts';
import { addWatch, createTtl, createWith, openAcl } from './zookeeper/requests.ts';
import { shown } from './zookeeper/transcript.ts';

const STEPS = 900;
const SEEDS = chosen([1, 9] as const, (seed) => seed === 9);

test('generated sequences are answered as Apache 3.9.4 answers them', async (t) => {
  for (const seed of SEEDS) {
    await t.test(`seed ${seed}`, async () => assert.equal(await firstDifference(seed, STEPS), undefined));
  }
});

fullTest(
  'generated sequences at a leader, two followers and an observer are answered as Apache 3.9.4 answers them',
  async (t) => {
    assert.equal(await firstDifferenceInEnsembles(t, 1, 150), undefined);
  },
);

test('containers and nodes whose time is over end as they do at Apache 3.9.4, and those who watch are told the same', async (t) => {
  const players = await startBoth(t, { 'znode.container.checkIntervalMs': '100' });
  const by = (session: number, request: PlayStep & { kind: 'request' }): PlayStep => ({ ...request, session });
  const asked = (request: TestRequest): PlayStep & { kind: 'request' } => ({ kind: 'request', session: 0, request });
  const transcripts: string[] = [];
  for (const player of players) {
    const heard = await player.play(2, [
      asked(create('/c')),
      by(1, asked(addWatch('/c', 1))),
      asked(createWith(OpCode.createContainer, '/c/never', 'x', openAcl, 4)),
      asked(createWith(OpCode.createContainer, '/c/box', 'x', openAcl, 4)),
      asked(exists('/c/box', true)),
      asked(create('/c/box/in')),
      asked(remove('/c/box/in')),
    ]);
    heard.push(
      await player.told(0, '/c/box', EventType.NodeDeleted),
      await player.told(1, '/c/box', EventType.NodeDeleted),
    );
    heard.push(await player.play(2, [asked(createTtl('/c/ttl', 'x', openAcl, 5, 1)), asked(exists('/c/none'))]));
    heard.push(await player.told(1, '/c/ttl', EventType.NodeCreated));
    await until('the end of /c/ttl', async () => (await player.children('/c')) === 'never' || undefined);
    heard.push(await player.children('/c'));
    transcripts.push(shown(heard.map((each) => withoutEndsIn(['/c/box', '/c/ttl'], withoutZxids(each)))));
  }
  assert.equal(transcripts[1], transcripts[0]);
});

test('a standalone server has neither local sessions nor a read-only mode, ours and Apache 3.9.4', async (t) => {
  const keys = { localSessionsEnabled: 'true', localSessionsUpgradingEnabled: 'true' };
  const players = await startBoth(t, { 'readonlymode.enabled': 'true' }, keys);
  const asked = (session: number, request: TestRequest): PlayStep => ({ kind: 'request', session, request });
  const transcripts: string[] = [];
  for (const player of players) {
    const heard = await player.play(2, [
      asked(0, create('/e', 'x', 1)),
      asked(1, exists('/e')),
      { kind: 'close', session: 0 },
      asked(1, exists('/e')),
      asked(1, create('/last')),
    ]);
    // Two sessions, the node, an end, another session, a node: had a session been local, its transaction were missing.
    assert.match(shown(heard.at(-1)), /"zxid":"6"/);
    transcripts.push(shown(heard));
  }
  assert.equal(transcripts[1], transcripts[0]);
});

async function startBoth(t: TestContext, ...settings: Parameters<typeof startPair>): Promise<[Player, Player]> {
  const pair = await startPair(...settings);
  t.after(() => pair.close());
  return [pair.apache, pair.ours];
}

/** The server's own transactions come at any time. */
function withoutZxids(heard: unknown): unknown {
  return JSON.parse(shown(heard), (key, value) => (/zxid$/i.test(key) ? undefined : value)) as unknown;
}

/** Without the events in the answers' order that say that a node is gone: the server's own time decides where they stand. */
function withoutEndsIn(paths: readonly string[], heard: unknown): unknown {
  const isEnd = (event: { type: number; path: string } | undefined): boolean =>
    event?.type === EventType.NodeDeleted && paths.includes(event.path);
  return JSON.parse(shown(heard), (_, value) =>
    Array.isArray(value) ? value.filter((each) => !isEnd(each?.event)) : value,
  ) as unknown;
}
