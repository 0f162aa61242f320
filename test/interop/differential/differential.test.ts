/** The same raw request to Apache's broker 3.9.1 and to ours, in every version that both advertise; the answers compared. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { slicesOf } from '../../../src/base/slices.ts';
import { apiInfos } from '../../../src/kafka/protocol/api-keys.ts';
import { buildBatch } from '../../../src/kafka/records/builder.ts';
import { ZERO_UUID } from '../../../src/wire/schema.ts';
import { type Odradek, startOdradek } from '../odradek.ts';
import { type ApacheKafka, LATE_TASKS, startApacheKafka } from '../peers/apache-kafka.ts';
import { type ApacheZookeeper, startApacheZookeeper } from '../peers/apache-zookeeper.ts';
import { kafkaTool } from '../peers/kafka-tools.ts';
import { until } from '../peers/process.ts';
import { tempDir } from '../peers/temp-dir.ts';
import { stories, transcriptOf } from './admin-stories.ts';
import { outcomeOf, toolSteps } from './admin-tools.ts';
import { cases, type World } from './cases.ts';
import { runSeed, sharedVersions } from './generated/run.ts';
import { normalise } from './normalise.ts';
import { type Answer, ask } from './raw-client.ts';
import { spoiledBatches } from './spoiled-streams.ts';

interface Side {
  readonly port: number;
  readonly versions: ReadonlyMap<number, readonly [number, number]>;
  readonly world: World;
}

interface Produced {
  readonly responses: readonly { readonly partitionResponses: readonly { readonly errorCode: number }[] }[];
}
/** UNKNOWN_TOPIC_OR_PARTITION, LEADER_NOT_AVAILABLE, NOT_LEADER_OR_FOLLOWER. */
const notYetLeader: ReadonlySet<number> = new Set([3, 5, 6]);

let zookeeper: ApacheZookeeper;
let apache: ApacheKafka;
let odradek: Odradek;
let theirs: Side;
let ours: Side;

before(async () => {
  const dir = tempDir();
  zookeeper = await startApacheZookeeper({ version: '3.9.4', dataDir: join(dir, 'apache-zookeeper') });
  const settings = {
    'offsets.topic.num.partitions': '5',
    'offsets.topic.replication.factor': '1',
    'group.initial.rebalance.delay.ms': '0',
    'transaction.state.log.num.partitions': '5',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    // Records of the tests are of 2023.
    'log.retention.ms': '-1',
  };
  [apache, odradek] = await Promise.all([
    startApacheKafka({
      version: '3.9.1',
      zookeeperConnect: zookeeper.connect,
      logDir: join(dir, 'apache'),
      brokerId: 0,
      overrides: { ...settings, ...LATE_TASKS },
    }),
    startOdradek({ dir, kafka: settings }),
  ]);
  theirs = await prepare(apache.port);
  ours = await prepare(odradek.kafkaPort);
});

after(async () => {
  await odradek?.kill();
  await apache?.kill();
  await zookeeper?.kill();
});

async function prepare(port: number): Promise<Side> {
  const bootstrap = `127.0.0.1:${port}`;
  for (const topic of ['diff', 'diff2', 'produced', 'marked', 'spoiled']) {
    const created = await kafkaTool('kafka-topics', '3.9.1', [
      '--bootstrap-server',
      bootstrap,
      '--create',
      '--topic',
      topic,
    ]);
    assert.equal(created.code, 0, created.stderr);
  }
  for (const [index, value] of ['one', 'two', 'three'].entries()) {
    const record = { timestamp: 1_700_000_000_000 + index, key: null, value: Buffer.from(value) };
    const partitionData = [{ index: 0, records: buildBatch({ records: [record] }) }];
    const topicData = [{ name: 'diff', topicId: ZERO_UUID, partitionData }];
    // A topic is created before its broker leads it: until then nothing is stored.
    await until('the leader of the topic', async () => {
      const sent = (await ask(port, 0, 7, { acks: -1, timeoutMs: 10_000, topicData })) as unknown as Produced;
      const errorCode = sent.responses[0]?.partitionResponses[0]?.errorCode;
      if (errorCode !== 0) assert.ok(notYetLeader.has(errorCode ?? -1), `error ${errorCode}`);
      return errorCode === 0 ? sent : undefined;
    });
  }
  for (const [apiKey, version, request] of [
    [10, 1, { key: 'group', keyType: 0 }],
    [16, 0, {}],
    [10, 1, { key: 'id', keyType: 1 }],
    [66, 0, {}],
  ] as const) {
    await until('the coordinators of groups and transactions', async () => {
      const answer = (await ask(port, apiKey, version, request)) as Answer;
      return answer.errorCode === 0 ? answer : undefined;
    });
  }
  const advertised = (await ask(port, 18, 0, {})) as {
    apiKeys: { apiKey: number; minVersion: number; maxVersion: number }[];
  };
  const metadata = (await ask(port, 3, 12, {
    topics: ['diff', 'produced'].map((name) => ({ name, topicId: ZERO_UUID })),
  })) as {
    topics: { name: string; topicId: string }[];
  };
  const idOf = (name: string): string => metadata.topics.find((topic) => topic.name === name)?.topicId ?? '';
  // The first producer id has to be fetched: Apache answers COORDINATOR_LOAD_IN_PROGRESS meanwhile.
  await until('a block of producer ids', async () => {
    const given = (await ask(port, 22, 0, { transactionalId: null, transactionTimeoutMs: 60_000 })) as Answer;
    return given.errorCode === 0 ? given : undefined;
  });
  return {
    port,
    versions: new Map(
      advertised.apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, [minVersion, maxVersion]]),
    ),
    world: { topicId: idOf('diff'), producedId: idOf('produced') },
  };
}

for (const { apiKey, name, request, except = [], closes = false } of cases) {
  const api = apiInfos.get(apiKey)?.name ?? String(apiKey);
  test(`${api}: ${name}`, async () => {
    const [first, last] = ours.versions.get(apiKey) ?? [0, -1];
    assert.ok(last >= first, `${api} is advertised`);
    const [, lastOfTheirs] = theirs.versions.get(apiKey) ?? [0, -1];
    for (let version = first; version <= last; version += 1) {
      const own = await ask(ours.port, apiKey, version, request(version, ours.world));
      assert.equal(own === 'closed', closes, `${api} v${version} is answered`);
      if (version > lastOfTheirs || except.includes(version)) continue; // newer than Apache's last ZooKeeper broker
      const other = await ask(theirs.port, apiKey, version, request(version, theirs.world));
      assert.deepEqual(normalise(own), normalise(other), `${api} v${version}`);
    }
  });
}

/** Longer ones, and others: `npm run test:differential`. */
const GENERATED = { seeds: [1, 2, 3, 4], steps: 250 } as const;
for (const seed of GENERATED.seeds) {
  test(`generated sequences of requests are answered alike (seed ${seed})`, async () => {
    const ports = { apache: theirs.port, ours: ours.port };
    assert.equal(await runSeed(ports, await sharedVersions(ports), seed, GENERATED.steps), undefined);
  });
}

test('compressed batches whose stream is not right are refused with the same error, or stored alike', async () => {
  const produce = async (port: number, bytes: Buffer): Promise<unknown> => {
    const topicData = [
      { name: 'spoiled', topicId: ZERO_UUID, partitionData: [{ index: 0, records: slicesOf(Buffer.from(bytes)) }] },
    ];
    return normalise(await ask(port, 0, 8, { acks: -1, timeoutMs: 10_000, topicData }));
  };
  const outcomes = new Map<unknown, number>();
  for (const { name, bytes } of spoiledBatches()) {
    const [wanted, got] = await Promise.all([theirs, ours].map(({ port }) => produce(port, bytes)));
    assert.deepEqual(got, wanted, name);
    const { responses } = wanted as Produced;
    const outcome = responses[0]?.partitionResponses[0]?.errorCode;
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  // UNKNOWN_SERVER_ERROR, NONE, INVALID_RECORD
  for (const outcome of [-1, 0, 87]) assert.ok((outcomes.get(outcome) ?? 0) > 50, `error ${outcome}`);
});

test('every key that both advertise has a case here', () => {
  const covered = new Set(cases.map(({ apiKey }) => apiKey));
  const APIVERSIONS = 18;
  // Apache's serves the groups of KIP-848 in KRaft alone: consumer-lifecycle.test.ts tells them to a broker of that kind.
  const elsewhere: ReadonlySet<number> = new Set([APIVERSIONS, 68, 69]);
  assert.deepEqual(
    [...ours.versions.keys()].filter((key) => theirs.versions.has(key) && !covered.has(key) && !elsewhere.has(key)),
    [],
  );
});

for (const story of stories) {
  test(story.name, async () => {
    const sides = [
      { port: theirs.port, zookeeper: zookeeper.connect },
      { port: ours.port, zookeeper: odradek.zookeeper },
    ];
    const [wanted, got] = await Promise.all(sides.map((side) => transcriptOf(story, side)));
    assert.deepEqual(got, wanted);
  });
}

for (const step of toolSteps) {
  test(`${step.tool} of ${step.version}: ${step.args}`, async () => {
    const [wanted, got] = await Promise.all([theirs, ours].map(({ port }) => outcomeOf(step, `127.0.0.1:${port}`)));
    assert.deepEqual(got, wanted);
  });
}

test('ApiVersions advertises every key of Apache’s ZooKeeper broker', () => {
  const missing = [...theirs.versions.keys()].filter((key) => !ours.versions.has(key));
  assert.deepEqual(missing, []);
});

test('ApiVersions advertises no key of Apache’s ZooKeeper broker with a narrower range', async () => {
  for (const [key, [min, max]] of ours.versions) {
    const apaches = theirs.versions.get(key);
    if (apaches === undefined) continue; // newer than Apache's last ZooKeeper broker
    const [apacheMin, apacheMax] = apaches;
    assert.ok(
      min <= apacheMin && max >= apacheMax,
      `${apiInfos.get(key)?.name}: ${min}-${max} against ${apacheMin}-${apacheMax}`,
    );
  }
  const unknown = await ask(ours.port, 18, 4, { clientSoftwareName: '-bad-', clientSoftwareVersion: '1' });
  const theirAnswer = await ask(theirs.port, 18, 4, { clientSoftwareName: '-bad-', clientSoftwareVersion: '1' });
  assert.deepEqual(normalise(unknown), normalise(theirAnswer));
});
