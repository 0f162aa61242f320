/** `/metrics` of our broker beside Apache's 3.9.1 with the JMX exporter in it, after the same story: names, types, labels, figures. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { exporterConfig } from './metrics/exporter-rules.ts';
import { tellMetricsStory } from './metrics/metrics-story.ts';
import { type Odradek, startOdradek } from './odradek.ts';
import { type ApacheKafka, startApacheKafka } from './peers/apache-kafka.ts';
import { type ApacheZookeeper, startApacheZookeeper } from './peers/apache-zookeeper.ts';
import { freePort } from './peers/free-port.ts';
import { installJmxExporter } from './peers/install.ts';
import { until } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';

let zookeeper: ApacheZookeeper;
let apache: ApacheKafka;
let odradek: Odradek;
let theirs: Metrics;
let mine: Metrics;

interface Metrics {
  readonly types: ReadonlyMap<string, string>;
  /** By name and labels, these in order. */
  readonly samples: ReadonlyMap<string, number>;
}

before(async () => {
  const dir = tempDir();
  const port = await freePort();
  const rules = join(dir, 'rules.json');
  writeFileSync(rules, exporterConfig);
  zookeeper = await startApacheZookeeper({ version: '3.9.4', dataDir: join(dir, 'apache-zookeeper') });
  // Apache's broker would ask itself.
  const shared = {
    'transaction.partition.verification.enable': 'false',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
  };
  const few = { 'transaction.state.log.num.partitions': '5', 'log.retention.ms': '-1', ...shared };
  [apache, odradek] = await Promise.all([
    startApacheKafka({
      version: '3.9.1',
      zookeeperConnect: zookeeper.connect,
      logDir: join(dir, 'apache'),
      overrides: few,
      agent: `${await installJmxExporter()}=127.0.0.1:${port}:${rules}`,
    }),
    startOdradek({ dir, kafka: { 'odradek.metrics.port': '0', 'odradek.metrics.host': '127.0.0.1', ...few } }),
  ]);
  [theirs, mine] = (await Promise.all(
    [
      [apache.port, port],
      [odradek.kafkaPort, odradek.metricsPort],
    ].map(async ([kafkaPort, metricsPort]) => {
      await tellMetricsStory(kafkaPort!);
      return until('the story has had its effects', async () => {
        const metrics = await scrape(metricsPort!);
        return isSettled(metrics) ? metrics : undefined;
      });
    }),
  )) as [Metrics, Metrics];
});

after(async () => {
  await odradek?.kill();
  await apache?.kill();
  await zookeeper?.kill();
});

/** The topic is gone for good, for the controller too, and the end of the transaction is in its partition. */
function isSettled({ samples }: Metrics): boolean {
  const isGone = ![...samples.keys()].some((name) => name.includes('topic="gone"'));
  const partitions = samples.get('kafka_controller_kafkacontroller_globalpartitioncount');
  return isGone && partitions === 13 && samples.get('kafka_log_log_logendoffset{partition="1",topic="plain"}') === 3;
}

/**
 * The exporter adds `_total` to every counter and takes it from every gauge, prints what a rule makes of 50thPercentile as 0.50, and
 * sorts labels.
 */
async function scrape(port: number): Promise<Metrics> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  assert.equal(response.status, 200);
  const types = new Map<string, string>();
  const samples = new Map<string, number>();
  for (const line of (await response.text()).trimEnd().split('\n')) {
    const [, name = '', labels = '', value = ''] = /^(kafka_\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    const [, typed, type = ''] = /^# TYPE (kafka_\w+) (\w+)$/.exec(line) ?? [];
    if (typed !== undefined) types.set(plain(typed), type);
    if (name === '') continue;
    const sorted = [...labels.matchAll(/\w+="[^"]*"/g)].map(([label]) => label.replace('"0.50"', '"0.5"')).sort();
    samples.set(`${plain(name)}${sorted.length === 0 ? '' : `{${sorted.join(',')}}`}`, Number(value));
  }
  return { types, samples };
}

const plain = (name: string): string => name.replace(/_total$/, '');
const familyOf = (sample: string): string => sample.split('{')[0] as string;

/** Parts of Apache's broker that ours has not, and what it does not count: docs/COMPATIBILITY.md says why. */
const withoutCounterpart = new RegExp(
  `^kafka_(?:${[
    'utils_throttler_.*',
    'network_(?:acceptor|processor|requestchannel|socketserver)_.*',
    'network_requestmetrics_(?:messageconversionstimems|temporarymemorybytes)(?:_count)?',
    'server_(?:addpartitionstotxnmanager|kafkarequesthandlerpool|metadataloader|zookeeperclientmetrics)_.*',
    'server_(?:replicaalterlogdirsmanager|replicafetchermanager)_.*',
    'server_(?:group_coordinator|transaction_coordinator|txn_marker_channel)_metrics_.*',
    'server_(?:kafka_metrics_count_count|kafkaserver_(?:linux_disk_\\w+|yammer_metrics_count))',
    'server_delayed(?:produce|fetch|deleterecords)metrics_.*',
    'server_brokertopicmetrics_(?:fetchmessageconversions|(?:reassignment|replication)bytes(?:in|out))',
    'server_replicamanager_(?:failedisrupdates|isrexpands|isrshrinks|reassigningpartitions|partitionswithlate\\w+)',
    'server_sessionexpirelistener_zookeepersaslauthentications',
    'server_socket_server_metrics_(?!connection_(?:count|creation|close)$).*',
    'controller_controllerchannelmanager_.*',
    'controller_controllerstats_(?:controllershutdown|uncleanleaderelectionenable|updatefeatures)rateandtimems(?:_count)?',
    'controller_kafkacontroller_(?:controllerstate|(?:replicas|topics)ineligibletodeletecount|zkmigrationstate)',
    'coordinator_transaction_transactionmarkerchannelmanager_logappendretryqueuesize',
    'log_(?:logcleaner|logflushstats)_.*',
    'log_logcleanermanager_uncleanable_bytes',
  ].join('|')})$`,
);

test('families of metrics are Apache’s, each of the same type', () => {
  const families = ({ samples }: Metrics): string[] => [...new Set([...samples.keys()].map(familyOf))].sort();
  const known = families(mine);
  const lacking = families(theirs).filter((name) => !known.includes(name) && !withoutCounterpart.test(name));
  const own = known.filter((name) => !families(theirs).includes(name));
  assert.deepEqual({ lacking, own }, { lacking: [], own: [] });
  const typesOf = ({ types }: Metrics): unknown[] => known.map((name) => [name, types.get(name)]);
  assert.deepEqual(typesOf(mine), typesOf(theirs));
});

/** Requests that the story alone sends. */
const told =
  /request="(Produce|CreateTopics|OffsetCommit|AddPartitionsToTxn|EndTxn|DeleteTopics|Fetch|FetchConsumer|FetchFollower|Heartbeat)"/;
const compared: readonly RegExp[] = [
  /^kafka_server_brokertopicmetrics_/,
  /^kafka_(log_log|cluster_partition)_/,
  /^kafka_server_replicamanager_/,
  /^kafka_coordinator_/,
  /^kafka_server_fetchsessioncache_/,
  /^kafka_controller_kafkacontroller_(?!controllerstate|zkmigration)/,
  /^kafka_network_requestmetrics_errors\{.*(?=request=")/,
  /^kafka_network_requestmetrics_requests\{/,
  /^kafka_network_requestmetrics_requestbytes(_count)?\{/,
  /^kafka_server_kafkaserver_brokerstate/,
  /^kafka_server_sessionexpirelistener_/,
];

test('figures that do not depend on time are Apache’s', () => {
  const known = new Set([...mine.samples.keys()].map(familyOf));
  const figures = ({ samples }: Metrics): Record<string, number> =>
    Object.fromEntries(
      [...samples]
        .filter(([name]) => compared.some((pattern) => pattern.test(name)) && known.has(familyOf(name)))
        .filter(([name]) => !name.includes('requestmetrics') || told.test(name))
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  assert.deepEqual(figures(mine), figures(theirs));
});
