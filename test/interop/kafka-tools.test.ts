/** Our command-line tools beside Apache's: the same commands give the same lines and exit codes. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { chosen } from './breadth.ts';
import { ask } from './differential/raw-client.ts';
import { startOdradek } from './odradek.ts';
import { startApacheKafka } from './peers/apache-kafka.ts';
import { startApacheZookeeper } from './peers/apache-zookeeper.ts';
import { type KafkaToolName, kafkaTool } from './peers/kafka-tools.ts';
import { type Outcome, run, until } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';
import { ToolHost } from './peers/tool-host.ts';

interface Step {
  readonly tool: KafkaToolName;
  /** `$B`: the brokers, `$Z`: ZooKeeper with chroot, `$DIR`: a folder; one blank between arguments, `_` is a blank in one. */
  readonly args: string;
  readonly stdin?: string;
  /** What it makes of `background.threads` of a broker, or of all: brokers hear of that after it is made. */
  readonly threads?: readonly [broker: string, value: string];
  /** Differences on purpose. */
  readonly compare?: 'words' | 'sorted' | 'code';
}

type Version = '2.1.0' | '3.9.1';
const kindsOfBroker = ['apache', 'odradek'] as const;
type Kind = (typeof kindsOfBroker)[number];

interface Side {
  readonly bootstrap: string;
  readonly zookeeper: string;
}

const launcher = (tool: string): string => fileURLToPath(new URL(`../../bin/${tool}.sh`, import.meta.url));

function argsFor(step: Step, side: Side, dir: string): string[] {
  return step.args
    .split(' ')
    .filter((arg) => arg !== '')
    .map((arg) =>
      arg.replace('$B', side.bootstrap).replace('$Z', side.zookeeper).replace('$DIR', dir).replaceAll('␣', ' '),
    );
}

/** What differs from run to run, and what is ours to word: stack traces and the tables of options. */
function comparable(text: string, side: Side): string {
  return text
    .replaceAll(side.bootstrap, '$B')
    .replaceAll(side.zookeeper, '$Z')
    .replace(/^Option {3}[\s\S]*/m, '<table>\n')
    .replace(/^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\]/gm, '[time]')
    .replace(/^(\t(at |\.\.\. ).*|Caused by: .*)\n/gm, '')
    .replace(/(TopicId: )[\w-]{22}/g, '$1<id>')
    .replace(/(CreateTime:)\d+/g, '$1<time>')
    .replace(/(console-consumer)-\d+/g, '$1-<number>')
    .replace(
      /Configs:( ?)(\S*)/g,
      (_, blank: string, configs: string) => `Configs:${blank}${configs.split(',').sort().join(',')}`,
    )
    .trimEnd();
}

/** The order of rows is that of Java's hash maps there, and by name here. */
function arranged(text: string, compare: Step['compare']): string {
  if (compare === 'words') return text.split(/\s+/).sort().join(' ');
  return compare === 'sorted' ? text.split('\n').sort().join('\n') : text;
}

function view({ code, stdout, stderr }: Outcome, side: Side, compare: Step['compare']): object {
  if (compare === 'code') return { code };
  return {
    code,
    stdout: arranged(comparable(stdout, side), compare),
    stderr: arranged(comparable(stderr, side), compare),
  };
}

interface Sides {
  /** Apache's broker of the same release, for Apache's tools. */
  readonly theirs: Side;
  /** For ours: Apache's broker and our own. */
  readonly ours: Readonly<Record<Kind, Side>>;
}

async function startSides(t: TestContext, version: Version): Promise<Sides> {
  const dir = tempDir();
  const zookeeper = await startApacheZookeeper({ version: '3.9.4', dataDir: join(dir, 'zookeeper') });
  t.after(() => zookeeper.kill());
  const start = async (name: string, kind: Kind): Promise<Side> => {
    const zookeeperConnect = `${zookeeper.connect}/${name}`;
    const broker =
      kind === 'odradek'
        ? await startOdradek({ dir: tempDir(), zookeeperConnect })
        : await startApacheKafka({ version, zookeeperConnect, logDir: join(dir, name) });
    t.after(() => broker.kill());
    return { bootstrap: broker.bootstrap, zookeeper: zookeeperConnect };
  };
  const [theirs, apache, odradek] = await Promise.all([
    start('theirs', 'apache'),
    start('apache', 'apache'),
    start('odradek', 'odradek'),
  ]);
  return { theirs, ours: { apache, odradek } };
}

interface Comparison {
  readonly version: Version;
  readonly name: string;
  readonly steps: readonly Step[];
}

type ApacheTool = (tool: KafkaToolName, args: readonly string[], options: { stdin?: string }) => Promise<Outcome>;

async function startHost(t: TestContext): Promise<ApacheTool> {
  const host = await ToolHost.start('3.9.1');
  t.after(() => host.close());
  return (tool, args, options) => host.run(tool, args, options);
}

async function compareSteps(t: TestContext, { version, steps }: Comparison, apacheTool: ApacheTool): Promise<void> {
  const { theirs, ours } = await startSides(t, version);
  const dir = tempDir();
  writeFileSync(join(dir, 'client.properties'), 'request.timeout.ms=20000\n');
  const differences: object[] = [];
  for (const step of steps) {
    const options = step.stdin === undefined ? {} : { stdin: step.stdin };
    const [wanted, ...got] = await Promise.all([
      apacheTool(step.tool, argsFor(step, theirs, dir), options),
      ...kindsOfBroker.map((kind) => run(launcher(step.tool), argsFor(step, ours[kind], dir), options)),
    ]);
    const apaches = view(wanted, theirs, step.compare);
    if (step.threads !== undefined) {
      for (const { bootstrap } of [theirs, ...Object.values(ours)]) await threadsKnown(bootstrap, step.threads);
    }
    for (const [index, outcome] of got.entries()) {
      const at = kindsOfBroker[index] as Kind;
      const seen = view(outcome, ours[at], step.compare);
      if (!isDeepStrictEqual(seen, apaches))
        differences.push({ command: `${step.tool} ${step.args}`, at, ours: seen, theirs: apaches });
    }
  }
  assert.deepEqual(differences, []);
}

async function threadsKnown(bootstrap: string, [resourceName, value]: NonNullable<Step['threads']>): Promise<void> {
  const resources = [{ resourceType: 4, resourceName, configurationKeys: ['background.threads'] }];
  await until(`${bootstrap} knows the threads`, async () => {
    const answer = await ask(Number(bootstrap.split(':')[1]), 32, 4, { resources });
    const { results } = answer as unknown as { results: { configs: { value: string | null }[] }[] };
    return results[0]?.configs[0]?.value === value ? true : undefined;
  });
}

const topics39: readonly Step[] = [
  '',
  '--bootstrap-server $B',
  '--list',
  '--bootstrap-server $B --create',
  '--bootstrap-server $B --create --list',
  '--bootstrap-server $B --create --topic a --bogus',
  '--bootstrap-server $B --desc --topic a',
  '--bootstrap-server $B --list',
  '--bootstrap-server $B --create --topic demo --partitions 3 --replication-factor 1 --config retention.ms=100000 --config cleanup.policy=compact',
  '--bootstrap-server $B --create --topic demo',
  '--bootstrap-server $B --create --topic demo --if-not-exists',
  '--bootstrap-server=$B --create --topic=a.b_c --command-config $DIR/client.properties',
  '--bootstrap-server $B --create --topic bad␣name',
  '--bootstrap-server $B --create --topic rf --replication-factor 3',
  '--bootstrap-server $B --create --topic rf --replication-factor 0',
  '--bootstrap-server $B --create --topic pz --partitions 0',
  '--bootstrap-server $B --create --topic px --partitions abc',
  '--bootstrap-server $B --create --topic ra --replica-assignment 0,0,0',
  '--bootstrap-server $B --create --topic ra2 --replica-assignment 0,0 --partitions 2',
  '--bootstrap-server $B --create --topic ra3 --replica-assignment 0:0',
  '--bootstrap-server $B --create --topic cfg --config bogus=1',
  '--bootstrap-server $B --create --topic cfg --config retention.ms=abc',
  '--bootstrap-server $B --create --topic cfg --config nonsense',
  '--bootstrap-server $B --list',
  '--bootstrap-server $B --list --topic de.*',
  '--bootstrap-server $B --list --topic zzz',
  '--bootstrap-server $B --describe --topic demo',
  '--bootstrap-server $B --describe --topic demo,ra',
  '--bootstrap-server $B --describe --topic nope',
  '--bootstrap-server $B --describe --topic nope --if-exists',
  '--bootstrap-server $B --describe --under-replicated-partitions',
  '--bootstrap-server $B --describe --topics-with-overrides',
  '--bootstrap-server $B --describe --at-min-isr-partitions --topic demo',
  '--bootstrap-server $B --list --partitions 3',
  '--bootstrap-server $B --alter --topic demo --partitions 4',
  '--bootstrap-server $B --alter --topic demo --partitions 2',
  '--bootstrap-server $B --alter --topic nope --partitions 2',
  '--bootstrap-server $B --alter --topic demo',
  '--bootstrap-server $B --alter --topic demo --partitions 5 --config a=b',
  '--bootstrap-server $B --delete',
  '--bootstrap-server $B --delete --topic ra',
  '--bootstrap-server $B --delete --topic ra',
  '--bootstrap-server $B --delete --topic nope --if-exists',
  '--version',
].map((args) => ({ tool: 'kafka-topics', args }));

const records39: readonly Step[] = [
  { tool: 'kafka-console-producer', args: '' },
  { tool: 'kafka-console-producer', args: '--bootstrap-server $B' },
  { tool: 'kafka-topics', args: '--bootstrap-server $B --create --topic plain' },
  { tool: 'kafka-topics', args: '--bootstrap-server $B --create --topic keyed --config cleanup.policy=compact' },
  { tool: 'kafka-console-producer', args: '--bootstrap-server $B --topic plain', stdin: 'one\ntwo\r\nthree' },
  {
    tool: 'kafka-console-producer',
    args: '--bootstrap-server $B --topic plain --property parse.key=true --property key.separator=:',
    stdin: 'k1:v1\nk2:v2\n',
  },
  {
    tool: 'kafka-console-producer',
    args: '--bootstrap-server $B --topic plain --property parse.key=true --property key.separator=:',
    stdin: 'k1:v1\nnokey\n',
  },
  {
    tool: 'kafka-console-producer',
    args: '--bootstrap-server $B --topic plain --property parse.key=true --property parse.headers=true --compression-codec lz4',
    stdin: 'h1:v1,h2:v2\tk3\tv3\nh:\t\t\n',
  },
  {
    tool: 'kafka-console-producer',
    args: '--bootstrap-server $B --topic plain --property parse.headers=true',
    stdin: 'k2:v2\n',
  },
  {
    tool: 'kafka-console-producer',
    args: '--bootstrap-server $B --topic plain --property parse.key=true --property null.marker=NULL',
    stdin: 'NULL\tv\nk4\tNULL\n',
  },
  { tool: 'kafka-console-producer', args: '--bootstrap-server $B --topic keyed', stdin: 'no key\n' },
  { tool: 'kafka-console-consumer', args: '' },
  { tool: 'kafka-console-consumer', args: '--bootstrap-server $B' },
  {
    tool: 'kafka-console-consumer',
    args: '--bootstrap-server $B --topic plain --timeout-ms 3000 --partition 0',
  },
  {
    tool: 'kafka-console-consumer',
    args: '--bootstrap-server $B --topic plain --from-beginning --max-messages 10 --property print.key=true --property print.timestamp=true --property print.partition=true --property print.offset=true --property print.headers=true',
  },
  {
    tool: 'kafka-console-consumer',
    args: '--bootstrap-server $B --topic plain --group g1 --from-beginning --max-messages 3',
  },
  { tool: 'kafka-console-consumer', args: '--bootstrap-server $B --topic plain --group g1 --max-messages 2' },
  {
    tool: 'kafka-console-consumer',
    args: '--bootstrap-server $B --topic plain --partition 0 --offset 1 --max-messages 1 --property print.key=true --property key.separator=|',
  },
  { tool: 'kafka-console-consumer', args: '--bootstrap-server $B --topic plain --offset 1' },
  { tool: 'kafka-console-consumer', args: '--bootstrap-server $B --topic plain --include a' },
  { tool: 'kafka-console-consumer', args: '--bootstrap-server $B --topic plain --partition 0 --offset abc' },
  { tool: 'kafka-console-consumer', args: '--bootstrap-server $B --include pl.* --group g1 --max-messages 2' },
  { tool: 'kafka-console-consumer', args: '--bootstrap-server $B --topic plain --group g1 --partition 0' },
];

const groups39: readonly Step[] = [
  { args: '' },
  { args: '--bootstrap-server $B' },
  { args: '--bootstrap-server $B --describe --group g1' },
  { args: '--bootstrap-server $B --describe --group g1 --members' },
  { args: '--bootstrap-server $B --describe --group g1 --state' },
  { args: '--bootstrap-server $B --describe --group nope' },
  { args: '--bootstrap-server $B --describe --group nope --state' },
  { args: '--bootstrap-server $B --list --state bogus' },
  { args: '--bootstrap-server $B --reset-offsets --group g1 --topic plain --to-earliest', compare: 'words' },
  { args: '--bootstrap-server $B --reset-offsets --group g1 --topic plain --to-earliest --execute', compare: 'words' },
  {
    args: '--bootstrap-server $B --reset-offsets --group g1 --topic plain:0 --to-offset 99 --execute',
    compare: 'words',
  },
  { args: '--bootstrap-server $B --reset-offsets --group g1 --all-topics --shift-by -2 --execute', compare: 'words' },
  { args: '--bootstrap-server $B --reset-offsets --group g1 --all-topics --to-current --dry-run', compare: 'words' },
  { args: '--bootstrap-server $B --reset-offsets --group g1 --topic plain --to-latest --export --dry-run' },
  {
    args: '--bootstrap-server $B --reset-offsets --group g1 --topic plain --to-datetime 2020-01-01T00:00:00.000 --dry-run',
    compare: 'words',
  },
  {
    args: '--bootstrap-server $B --reset-offsets --group g1 --topic plain --by-duration PT1H --dry-run',
    compare: 'words',
  },
  {
    args: '--bootstrap-server $B --reset-offsets --group fresh --topic plain --to-earliest --dry-run',
    compare: 'words',
  },
  { args: '--bootstrap-server $B --reset-offsets --group g1' },
  { args: '--bootstrap-server $B --reset-offsets --group g1 --topic plain' },
  { args: '--bootstrap-server $B --describe --group g1' },
  { args: '--bootstrap-server $B --delete-offsets --group g1 --topic plain:0', compare: 'words' },
  { args: '--bootstrap-server $B --delete --group g1' },
  { args: '--bootstrap-server $B --delete --group g1' },
  { args: '--bootstrap-server $B --delete' },
  { args: '--bootstrap-server $B --list', compare: 'sorted' },
].map((step) => ({ tool: 'kafka-consumer-groups', ...step }) as Step);

const configs39: readonly Step[] = [
  { args: '--bootstrap-server $B --entity-type topics --entity-name plain --describe' },
  {
    args: '--bootstrap-server $B --entity-type topics --entity-name plain --alter --add-config retention.ms=5000000,max.message.bytes=2000',
  },
  { args: '--bootstrap-server $B --entity-type topics --entity-name plain --describe' },
  { args: '--bootstrap-server $B --entity-type topics --entity-name plain --alter --delete-config retention.ms' },
  { args: '--bootstrap-server $B --entity-type topics --entity-name plain --alter --delete-config retention.ms' },
  { args: '--bootstrap-server $B --entity-type topics --entity-name plain --alter --add-config bogus=1' },
  { args: '--bootstrap-server $B --entity-type topics --entity-name nope --describe' },
  { args: '--bootstrap-server $B --topic plain --alter --add-config cleanup.policy=[compact,delete]' },
  { args: '--bootstrap-server $B --topic plain --describe' },
  {
    args: '--bootstrap-server $B --entity-type brokers --entity-name 0 --alter --add-config background.threads=6',
    threads: ['0', '6'],
  },
  { args: '--bootstrap-server $B --entity-type brokers --entity-name 0 --describe' },
  {
    args: '--bootstrap-server $B --entity-type brokers --entity-default --alter --add-config background.threads=7',
    threads: ['', '7'],
  },
  { args: '--bootstrap-server $B --entity-type brokers --entity-default --describe' },
  { args: '--bootstrap-server $B --entity-type brokers --describe' },
  { args: '--bootstrap-server $B --describe' },
  { args: '--bootstrap-server $B --alter --entity-type topics --add-config a=b' },
].map((step) => ({ tool: 'kafka-configs', ...step }) as Step);

const quotas39: readonly Step[] = [
  '--bootstrap-server $B --entity-type clients --entity-name c1 --alter --add-config producer_byte_rate=1024,consumer_byte_rate=2048',
  '--bootstrap-server $B --entity-type clients --entity-name c1 --describe',
  '--bootstrap-server $B --entity-type users --entity-name u1 --entity-type clients --entity-name c1 --alter --add-config producer_byte_rate=10',
  '--bootstrap-server $B --entity-type users --entity-name u1 --entity-type clients --entity-name c1 --describe',
  '--bootstrap-server $B --entity-type users --entity-default --alter --add-config producer_byte_rate=10.5',
  '--bootstrap-server $B --entity-type users --describe',
  '--bootstrap-server $B --entity-type clients --describe',
  '--bootstrap-server $B --entity-type clients --entity-name c1 --alter --delete-config producer_byte_rate',
  '--bootstrap-server $B --entity-type clients --entity-name odd~name*(1) --alter --add-config consumer_byte_rate=10485760,request_percentage=0.0005',
  '--bootstrap-server $B --entity-type clients --entity-name odd~name*(1) --describe',
  '--bootstrap-server $B --entity-type ips --entity-name 127.0.0.9 --alter --add-config connection_creation_rate=50',
  '--bootstrap-server $B --entity-type ips --describe',
].map((args) => ({ tool: 'kafka-configs', args }));

const configs21: readonly Step[] = [
  '--zookeeper $Z --entity-type topics --entity-name plain --describe',
  '--zookeeper $Z --entity-type topics --entity-name plain --alter --add-config retention.ms=5000000',
  '--zookeeper $Z --entity-type topics --entity-name plain --describe',
  '--zookeeper $Z --entity-type topics --entity-name plain --alter --delete-config retention.ms',
  '--zookeeper $Z --entity-type topics --entity-name plain --alter --delete-config bogus',
  '--zookeeper $Z --entity-type clients --entity-name c1 --alter --add-config producer_byte_rate=1024',
  '--zookeeper $Z --entity-type clients --entity-name c1 --describe',
  '--zookeeper $Z --entity-type users --entity-default --alter --add-config producer_byte_rate=1024',
  '--zookeeper $Z --entity-type users --describe',
].map((args) => ({ tool: 'kafka-configs', args }));

const topics21: readonly Step[] = [
  '--zookeeper $Z',
  '--zookeeper $Z --create',
  '--zookeeper $Z --create --list',
  '--zookeeper $Z --create --topic a --bogus',
  '--zookeeper $Z --list',
  '--zookeeper $Z --create --topic morris --partitions 3 --replication-factor 1 --config retention.ms=100000 --config cleanup.policy=compact',
  '--zookeeper $Z --create --topic morris --partitions 3 --replication-factor 1',
  '--zookeeper $Z --create --topic morris --partitions 3 --replication-factor 1 --if-not-exists',
  '--zookeeper $Z --create --topic a.b_c --partitions 1 --replication-factor 1',
  '--zookeeper $Z --create --topic a_b_c --partitions 1 --replication-factor 1',
  '--zookeeper $Z --create --topic bad␣name --partitions 1 --replication-factor 1',
  '--zookeeper $Z --create --topic rf --replication-factor 3 --partitions 1',
  '--zookeeper $Z --create --topic rf --replication-factor 0 --partitions 1',
  '--zookeeper $Z --create --topic pz --partitions 0 --replication-factor 1',
  '--zookeeper $Z --create --topic px --partitions abc --replication-factor 1',
  '--zookeeper $Z --create --topic np --replication-factor 1',
  '--zookeeper $Z --create --topic ra --replica-assignment 0,0,0',
  '--zookeeper $Z --create --topic ra2 --replica-assignment 0:0',
  '--zookeeper $Z --create --topic cfg --config bogus=1 --partitions 1 --replication-factor 1',
  '--zookeeper $Z --create --topic cfg --config retention.ms=abc --partitions 1 --replication-factor 1',
  '--zookeeper $Z --create --topic cfg --config nonsense --partitions 1 --replication-factor 1',
  '--zookeeper $Z --list',
  '--zookeeper $Z --list --topic mor.*',
  '--zookeeper $Z --describe --topic morris',
  '--zookeeper $Z --describe --topic nope',
  '--zookeeper $Z --describe --topics-with-overrides',
  '--zookeeper $Z --describe --unavailable-partitions',
  '--zookeeper $Z --alter --topic morris --partitions 4',
  '--zookeeper $Z --alter --topic morris --partitions 2',
  '--zookeeper $Z --alter --topic nope --partitions 2',
  '--zookeeper $Z --alter --topic morris',
  '--zookeeper $Z --alter --topic morris --config retention.ms=5 --delete-config cleanup.policy',
  '--zookeeper $Z --alter --topic ra --partitions 4 --replica-assignment 0,0,0,0',
  '--zookeeper $Z --describe --topic morris|ra',
  '--zookeeper $Z --delete',
  '--zookeeper $Z --delete --topic ra',
  '--zookeeper $Z --delete --topic nope',
  '--zookeeper $Z --delete --topic nope --if-exists',
].map((args) => ({ tool: 'kafka-topics', args }));

const records21: readonly Step[] = [
  { tool: 'kafka-topics', args: '--zookeeper $Z --create --topic plain --partitions 1 --replication-factor 1' },
  { tool: 'kafka-console-producer', args: '--broker-list $B' },
  { tool: 'kafka-console-producer', args: '--broker-list $B --topic plain', stdin: 'one\ntwo\nthree' },
  {
    tool: 'kafka-console-producer',
    args: '--broker-list $B --topic plain --property parse.key=true --property key.separator=:',
    stdin: 'k1:v1\nk2:v2\n',
  },
  {
    tool: 'kafka-console-producer',
    args: '--broker-list $B --topic plain --property parse.key=true --property key.separator=:',
    stdin: 'k1:v1\nnokey\n',
  },
  {
    tool: 'kafka-console-producer',
    args: '--broker-list $B --topic plain --property parse.key=true --property ignore.error=true',
    stdin: 'k4\tv4\nnokey\n',
  },
  {
    tool: 'kafka-console-consumer',
    args: '--bootstrap-server $B --topic plain --from-beginning --max-messages 7 --property print.key=true --property print.timestamp=true',
  },
  {
    tool: 'kafka-console-consumer',
    args: '--bootstrap-server $B --topic plain --group g1 --from-beginning --max-messages 3',
  },
  { tool: 'kafka-console-consumer', args: '--bootstrap-server $B --topic plain --group g1 --max-messages 2' },
  {
    tool: 'kafka-console-consumer',
    args: '--bootstrap-server $B --topic plain --partition 0 --offset 1 --max-messages 1',
  },
  { tool: 'kafka-console-consumer', args: '--bootstrap-server $B --topic plain --offset 1' },
  { tool: 'kafka-topics', args: '--zookeeper $Z --delete --topic __consumer_offsets' },
];

const all39 = [...topics39, ...records39, ...configs39, ...groups39];
const all21 = [...topics21, ...records21, ...configs21];

const own = '';
const shared = ', which share one start of Java';
const comparisons = [
  {
    version: '3.9.1',
    name: 'our tools, at a broker of Apache’s and at ours',
    steps: [...all39, ...quotas39],
    java: shared,
  },
  {
    version: '3.9.1',
    name: 'our tools, at a broker of Apache’s and at ours',
    steps: [...all39, ...quotas39],
    java: own,
  },
  { version: '2.1.0', name: 'with old flags our tools, at both brokers', steps: all21, java: own },
] as const;

for (const { java, ...comparison } of chosen(comparisons, ({ java }) => java === shared)) {
  const { version, name } = comparison;
  test(`${name}, give the same lines as those of Apache Kafka ${version}${java}`, async (t) => {
    const ownProcess: ApacheTool = (tool, args, options) => kafkaTool(tool, version, args, options);
    await compareSteps(t, comparison, java === shared ? await startHost(t) : ownProcess);
  });
}
