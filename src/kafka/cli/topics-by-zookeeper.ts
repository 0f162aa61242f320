import type { Runtime } from '../../runtime/runtime.ts';
import { connectZookeeper } from '../../zookeeper/client/client.ts';
import { ErrorCode as KeeperCode, KeeperError } from '../../zookeeper/jute/errors.ts';
import { collides, isInternal } from '../broker/topic-names.ts';
import { assignReplicas } from '../controller/replica-assignment.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import { KafkaZk } from '../zk/kafka-zk.ts';
import { encodeJson, paths, type TopicAssignment } from '../zk/znodes.ts';
import { CommandError } from './command-error.ts';
import type { ParsedOptions } from './option-parser.ts';
import { ToolExit, type ToolIo } from './tool.ts';
import {
  COLLISION_WARNING,
  hasCollisionChars,
  replicaAssignment,
  requireValidConfigs,
  topicConfigs,
  topicPattern,
} from './topic-command.ts';

const ADMIN_OPERATION = 'kafka.admin.AdminOperationException';

/** Where the exceptions that log lines name stand. */
const EXCEPTIONS = 'kafka.common';

/** kafka-topics of 2.1: reads and writes znodes itself; brokers hear of it by their watches. */
export async function topicsByZookeeper(options: ParsedOptions, io: ToolIo, runtime: Runtime): Promise<void> {
  const connect = options.value('zookeeper')!;
  const client = connectZookeeper(runtime, { connect, sessionTimeoutMs: 30_000 });
  try {
    await client.connected({ timeoutMs: 30_000 }).catch((error: unknown) => {
      if (!(error instanceof KeeperError)) throw error;
      throw new ToolExit(
        'Exception in thread "main" kafka.zookeeper.ZooKeeperClientTimeoutException: Timed out waiting for connection while in state: CONNECTING\n',
      );
    });
    const tool = new ZookeeperTopics(new KafkaZk(client, runtime.clock, runtime.random), options, io, runtime);
    await tool.run();
  } finally {
    await client.close();
  }
}

class ZookeeperTopics {
  readonly #zk: KafkaZk;
  readonly #options: ParsedOptions;
  readonly #io: ToolIo;
  readonly #runtime: Runtime;

  constructor(zk: KafkaZk, options: ParsedOptions, io: ToolIo, runtime: Runtime) {
    this.#zk = zk;
    this.#options = options;
    this.#io = io;
    this.#runtime = runtime;
  }

  run(): Promise<void> {
    const options = this.#options;
    if (options.has('create')) return this.#create();
    if (options.has('alter')) return this.#alter();
    if (options.has('list')) return this.#list();
    if (options.has('describe')) return this.#describe();
    return this.#delete();
  }

  #print(line: string): void {
    this.#io.out(`${line}\n`);
  }

  async #create(): Promise<void> {
    const options = this.#options;
    const topic = options.value('topic')!;
    const config = topicConfigs(options);
    requireValidConfigs(config);
    if (hasCollisionChars(topic)) this.#print(COLLISION_WARNING);
    const byHand = options.value('replica-assignment');
    try {
      const replicas =
        byHand === undefined
          ? await this.#spread(options.number('partitions')!, options.number('replication-factor')!)
          : new Map(replicaAssignment(byHand, EXCEPTIONS).map((ids, partition) => [partition, ids]));
      await this.#refuseCreation(topic);
      await this.#zk.setConfig('topics', topic, config);
      await this.#createNode(topic, replicas);
      this.#print(`Created topic "${topic}".`);
    } catch (error) {
      const isThere = error instanceof KafkaError && error.code === ErrorCode.TOPIC_ALREADY_EXISTS;
      if (!isThere || !options.has('if-not-exists')) throw error;
    }
  }

  async #spread(partitionCount: number, replicationFactor: number): Promise<Map<number, number[]>> {
    const brokers = [...(await this.#zk.liveBrokers()).keys()];
    return assignReplicas({ brokers, partitionCount, replicationFactor }, this.#runtime.random);
  }

  async #refuseCreation(topic: string): Promise<void> {
    const reason = illegalName(topic);
    if (reason !== undefined) throw new KafkaError(ErrorCode.INVALID_TOPIC_EXCEPTION, reason);
    if (await this.#zk.topicExists(topic)) throw alreadyExists(topic);
    if (!hasCollisionChars(topic)) return;
    const others = (await this.#zk.topics()).filter((other) => collides(topic, other));
    if (others.length === 0) return;
    throw new KafkaError(
      ErrorCode.INVALID_TOPIC_EXCEPTION,
      `Topic '${topic}' collides with existing topics: ${others.join(', ')}`,
    );
  }

  async #createNode(topic: string, replicas: ReadonlyMap<number, readonly number[]>): Promise<void> {
    try {
      await this.#zk.client.create(paths.topic(topic), topicNode(replicas));
    } catch (error) {
      if (error instanceof KeeperError && error.code === KeeperCode.NODEEXISTS) throw alreadyExists(topic);
      throw error;
    }
  }

  async #matching(): Promise<string[]> {
    const wanted = this.#options.value('topic');
    const names = (await this.#zk.topics()).sort();
    const shown = this.#options.has('exclude-internal') ? names.filter((name) => !isInternal(name)) : names;
    if (wanted === undefined) return shown;
    const pattern = topicPattern(wanted);
    return shown.filter((name) => pattern.test(name));
  }

  /** @throws CommandError where there is none, unless that is fine */
  async #existing(): Promise<string[]> {
    const topics = await this.#matching();
    if (topics.length === 0 && !this.#options.has('if-exists')) {
      const [topic, connect] = [this.#options.value('topic'), this.#options.value('zookeeper')];
      throw new CommandError(`Topic ${topic} does not exist on ZK path ${connect}`);
    }
    return topics;
  }

  async #list(): Promise<void> {
    const deleted = new Set(await this.#zk.topicsToDelete());
    for (const topic of await this.#matching()) {
      this.#print(deleted.has(topic) ? `${topic} - marked for deletion` : topic);
    }
  }

  async #delete(): Promise<void> {
    for (const topic of await this.#existing()) {
      if (isInternal(topic)) {
        throw new CommandError(
          `Topic ${topic} is a kafka internal topic and is not allowed to be marked for deletion.`,
          ADMIN_OPERATION,
        );
      }
      if (await this.#zk.requestTopicDeletion(topic)) {
        this.#print(`Topic ${topic} is marked for deletion.`);
        this.#print('Note: This will have no impact if delete.topic.enable is not set to true.');
      } else {
        this.#print(`Topic ${topic} is already marked for deletion.`);
      }
    }
  }

  async #alter(): Promise<void> {
    const options = this.#options;
    for (const topic of await this.#existing()) {
      if (options.has('config') || options.has('delete-config')) await this.#alterConfig(topic);
      if (options.has('partitions')) await this.#addPartitions(topic, options.number('partitions')!);
    }
  }

  async #alterConfig(topic: string): Promise<void> {
    this.#print(
      'WARNING: Altering topic configuration from this script has been deprecated and may be removed in future releases.',
    );
    this.#print('         Going forward, please use kafka-configs.sh for this functionality');
    const config = await this.#zk.config('topics', topic);
    const added = topicConfigs(this.#options);
    requireValidConfigs(added);
    for (const [name, value] of added) config.set(name, value);
    for (const name of this.#options.values('delete-config')) config.delete(name.trim());
    await this.#zk.setConfig('topics', topic, config);
    await this.#zk.announceConfigChange(`topics/${topic}`);
    this.#print(`Updated config for topic "${topic}".`);
  }

  async #addPartitions(topic: string, count: number): Promise<void> {
    if (isInternal(topic)) {
      throw new CommandError('The number of partitions for the offsets topic cannot be changed.');
    }
    this.#print(
      'WARNING: If partitions are increased for a topic that has a key, the partition logic or ordering of the messages will be affected',
    );
    const existing = (await this.#zk.topic(topic))!.partitions;
    const added = count - existing.size;
    if (added <= 0) {
      throw new KafkaError(
        ErrorCode.INVALID_PARTITIONS,
        `The number of partitions for a topic can only be increased. Topic ${topic} currently has ${existing.size} partitions, ${count} would not be an increase.`,
      );
    }
    const fresh = await this.#newReplicas(existing, added);
    const all = new Map(
      [...existing].map(([partition, { replicas }]): [number, readonly number[]] => [partition, replicas]),
    );
    for (const [partition, replicas] of fresh) all.set(partition, replicas);
    await this.#zk.client.setData(paths.topic(topic), await this.#keepingId(topic, all));
    this.#print('Adding partitions succeeded!');
  }

  async #newReplicas(existing: TopicAssignment['partitions'], added: number): Promise<Map<number, number[]>> {
    const byHand = this.#options.value('replica-assignment');
    if (byHand !== undefined) {
      const replicas = replicaAssignment(byHand, EXCEPTIONS).slice(existing.size);
      return new Map(replicas.map((ids, index) => [existing.size + index, ids]));
    }
    const brokers = [...(await this.#zk.liveBrokers()).keys()].sort((a, b) => a - b);
    const first = existing.get(0)!.replicas;
    const options = {
      brokers,
      partitionCount: added,
      replicationFactor: first.length,
      firstPartition: existing.size,
      startIndex: Math.max(0, brokers.indexOf(first[0]!)),
    };
    return assignReplicas(options, this.#runtime.random);
  }

  /** What a newer broker has added to the node stays: 2.1's own tool drops the topic's id. */
  async #keepingId(topic: string, replicas: ReadonlyMap<number, readonly number[]>): Promise<Uint8Array> {
    const { data } = await this.#zk.client.getData(paths.topic(topic));
    const node = JSON.parse(data?.toString() ?? '{}') as Record<string, unknown>;
    return encodeJson({ ...node, partitions: Object.fromEntries(replicas) });
  }

  async #describe(): Promise<void> {
    const options = this.#options;
    const alive = new Set((await this.#zk.liveBrokers()).keys());
    const deleted = new Set(await this.#zk.topicsToDelete());
    const reportsPartitions = ['unavailable', 'under-replicated'].some((name) => options.has(`${name}-partitions`));
    for (const topic of await this.#matching()) {
      const assignment = await this.#zk.topic(topic);
      if (assignment === undefined) {
        this.#print(`Topic ${topic} doesn't exist!`);
        continue;
      }
      const partitions = [...assignment.partitions].sort(([a], [b]) => a - b);
      if (!reportsPartitions) {
        const config = await this.#zk.config('topics', topic);
        if (options.has('topics-with-overrides') && config.size === 0) continue;
        const settings = [...config].map(([name, value]) => `${name}=${value}`).join(',');
        const mark = deleted.has(topic) ? '\tMarkedForDeletion:true' : '';
        this.#print(
          `Topic:${topic}\tPartitionCount:${partitions.length}\tReplicationFactor:${partitions[0]?.[1].replicas.length ?? 0}\tConfigs:${settings}${mark}`,
        );
      }
      if (options.has('topics-with-overrides')) continue;
      for (const [partition, { replicas }] of partitions) {
        const line = await this.#partitionLine(topic, partition, replicas, alive);
        if (line !== undefined) this.#print(deleted.has(topic) ? `${line}\tMarkedForDeletion: true` : line);
      }
    }
  }

  async #partitionLine(
    topic: string,
    partition: number,
    replicas: readonly number[],
    alive: ReadonlySet<number>,
  ): Promise<string | undefined> {
    const state = (await this.#zk.partitionState(topic, partition))?.state;
    const leader = state === undefined || state.leader < 0 ? undefined : state.leader;
    const isr = state?.isr ?? [];
    if (this.#options.has('under-replicated-partitions') && isr.length >= replicas.length) return undefined;
    if (this.#options.has('unavailable-partitions') && leader !== undefined && alive.has(leader)) return undefined;
    return `\tTopic: ${topic}\tPartition: ${partition}\tLeader: ${leader ?? 'none'}\tReplicas: ${replicas.join(',')}\tIsr: ${isr.join(',')}`;
  }
}

/** Version 1: a broker that wants a topic id adds it. */
function topicNode(replicas: ReadonlyMap<number, readonly number[]>): Uint8Array {
  return encodeJson({ version: 1, partitions: Object.fromEntries(replicas) });
}

function alreadyExists(topic: string): KafkaError {
  return new KafkaError(ErrorCode.TOPIC_ALREADY_EXISTS, `Topic '${topic}' already exists.`);
}

/** In 2.1's words. */
function illegalName(topic: string): string | undefined {
  if (topic === '') return "Topic name is illegal, it can't be empty";
  if (topic === '.' || topic === '..') return 'Topic name cannot be "." or ".."';
  if (topic.length > 249) {
    return `Topic name is illegal, it can't be longer than 249 characters, topic name: ${topic}`;
  }
  if (!/^[a-zA-Z0-9._-]+$/.test(topic)) {
    return `Topic name "${topic}" is illegal, it contains a character other than ASCII alphanumerics, '.', '_' and '-'`;
  }
  return undefined;
}
