/**
 * Kafka Streams with `processing.guarantee=exactly_once_v2`: each word counted once and each pair joined once, though the
 * application and the broker are killed amid the work.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { chosen } from './breadth.ts';
import { ask } from './differential/raw-client.ts';
import { SHORT_SESSION, startOdradek } from './odradek.ts';
import { startApacheKafka } from './peers/apache-kafka.ts';
import { freePort } from './peers/free-port.ts';
import { javaLine } from './peers/java.ts';
import { type Service, startService, until } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';
import { kcat } from './peers/tools.ts';

type Broker = Service & { readonly bootstrap: string };

interface Server {
  readonly bootstrap: string;
  readonly port: number;
  /** kill -9, and back at the same address. */
  restart(): Promise<void>;
}

const settings = {
  'offsets.topic.num.partitions': '3',
  'transaction.state.log.num.partitions': '3',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '500',
  'group.min.session.timeout.ms': '500',
  'group.initial.rebalance.delay.ms': '0',
};

/** Of groups that speak the protocol of KIP-1071: the broker sets their times. */
const streamsSettings = {
  'group.streams.initial.rebalance.delay.ms': '0',
  'group.streams.min.session.timeout.ms': '1000',
  'group.streams.session.timeout.ms': '2000',
  'group.streams.min.heartbeat.interval.ms': '100',
  'group.streams.heartbeat.interval.ms': '300',
};

const servers: Readonly<Record<string, (t: TestContext) => Promise<Server>>> = {
  'our broker': async (t) => {
    const ports = { kafkaPort: await freePort(), zookeeperPort: await freePort() };
    const spec = { dir: tempDir(), kafka: { ...SHORT_SESSION, ...settings, ...streamsSettings }, ...ports };
    let service = await startOdradek(spec);
    t.after(() => service.kill());
    return {
      bootstrap: service.bootstrap,
      port: service.kafkaPort,
      async restart() {
        await service.kill();
        service = await startOdradek(spec);
      },
    };
  },
  'Apache’s broker 3.9.1': async (t) => {
    const zookeeper = await startOdradek({ dir: tempDir(), withoutKafka: true });
    t.after(() => zookeeper.kill());
    const options = {
      version: '3.9.1',
      zookeeperConnect: zookeeper.zookeeper,
      logDir: tempDir(),
      port: await freePort(),
      overrides: { ...settings, 'zookeeper.session.timeout.ms': 2000 },
    } as const;
    let service: Broker & { readonly port: number } = await startApacheKafka(options);
    t.after(() => service.kill());
    return {
      bootstrap: service.bootstrap,
      port: service.port,
      async restart() {
        await service.kill();
        service = await startApacheKafka(options);
      },
    };
  },
};

const PARTITIONS = 2;
const WORDS = ['a', 'b', 'c', 'd', 'e'];

/** How the threads of the application share its tasks. */
type Protocol = 'classic' | 'streams';

class Application {
  #service: Service | undefined;
  readonly #bootstrap: string;
  readonly #stateDir: string;
  readonly #logFile: string;
  readonly #protocol: Protocol;

  constructor(bootstrap: string, stateDir: string, protocol: Protocol) {
    this.#protocol = protocol;
    this.#bootstrap = bootstrap;
    this.#stateDir = stateDir;
    this.#logFile = join(stateDir, 'application.log');
  }

  get output(): string {
    return readFileSync(this.#logFile, 'utf8');
  }

  async start(): Promise<void> {
    const program = join(import.meta.dirname, 'clients', 'StreamsCounts.java');
    const peer = this.#protocol === 'streams' ? 'kafka-streams-4.4.0' : 'kafka-streams-3.9.1';
    const { args } = await javaLine(peer, program, [this.#bootstrap, this.#stateDir, this.#protocol], { heapMiB: 192 });
    this.#service = startService('java', args, { logFile: this.#logFile });
  }

  kill(): Promise<void> {
    return this.#service?.kill() ?? Promise.resolve();
  }

  async stop(): Promise<void> {
    await this.#service?.stop();
  }

  assertAlive(): void {
    assert.ok(this.#service?.alive(), this.output);
  }
}

/** The first offsets, or the ends for readers of committed or of all records, summed over the partitions of a topic. */
async function offsets(server: Server, topic: string, which: 'first' | 'stable' | 'end'): Promise<number> {
  const partitions = Array.from({ length: PARTITIONS }, (_, partitionIndex) => ({
    partitionIndex,
    currentLeaderEpoch: -1,
    timestamp: which === 'first' ? -2 : -1,
  }));
  const answer = await ask(server.port, 2, 6, {
    replicaId: -1,
    isolationLevel: which === 'stable' ? 1 : 0,
    topics: [{ name: topic, partitions }],
  });
  if (answer === 'closed') return -1;
  const [found] = answer.topics as { partitions: { offset: number }[] }[];
  return (found?.partitions ?? []).reduce((sum, { offset }) => sum + offset, 0);
}

async function feed(server: Server, topic: string, records: readonly string[]): Promise<void> {
  const { code, stderr } = await kcat(
    ['-P', '-b', server.bootstrap, '-t', topic, '-K', '=', '-X', 'enable.idempotence=true'],
    { stdin: records.map((record) => `${record}\n`).join('') },
  );
  assert.equal(code, 0, stderr);
}

/** What a reader of committed records finds, as key=value. */
async function read(server: Server, topic: string): Promise<readonly string[]> {
  const { code, stdout, stderr } = await kcat([
    ...['-C', '-b', server.bootstrap, '-t', topic, '-o', 'beginning', '-e', '-q', '-f', '%k=%s\n'],
    ...['-X', 'isolation.level=read_committed'],
  ]);
  assert.equal(code, 0, stderr);
  return stdout.split('\n').filter((line) => line !== '');
}

const numbers = (from: number, count: number): readonly number[] => Array.from({ length: count }, (_, at) => from + at);

/** Two words a line, in turn. */
const lines = (from: number, count: number): readonly string[] =>
  numbers(from, count).map((at) => `${at}=${WORDS[at % WORDS.length]} ${WORDS[(at + 1) % WORDS.length]}`);

const side = (name: string, from: number, count: number): readonly string[] =>
  numbers(from, count).map((at) => `${at}=${name}${at}`);

async function policies(server: Server, topics: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const answer = await ask(server.port, 32, 4, {
    resources: topics.map((resourceName) => ({
      resourceType: 2,
      resourceName,
      configurationKeys: ['cleanup.policy', 'retention.ms'],
    })),
  });
  assert.notEqual(answer, 'closed');
  const { results } = answer as { results: { resourceName: string; configs: { name: string; value: string }[] }[] };
  return Object.fromEntries(
    results.map(({ resourceName, configs }) => {
      const values = [...configs].sort((one, other) => (one.name < other.name ? -1 : 1)).map(({ value }) => value);
      return [resourceName, values.join(' ')];
    }),
  );
}

/** What Streams asks for: see its InternalTopicConfig and the classes below that. */
const internalTopics = {
  'counter-words-repartition': 'delete -1',
  'counter-counts-changelog': 'compact 604800000',
  'counter-pairs-this-join-store-changelog': 'delete 93600000',
  'counter-pairs-other-join-store-changelog': 'delete 93600000',
};

/** `elsewhere`: after its death the application starts with an empty state directory, as on another machine. */
async function story(
  t: TestContext,
  server: Server,
  { elsewhere, protocol }: { readonly elsewhere: boolean; readonly protocol: Protocol },
): Promise<void> {
  let application = new Application(server.bootstrap, tempDir(), protocol);
  t.after(() => application.kill());
  const topics = ['lines', 'left', 'right', 'counts', 'joined'].map((name) => ({
    name,
    numPartitions: PARTITIONS,
    replicationFactor: 1,
    assignments: [],
    configs: [],
  }));
  await ask(server.port, 19, 4, { topics, timeoutMs: 60_000 });
  const see = async (what: string, probe: () => Promise<boolean>, everyMs = 25): Promise<void> => {
    const seen = async () => {
      application.assertAlive();
      return (await probe()) || undefined;
    };
    await until(what, seen, { everyMs }).catch((error) => assert.fail(`${error}\n${application.output}`));
  };
  let fed = 0;
  const feedLines = async (count: number): Promise<void> => {
    await feed(server, 'lines', lines(fed, count));
    fed += count;
  };
  /**
   * The moment to kill something: there are as many offsets, and records in an open transaction behind them. One transaction may
   * have taken all there was, so more lines come until it is seen.
   */
  const amid = (atLeast: number): Promise<void> =>
    see(`${atLeast} offsets of counts, and an open transaction`, async () => {
      const end = await offsets(server, 'counts', 'end');
      if (end >= 2 * fed) await feedLines(50);
      const stable = await offsets(server, 'counts', 'stable'); // asked for afterwards: what stands between is not committed
      return stable >= atLeast && end > stable + 5;
    });
  await Promise.all([feedLines(500), feed(server, 'left', side('l', 0, 200))]);
  await application.start();
  await amid(100);
  await application.kill();
  await Promise.all([feedLines(500), feed(server, 'right', side('r', 0, 100))]);
  if (elsewhere) application = new Application(server.bootstrap, tempDir(), protocol);
  await application.start();
  await amid(1100);
  await server.restart();
  application.assertAlive();
  await feed(server, 'right', side('r', 100, 100));
  await feedLines(5);
  await see(
    'all',
    async () => {
      const [counts, joined] = await Promise.all([read(server, 'counts'), read(server, 'joined')]);
      return counts.length >= 2 * fed && joined.length >= 200;
    },
    500,
  );
  await see('what was counted is deleted', async () => {
    return (await offsets(server, 'counter-words-repartition', 'first')) > 2000;
  });
  await application.stop();
  assert.deepEqual(await policies(server, Object.keys(internalTopics)), internalTopics);
  const counts = await read(server, 'counts');
  for (const word of WORDS) {
    const mine = counts.filter((line) => line.startsWith(`${word}=`));
    assert.deepEqual(
      mine,
      numbers(1, (2 * fed) / WORDS.length).map((count) => `${word}=${count}`),
    );
  }
  assert.deepEqual(
    [...(await read(server, 'joined'))].sort(),
    numbers(0, 200)
      .map((at) => `${at}=l${at}+r${at}`)
      .sort(),
  );
}

const rows = Object.keys(servers).flatMap((name) => [false, true].map((elsewhere) => ({ name, elsewhere })));

for (const { name, elsewhere } of chosen(rows, (row) => row.name === 'our broker' && !row.elsewhere)) {
  const place = elsewhere ? ', the application elsewhere afterwards' : '';
  test(`Kafka Streams 3.9.1 counts and joins exactly once on ${name}, over kill -9 of both${place}`, async (t) => {
    await story(t, await (servers[name] as (typeof servers)[string])(t), { elsewhere, protocol: 'classic' });
  });
}

for (const elsewhere of chosen([false, true], () => false)) {
  const place = elsewhere ? ', the application elsewhere afterwards' : '';
  test(`Kafka Streams 4.4.0 with group.protocol=streams does so on our broker${place}`, async (t) => {
    const ours = servers['our broker'] as (typeof servers)[string];
    await story(t, await ours(t), { elsewhere, protocol: 'streams' });
  });
}
