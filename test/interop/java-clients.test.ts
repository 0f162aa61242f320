/**
 * Programs against Apache's Java clients of three releases: what has been there since 2.1, and what came later. Apache's broker
 * gives them the same lines (in the full run).
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { chosen } from './breadth.ts';
import { startOdradek } from './odradek.ts';
import { LATE_TASKS, startApacheKafka } from './peers/apache-kafka.ts';
import { PATIENCE_MS, type Service } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';
import { javaProgram } from './peers/tools.ts';

const day: readonly string[] = [
  'again: TopicExistsException',
  'too many replicas: InvalidReplicationFactorException',
  'topics: [assigned, copies, records]',
  'fewer: InvalidPartitionsException',
  'partitions: [0@0, 1@0, 2@0]',
  'retention: 3600000 DYNAMIC_TOPIC_CONFIG',
  'cleanup: delete DEFAULT_CONFIG',
  'nodes: 1 0',
  'acls: SecurityDisabledException',
  'token: UnsupportedByAuthenticationException',
  'records: 200 true true',
  'after seek: 3 70',
  'by time: 2',
  'ends: 0 70',
  'group: 1',
  'committed: 7 note',
  'low: 10',
  'shared: [1, 2]',
  'members: 2 range',
  'in use: GroupNotEmptyException',
  'gone: GroupIdNotFoundException',
  'committed copies: [copy0, copy1, copy2]',
  'all copies: [copy0, lost0, copy1, lost1, copy2, lost2, open]',
  'fenced: InvalidProducerEpochException',
  'committed copies: [copy0, copy1, copy2, heir]',
  'copied up to: 3',
  'log dirs: 1',
  'deleted: UnknownTopicOrPartitionException',
];

const adminDay: readonly string[] = [
  'by id: day',
  'appended: delete,compact DYNAMIC_TOPIC_CONFIG LIST [cleanup.policy=delete,compact, log.cleanup.policy=delete] true',
  'subtracted: compact DYNAMIC_TOPIC_CONFIG LIST [cleanup.policy=compact, log.cleanup.policy=delete] true',
  'default again: delete DEFAULT_CONFIG LIST [log.cleanup.policy=delete] true',
  'refused: InvalidConfigurationException',
  'dynamic: 2000000 DYNAMIC_BROKER_CONFIG INT [message.max.bytes=2000000, message.max.bytes=1048588] true',
  'loggers: true',
  'offsets: [0, 5, 2, 2]',
  "altered: OffsetAndMetadata{offset=3, leaderEpoch=0, metadata='by hand'}",
  'removed: null',
  'groups: []',
  'static: Optional[one] 2',
  'stays: 1',
  'removed: 0',
  'transaction: Ongoing [day-0]',
  'listed: [seen Ongoing]',
  'producer: 5 0',
  'stable: 5',
  'fence: null',
  'fenced: ProducerFencedException',
  'ended: Empty',
  'reassigned: null',
  'nowhere: InvalidReplicaAssignmentException',
  'cancelled: NoReassignmentInProgressException',
  'reassignments: {}',
  'elected: Optional[ElectionNotNeededException]',
  'log dir: true true true',
  'stays: null',
  'moved: LogDirNotFoundException',
  'features: []',
  'quorum: UnsupportedVersionException',
  'users: [ScramCredentialInfo{mechanism=SCRAM_SHA_256, iterations=4096}]',
];

const newGroup: readonly string[] = [
  'found: [hanging, v0, v1, v2, v3, v4, v5, v6, v7, v8, v9]',
  'group: uniform 2',
  'committed: 2',
];

interface Row {
  readonly broker: 'our broker' | 'Apache’s broker 3.9.1';
  readonly version: '2.1.0' | '3.9.1' | '4.4.0';
  readonly program: 'ClientsDay' | 'AdminDay';
}

const brokers = ['our broker', 'Apache’s broker 3.9.1'] as const;
const rows: readonly Row[] = brokers.flatMap((broker) => [
  ...(['2.1.0', '3.9.1', '4.4.0'] as const).map((version) => ({ broker, version, program: 'ClientsDay' as const })),
  ...(['3.9.1', '4.4.0'] as const).map((version) => ({ broker, version, program: 'AdminDay' as const })),
]);
const isTelling = ({ broker, version, program }: Row): boolean =>
  broker === 'our broker' && version === (program === 'ClientsDay' ? '2.1.0' : '4.4.0');

const kafka = {
  'offsets.topic.num.partitions': '3',
  'transaction.state.log.num.partitions': '3',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'group.initial.rebalance.delay.ms': '0',
};

type Peer = Service & { readonly bootstrap: string };

/** A broker of its own for each program: they look at all topics and groups there are. */
async function start(t: TestContext, broker: Row['broker']): Promise<Peer> {
  const isOurs = broker === 'our broker';
  const ours = await startOdradek({
    dir: tempDir(),
    withoutKafka: !isOurs,
    kafka: {
      ...kafka,
      'group.consumer.min.heartbeat.interval.ms': '200',
      'group.consumer.heartbeat.interval.ms': '300',
      'group.consumer.assignment.interval.ms': '0',
    },
  });
  t.after(() => ours.kill());
  if (isOurs) return ours;
  const apache = await startApacheKafka({
    version: '3.9.1',
    zookeeperConnect: ours.zookeeper,
    logDir: tempDir(),
    overrides: { ...kafka, ...LATE_TASKS },
  });
  t.after(() => apache.kill());
  return apache;
}

for (const { broker, version, program } of chosen(rows, isTelling)) {
  test(`Java’s clients ${version} do the same on ${broker} as everywhere: ${program}`, async (t) => {
    const { bootstrap } = await start(t, broker);
    const withNewGroup = program === 'AdminDay' && broker === 'our broker';
    const source = join(import.meta.dirname, 'clients', `${program}.java`);
    const args = withNewGroup ? [bootstrap, 'new group'] : [bootstrap];
    const { code, stdout, stderr } = await javaProgram(`kafka-${version}`, source, args, {
      timeoutMs: 2 * PATIENCE_MS,
    });
    assert.equal(code, 0, `${stderr}\n${stdout}`);
    const want = program === 'ClientsDay' ? day : withNewGroup ? [...adminDay, ...newGroup] : adminDay;
    // The old client knows one way of being fenced.
    const lines = want.map((line) =>
      version === '2.1.0' && program === 'ClientsDay' ? line.replace('InvalidProducerEpoch', 'ProducerFenced') : line,
    );
    assert.deepEqual(stdout.trim().split('\n'), lines);
  });
}
