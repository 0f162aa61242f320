import type { Runtime } from '../../runtime/runtime.ts';
import { ZERO_UUID } from '../../wire/schema.ts';
import type { Admin, Reassignment } from '../client/admin.ts';
import { codeOf } from '../client/client-errors.ts';
import { type PartitionMetadata, partitionKey, type TopicMetadata } from '../client/cluster-metadata.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { CommandError } from './command-error.ts';
import type { ParsedOptions } from './option-parser.ts';
import type { ToolIo } from './tool.ts';
import {
  COLLISION_WARNING,
  hasCollisionChars,
  replicaAssignment,
  requireValidConfigs,
  topicConfigs,
  topicPattern,
} from './topic-command.ts';
import { withAdmin } from './with-admin.ts';

/** Where the exceptions that log lines name stand. */
const EXCEPTIONS = 'org.apache.kafka.server.common';

/** kafka-topics of 3.9: everything through the brokers' admin requests. */
export async function topicsByAdmin(options: ParsedOptions, io: ToolIo, runtime: Runtime): Promise<void> {
  const print = (line: string): void => io.out(`${line}\n`);
  const work = async (admin: Admin): Promise<void> => {
    if (options.has('create')) await create(admin, options, print);
    else if (options.has('alter')) await alter(admin, options);
    else if (options.has('list')) print((await namesOf(admin, options)).join('\n'));
    else if (options.has('describe')) await describe(admin, options, print);
    else await remove(admin, options);
  };
  await withAdmin(options, runtime, work, { 'client.id': 'adminclient-1' });
}

type Print = (line: string) => void;

async function create(admin: Admin, options: ParsedOptions, print: Print): Promise<void> {
  const name = options.value('topic')!;
  const partitions = options.number('partitions');
  const replicationFactor = options.number('replication-factor');
  const configs = topicConfigs(options);
  requireValidConfigs(configs);
  const byHand = options.value('replica-assignment');
  const assignment = byHand === undefined ? undefined : replicaAssignment(byHand, EXCEPTIONS);
  if (hasCollisionChars(name)) print(COLLISION_WARNING);
  if (replicationFactor !== undefined && (replicationFactor > 32_767 || replicationFactor < 1)) {
    throw new CommandError(`The replication factor must be between 1 and 32767 inclusive`);
  }
  if (partitions !== undefined && partitions < 1) {
    throw new CommandError('The partitions must be greater than 0');
  }
  try {
    await admin.createTopics([
      {
        name,
        configs,
        ...(partitions === undefined ? {} : { partitions }),
        ...(replicationFactor === undefined ? {} : { replicationFactor }),
        ...(assignment === undefined ? {} : { assignment }),
      },
    ]);
    print(`Created topic ${name}.`);
  } catch (error) {
    if (codeOf(error) !== ErrorCode.TOPIC_ALREADY_EXISTS || !options.has('if-not-exists')) throw error;
  }
}

/** @throws CommandError where a topic was named and none is called so */
async function existing(admin: Admin, options: ParsedOptions): Promise<TopicMetadata[]> {
  const topics = await matching(admin, options);
  const name = options.value('topic');
  if (topics.length === 0 && name !== undefined && !options.has('if-exists')) {
    throw new CommandError(`Topic 'Optional[${name}]' does not exist as expected`);
  }
  return topics;
}

async function matching(admin: Admin, options: ParsedOptions): Promise<TopicMetadata[]> {
  const wanted = options.value('topic');
  const pattern = wanted === undefined ? undefined : topicPattern(wanted);
  const topics = await admin.allTopics();
  return topics.filter(
    ({ name, isInternal }) =>
      !(isInternal && options.has('exclude-internal')) && (pattern === undefined || pattern.test(name)),
  );
}

async function namesOf(admin: Admin, options: ParsedOptions): Promise<string[]> {
  return (await matching(admin, options)).map(({ name }) => name);
}

async function alter(admin: Admin, options: ParsedOptions): Promise<void> {
  const topics = await existing(admin, options);
  if (topics.length === 0) return;
  const count = options.number('partitions')!;
  const byHand = options.value('replica-assignment');
  await admin.createPartitions(
    topics.map(({ name, partitions }) =>
      byHand === undefined
        ? { name, count }
        : { name, count, assignment: replicaAssignment(byHand, EXCEPTIONS).slice(partitions.length) },
    ),
  );
}

async function remove(admin: Admin, options: ParsedOptions): Promise<void> {
  const topics = await existing(admin, options);
  if (topics.length > 0) await admin.deleteTopics(topics.map(({ name }) => name));
}

async function describe(admin: Admin, options: ParsedOptions, print: Print): Promise<void> {
  const topicId = options.value('topic-id');
  let topics = topicId === undefined ? await existing(admin, options) : await admin.allTopics();
  if (topicId !== undefined) {
    topics = topics.filter((topic) => topic.topicId === topicId);
    if (topics.length === 0 && !options.has('if-exists')) {
      throw new CommandError(`TopicId '${topicId}' does not exist as expected`);
    }
  }
  if (topics.length === 0) return;
  const configs = await admin.describeConfigs(topics.map(({ name }) => ({ type: 'topic', name })));
  const { brokers } = await admin.describeCluster();
  const alive = new Set(brokers.map(({ id }) => id));
  const moves = await admin.listReassignments();
  for (const topic of topics) {
    const entries = configs.get(topic.name) ?? [];
    const own = entries.filter(({ source }) => source !== 'DEFAULT_CONFIG');
    const minIsr = Number(entries.find(({ name }) => name === 'min.insync.replicas')?.value ?? 1);
    const moveOf = ({ partition }: PartitionMetadata) => moves.get(partitionKey(topic.name, partition));
    if (showsTopics(options) && (own.length > 0 || !options.has('topics-with-overrides'))) {
      const settings = own.map(({ name, value }) => `${name}=${value}`).join(',');
      print(topicLine(topic, moveOf(topic.partitions[0]!), settings));
    }
    if (options.has('topics-with-overrides')) continue;
    for (const partition of topic.partitions) {
      const move = moveOf(partition);
      if (isWanted(options, partition, { alive, minIsr, move })) print(partitionLine(topic.name, partition, move));
    }
  }
}

/** Reports of bad partitions show those alone. */
function showsTopics(options: ParsedOptions): boolean {
  const reports = ['under-replicated', 'under-min-isr', 'at-min-isr', 'unavailable'];
  return !reports.some((report) => options.has(`${report}-partitions`));
}

interface Circumstances {
  readonly alive: ReadonlySet<number>;
  readonly minIsr: number;
  readonly move: Reassignment | undefined;
}

function isWanted(
  options: ParsedOptions,
  partition: PartitionMetadata,
  { alive, minIsr, move }: Circumstances,
): boolean {
  const { replicas, isr, leader } = partition;
  const wantedReplicas = replicas.length - (move?.addingReplicas.length ?? 0);
  if (options.has('under-replicated-partitions')) return isr.length < wantedReplicas;
  if (options.has('under-min-isr-partitions')) return isr.length < minIsr;
  if (options.has('at-min-isr-partitions')) return isr.length === minIsr;
  if (options.has('unavailable-partitions')) return leader < 0 || !alive.has(leader);
  return true;
}

function topicLine(topic: TopicMetadata, move: Reassignment | undefined, settings: string): string {
  const { name, topicId, partitions } = topic;
  const replicationFactor = (partitions[0]?.replicas.length ?? 0) - (move?.addingReplicas.length ?? 0);
  const id = topicId === ZERO_UUID ? '' : `\tTopicId: ${topicId}`;
  return `Topic: ${name}${id}\tPartitionCount: ${partitions.length}\tReplicationFactor: ${replicationFactor}\tConfigs: ${settings}`;
}

function partitionLine(topic: string, partition: PartitionMetadata, move: Reassignment | undefined): string {
  const { leader, replicas, isr } = partition;
  const list = (ids: readonly number[]): string => ids.join(',');
  const moving =
    move === undefined
      ? ''
      : `\tAdding Replicas: ${list(move.addingReplicas)}\tRemoving Replicas: ${list(move.removingReplicas)}`;
  return `\tTopic: ${topic}\tPartition: ${partition.partition}\tLeader: ${leader < 0 ? 'none' : leader}\tReplicas: ${list(replicas)}\tIsr: ${list(isr)}\tElr: N/A\tLastKnownElr: N/A${moving}`;
}
