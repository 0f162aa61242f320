/** Apache Kafka's command-line tools, by the names of their scripts: run them, or get the line to run yourself. */
import { type CommandLine, type JavaOptions, javaLine } from './java.ts';
import { type Outcome, PeerError, type RunOptions, run } from './process.ts';

/**
 * 2.1.0 and 3.9.1 are the brokers we match; 4.4.0 has today's clients under the tools of 4.3.0 (install.ts says why),
 * and the few tools that do not bear that mixture run in plain 4.3.0.
 */
export type KafkaToolVersion = '2.1.0' | '3.9.1' | '4.3.0' | '4.4.0';

/** The main class in 2.x, 3.x and 4.x; null where a release has none. */
type MainClasses = readonly [string | null, string | null, string | null];

const TOOLS = 'org.apache.kafka.tools';
const since3 = (name: string, in2: string | null = null): MainClasses => [in2, `${TOOLS}.${name}`, `${TOOLS}.${name}`];
const since4 = (name: string, before: string): MainClasses => [before, before, `${TOOLS}.${name}`];
const always = (name: string): MainClasses => [name, name, name];

const mainClasses = {
  'kafka-acls': since4('AclCommand', 'kafka.admin.AclCommand'),
  'kafka-client-metrics': since3('ClientMetricsCommand'),
  'kafka-broker-api-versions': since4('BrokerApiVersionsCommand', 'kafka.admin.BrokerApiVersionsCommand'),
  'kafka-configs': always('kafka.admin.ConfigCommand'),
  'kafka-console-consumer': since3('consumer.ConsoleConsumer', 'kafka.tools.ConsoleConsumer'),
  'kafka-console-producer': since4('ConsoleProducer', 'kafka.tools.ConsoleProducer'),
  'kafka-console-share-consumer': [null, null, `${TOOLS}.consumer.ConsoleShareConsumer`],
  'kafka-consumer-groups': since3('consumer.group.ConsumerGroupCommand', 'kafka.admin.ConsumerGroupCommand'),
  'kafka-consumer-perf-test': since3('ConsumerPerformance', 'kafka.tools.ConsumerPerformance'),
  'kafka-delegation-tokens': since3('DelegationTokenCommand', 'kafka.admin.DelegationTokenCommand'),
  'kafka-delete-records': since3('DeleteRecordsCommand', 'kafka.admin.DeleteRecordsCommand'),
  'kafka-dump-log': since4('DumpLogSegments', 'kafka.tools.DumpLogSegments'),
  'kafka-features': since3('FeatureCommand'),
  'kafka-get-offsets': since3('GetOffsetShell', 'kafka.tools.GetOffsetShell'),
  'kafka-leader-election': since3('LeaderElectionCommand'),
  'kafka-log-dirs': since3('LogDirsCommand', 'kafka.admin.LogDirsCommand'),
  'kafka-preferred-replica-election': ['kafka.admin.PreferredReplicaLeaderElectionCommand', null, null],
  'kafka-producer-perf-test': always(`${TOOLS}.ProducerPerformance`),
  'kafka-reassign-partitions': since3('reassign.ReassignPartitionsCommand', 'kafka.admin.ReassignPartitionsCommand'),
  'kafka-replica-verification': since3('ReplicaVerificationTool', 'kafka.tools.ReplicaVerificationTool'),
  'kafka-share-groups': [null, null, `${TOOLS}.consumer.group.ShareGroupCommand`],
  'kafka-topics': since3('TopicCommand', 'kafka.admin.TopicCommand'),
  'kafka-transactions': since3('TransactionsCommand'),
  'kafka-verifiable-consumer': always(`${TOOLS}.VerifiableConsumer`),
  'kafka-verifiable-producer': always(`${TOOLS}.VerifiableProducer`),
  'zookeeper-security-migration': ['kafka.admin.ZkSecurityMigrator', 'kafka.admin.ZkSecurityMigrator', null],
} as const satisfies Readonly<Record<string, MainClasses>>;

export type KafkaToolName = keyof typeof mainClasses;

export async function kafkaTool(
  name: KafkaToolName,
  version: KafkaToolVersion,
  args: readonly string[],
  options: RunOptions & JavaOptions = {},
): Promise<Outcome> {
  const line = await kafkaToolLine(name, version, args, options);
  return run(line.command, line.args, options);
}

/** For what stays, such as a consumer that follows: `startService(line.command, line.args, …)`. */
export async function kafkaToolLine(
  name: KafkaToolName,
  version: KafkaToolVersion,
  args: readonly string[],
  options: JavaOptions = {},
): Promise<CommandLine> {
  return javaLine(`kafka-${version}`, mainClassOf(name, version), args, options);
}

export function mainClassOf(name: KafkaToolName, version: KafkaToolVersion): string {
  const column = { '2.1.0': 0, '3.9.1': 1, '4.3.0': 2, '4.4.0': 2 } as const;
  const mainClass = mainClasses[name][column[version]];
  if (mainClass === null) throw new PeerError(`Apache Kafka ${version} has no ${name} here`);
  return mainClass;
}
