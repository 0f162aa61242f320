/** Generated sequences over several sessions: every reply and every watch event of ours is the one of Apache 3.9.4. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { zooCfg } from '../../src/config/zoo-cfg.ts';
import { nodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { SimRandom } from '../../src/runtime/sim/sim-random.ts';
import { startZookeeper } from '../../src/zookeeper/ensemble/start-zookeeper.ts';
import { EventType } from '../../src/zookeeper/jute/events.ts';
import { OpCode, opCodeName } from '../../src/zookeeper/jute/op-codes.ts';
import { requestFrame } from '../../src/zookeeper/server/testkit/raw-client.ts';
import { create, exists, remove, type TestRequest } from '../../src/zookeeper/server/testkit/requests.ts';
import { chosen } from './breadth.ts';
import { startApacheZookeeper } from './peers/apache-zookeeper.ts';
import { until } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';
import { Player, type PlayStep, type Watches } from './zookeeper/player.ts';
import { addWatch, createTtl, createWith, openAcl, RequestGenerator } from './zookeeper/requests.ts';

const SESSIONS = 4;
const STEPS = 900;
const SEEDS = chosen([1, 9] as const, (seed) => seed === 9);

const runtime = nodeRuntime({ logLevel: 'off' });
const shared = {
  enforceQuota: 'true',
  extendedTypesEnabled: 'true',
  tickTime: 2000,
  maxClientCnxns: 0,
  'DigestAuthenticationProvider.superDigest': 'super:D/InIHSb7yEEbrWz8b9l71RjZJU=',
} as const;
/** Containers stay: their end would come at any time. */
const properties = { 'znode.container.checkIntervalMs': '3600000' };

function watchesOf(random: SimRandom, generator: RequestGenerator): Watches {
  const paths = () => Array.from({ length: random.below(4) }, () => generator.path());
  return {
    withPersistent: random.chance(1 / 2),
    behind: random.pick([0, 1, 3, 10, 1000]),
    dataWatches: paths(),
    existWatches: paths(),
    childWatches: paths(),
    persistentWatches: paths(),
    persistentRecursiveWatches: paths(),
  };
}

function drawSteps(seed: number, count: number): PlayStep[] {
  const random = new SimRandom(`generated differential ${seed}`);
  const generator = new RequestGenerator(random.fork('requests'));
  return Array.from({ length: count }, (): PlayStep => {
    const session = random.below(SESSIONS);
    const choice = random.fraction();
    if (choice < 0.02) return { kind: 'close', session };
    if (choice < 0.05) {
      const watches = random.chance(2 / 3) ? watchesOf(random, generator) : undefined;
      return { kind: 'reconnect', session, password: random.chance(1 / 3) ? 'wrong' : 'right', watches };
    }
    if (choice < 0.07) {
      const [scheme, credentials] = random.pick([
        ['digest', 'bob:bobsecret'],
        ['digest', 'bob:other'],
        ['digest', 'super:test'],
        ['ip', ''],
        ['digest', 'nocolon'],
        ['none', 'x'],
      ] as const);
      return { kind: 'auth', session, scheme, credentials };
    }
    return { kind: 'request', session, request: generator.any() };
  });
}

const shown = (value: unknown): string =>
  JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? String(each) : each));

/** With the bytes of a request. */
function described(step: PlayStep): string {
  if (step.kind !== 'request') return shown(step);
  const body = Buffer.from(requestFrame(0, step.request.type, step.request.body)).subarray(12);
  return `session ${step.session} sends ${opCodeName(step.request.type)} ${JSON.stringify(body.toString('latin1'))}`;
}

async function startBoth(
  t: TestContext,
  systemProperties: Readonly<Record<string, string>>,
  keys: Readonly<Record<string, string>> = {},
): Promise<[Player, Player]> {
  const apache = await startApacheZookeeper({
    version: '3.9.4',
    dataDir: tempDir(),
    config: { ...shared, ...keys },
    properties: systemProperties,
  });
  t.after(() => apache.stop());
  const config = { dataDir: tempDir(), clientPort: 0, clientPortAddress: '127.0.0.1', ...shared, ...keys };
  const ours = await startZookeeper(runtime, zooCfg(config, systemProperties));
  t.after(() => ours.close());
  const players: [Player, Player] = [new Player(runtime, apache.port), new Player(runtime, ours.clientAddress.port)];
  t.after(() => {
    for (const player of players) player.close();
  });
  return players;
}

test('generated sequences are answered as Apache 3.9.4 answers them', async (t) => {
  for (const seed of SEEDS) {
    await t.test(`seed ${seed}`, async (each) => {
      const [apache, ours] = await startBoth(each, properties);
      const steps = drawSteps(seed, STEPS);
      const theirs = await apache.play(SESSIONS, steps);
      const mine = await ours.play(SESSIONS, steps);
      for (const [index, step] of steps.entries()) {
        assert.equal(shown(mine[index]), shown(theirs[index]), `step ${index} of seed ${seed}: ${described(step)}`);
      }
    });
  }
});

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
