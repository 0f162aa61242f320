import type { Clock } from '../../runtime/clock.ts';
import type { Random } from '../../runtime/random.ts';
import { ZERO_UUID } from '../../wire/schema.ts';
import type { ZookeeperClient } from '../../zookeeper/client/client.ts';
import type { MultiOp } from '../../zookeeper/client/multi.ts';
import { CreateMode } from '../../zookeeper/jute/create-mode.ts';
import type { Stat } from '../../zookeeper/jute/data.ts';
import { ErrorCode } from '../../zookeeper/jute/errors.ts';
import { AdminRequests } from './admin-requests.ts';
import { registerBroker, updateBroker } from './broker-registration.ts';
import { ChangeNodes } from './change-nodes.ts';
import { type ControllerEpoch, electController, fenced, resignController } from './controller-election.ts';
import { groupEntity } from './entity-names.ts';
import type { PersistentRequests } from './persistent-requests.ts';
import { unless, watching, ZkConnection } from './zk-connection.ts';
import {
  type BrokerInfo,
  type ConfigEntityType,
  decodeBroker,
  decodeClusterId,
  decodeConfig,
  decodeController,
  decodePartitionState,
  decodeTopic,
  encodeClusterId,
  encodeConfig,
  encodeConfigChange,
  encodeFeature,
  encodeLogDirEvent,
  encodePartitionState,
  encodeProducerIdBlock,
  encodeTopic,
  firstProducerIdAfter,
  type PartitionState,
  paths,
  persistentPaths,
  type TopicAssignment,
} from './znodes.ts';

export interface VersionedState {
  readonly state: PartitionState;
  readonly zkVersion: number;
}

export interface RegisteredBroker {
  readonly info: BrokerInfo;
  /** czxid of the broker's znode: identifies one life of a broker (KIP-380). */
  readonly epoch: number;
}

/** Producer ids are handed out in blocks of this many. */
const PRODUCER_ID_BLOCK_SIZE = 1000;

/** Kafka's one door to ZooKeeper: every operation that brokers and controllers perform on the znodes (`KafkaZkClient`). */
export class KafkaZk {
  readonly #zk: ZkConnection;
  /** What tools ask of the controller below /admin. */
  readonly adminRequests: AdminRequests;
  /** Each names an entity whose configuration changed. */
  readonly configChanges: ChangeNodes;
  readonly #clock: Clock;
  readonly #random: Random;

  /** @param protects what is created belongs to the brokers (`zookeeper.set.acl`), else to everybody */
  constructor(client: ZookeeperClient, clock: Clock, random: Random, protects = false) {
    this.#zk = new ZkConnection(client, protects);
    this.adminRequests = new AdminRequests(this.#zk);
    this.configChanges = new ChangeNodes({ zk: this, clock, path: paths.configChanges, prefix: 'config_change_' });
    this.#clock = clock;
    this.#random = random;
  }

  get client(): ZookeeperClient {
    return this.#zk.client;
  }

  /** Requests of the session of now, for those who keep znodes of their own kind. */
  get requests(): PersistentRequests {
    return this.#zk.requests;
  }

  /** A session that expired is replaced by another. */
  use(client: ZookeeperClient): void {
    this.#zk.use(client);
  }

  async createPersistentPaths(): Promise<void> {
    // Parents come before children in the list of requests, and requests of one session are processed in order.
    const wanted = new Set<string>();
    for (const path of persistentPaths) {
      for (let slash = path.indexOf('/', 1); slash > 0; slash = path.indexOf('/', slash + 1))
        wanted.add(path.slice(0, slash));
      wanted.add(path);
    }
    await Promise.all([...wanted].map((path) => unless(ErrorCode.NODEEXISTS, this.#zk.requests.create(path, null))));
  }

  async clusterId(): Promise<string> {
    const existing = await unless(ErrorCode.NONODE, this.#zk.requests.getData(paths.clusterId));
    const known = existing && decodeClusterId(existing.data);
    if (known !== undefined) return known;
    const id = Buffer.from(this.#random.bytes(16)).toString('base64url');
    await unless(ErrorCode.NODEEXISTS, this.#zk.requests.create(paths.cluster, null));
    const created = await unless(ErrorCode.NODEEXISTS, this.#zk.requests.create(paths.clusterId, encodeClusterId(id)));
    return created === undefined ? this.clusterId() : id;
  }

  /** The next id for a broker without one: above `reserved.broker.max.id`. */
  async generateBrokerId(reservedMax: number): Promise<number> {
    const stat = await this.#zk.requests.setData(paths.brokerSequence, new Uint8Array(0));
    return reservedMax + stat.version;
  }

  // ---- brokers

  /** Answers the broker's epoch. @throws BrokerIdInUseError */
  async registerBroker(info: BrokerInfo): Promise<number> {
    return registerBroker(this.#zk, this.#clock, info);
  }

  /** What is registered changes, with the broker alive (`KafkaZkClient.updateBrokerInfo`). */
  updateBroker(info: BrokerInfo): Promise<void> {
    return updateBroker(this.#zk, this.#clock, info);
  }

  /** The live brokers; `onChange` is called once when the set changes. */
  async liveBrokers(onChange?: () => void): Promise<Map<number, RegisteredBroker>> {
    const names = await this.#zk.requests.getChildren(paths.brokerIds, watching(onChange));
    const found = await Promise.all(names.map((name) => this.broker(Number(name), onChange)));
    const brokers = new Map<number, RegisteredBroker>();
    for (const broker of found) if (broker !== undefined) brokers.set(broker.info.id, broker);
    return brokers;
  }

  async broker(id: number, onChange?: () => void): Promise<RegisteredBroker | undefined> {
    const node = await unless(ErrorCode.NONODE, this.#zk.requests.getData(paths.broker(id), watching(onChange)));
    const info = node && decodeBroker(id, node.data);
    return node === undefined || info === undefined ? undefined : { info, epoch: Number(node.stat.czxid) };
  }

  // ---- the controller

  /** Who is the controller; `onChange` is called once when that changes, whether or not there is one now. */
  async controller(onChange?: () => void): Promise<number | undefined> {
    for (;;) {
      const node = await unless(ErrorCode.NONODE, this.#zk.requests.getData(paths.controller, watching(onChange)));
      if (node !== undefined) return decodeController(node.data);
      if ((await this.#zk.requests.exists(paths.controller, watching(onChange))) === undefined) return undefined;
    }
  }

  /** Takes the controllership if nobody has it. Undefined when lost. */
  async electController(brokerId: number): Promise<ControllerEpoch | undefined> {
    return electController(this.#zk, this.#clock, brokerId);
  }

  /** Gives the controllership up, if there is a connection; others are told by their watches. */
  async resignController(epoch: ControllerEpoch): Promise<void> {
    await resignController(this.#zk, epoch);
  }

  /** One write that counts only while the epoch is ours. @throws ControllerMovedError */
  #fenced(epoch: ControllerEpoch, operation: MultiOp): Promise<void> {
    return fenced(this.#zk, epoch, operation);
  }

  async createFeatureNode(epoch: ControllerEpoch): Promise<void> {
    await unless(
      ErrorCode.NODEEXISTS,
      this.#fenced(epoch, { kind: 'create', path: paths.feature, data: encodeFeature() }),
    );
  }

  // ---- topics and partitions

  async topics(onChange?: () => void): Promise<string[]> {
    return this.#zk.requests.getChildren(paths.topics, watching(onChange));
  }

  async topicExists(topic: string): Promise<boolean> {
    return (await this.#zk.requests.exists(paths.topic(topic))) !== undefined;
  }

  async topic(topic: string, onChange?: () => void): Promise<TopicAssignment | undefined> {
    const node = await unless(ErrorCode.NONODE, this.#zk.requests.getData(paths.topic(topic), watching(onChange)));
    return node && decodeTopic(node.data);
  }

  /**
   * What CreateTopics and automatic creation write; the controller's watch does the rest. Answers false if the topic is there.
   */
  async createTopic(topic: string, assignment: TopicAssignment, config: ReadonlyMap<string, string>): Promise<boolean> {
    await this.setConfig('topics', topic, config);
    const created = await unless(
      ErrorCode.NODEEXISTS,
      this.#zk.requests.create(paths.topic(topic), encodeTopic(assignment)),
    );
    return created !== undefined;
  }

  /** Answers false if the topic is gone. */
  async setTopic(topic: string, assignment: TopicAssignment, epoch?: ControllerEpoch): Promise<boolean> {
    const path = paths.topic(topic);
    const data = encodeTopic(assignment);
    const write: Promise<unknown> =
      epoch === undefined
        ? this.#zk.requests.setData(path, data)
        : this.#fenced(epoch, { kind: 'setData', path, data, version: -1 });
    return (
      (await unless(
        ErrorCode.NONODE,
        write.then(() => true),
      )) === true
    );
  }

  async partitionState(topic: string, partition: number): Promise<VersionedState | undefined> {
    const node = await unless(ErrorCode.NONODE, this.#zk.requests.getData(paths.partitionState(topic, partition)));
    const state = node && decodePartitionState(node.data);
    return node === undefined || state === undefined ? undefined : { state, zkVersion: node.stat.version };
  }

  /** The node of a partition, with its parents. Answers false if its state is there already. */
  async createPartition(
    epoch: ControllerEpoch,
    topic: string,
    partition: number,
    state: PartitionState,
  ): Promise<boolean> {
    const nodes = [
      { path: paths.partitions(topic), data: null },
      { path: paths.partition(topic, partition), data: null },
      { path: paths.partitionState(topic, partition), data: encodePartitionState(state) },
    ];
    // One session's requests are processed in order, so all three are under way at once.
    const results = await Promise.all(
      nodes.map(({ path, data }) =>
        unless(
          ErrorCode.NODEEXISTS,
          this.#fenced(epoch, { kind: 'create', path, data }).then(() => true),
        ),
      ),
    );
    return results[2] === true;
  }

  /** Answers the new version, undefined if somebody else changed the state. */
  async setPartitionState(
    epoch: ControllerEpoch,
    topic: string,
    partition: number,
    state: PartitionState,
    expectedVersion: number,
  ): Promise<number | undefined> {
    const path = paths.partitionState(topic, partition);
    const done = await unless(
      ErrorCode.BADVERSION,
      this.#fenced(epoch, { kind: 'setData', path, data: encodePartitionState(state), version: expectedVersion }).then(
        () => true,
      ),
    );
    return done === undefined ? undefined : expectedVersion + 1;
  }

  async topicsToDelete(onChange?: () => void): Promise<string[]> {
    return this.#zk.requests.getChildren(paths.deleteTopics, watching(onChange));
  }

  async isTopicBeingDeleted(topic: string): Promise<boolean> {
    return (await this.#zk.requests.exists(paths.deleteTopic(topic))) !== undefined;
  }

  /** Asks for a deletion. Answers false if it was asked for already. */
  async requestTopicDeletion(topic: string): Promise<boolean> {
    return (await unless(ErrorCode.NODEEXISTS, this.#zk.requests.create(paths.deleteTopic(topic), null))) !== undefined;
  }

  async forgetTopicDeletion(epoch: ControllerEpoch, topic: string): Promise<void> {
    await unless(
      ErrorCode.NONODE,
      this.#fenced(epoch, { kind: 'delete', path: paths.deleteTopic(topic), version: -1 }),
    );
  }

  /** Removes everything of a topic, children first, and the request for its deletion last. */
  async removeTopic(epoch: ControllerEpoch, topic: string, partitions: Iterable<number>): Promise<void> {
    const nodes: string[] = [];
    const stored = (await unless(ErrorCode.NONODE, this.#zk.requests.getChildren(paths.partitions(topic)))) ?? [];
    for (const partition of new Set([...partitions, ...stored.map(Number)]))
      nodes.push(paths.partitionState(topic, partition), paths.partition(topic, partition));
    nodes.push(
      paths.partitions(topic),
      paths.topic(topic),
      paths.entityConfig('topics', topic),
      paths.deleteTopic(topic),
    );
    await Promise.all(
      nodes.map((path) => unless(ErrorCode.NONODE, this.#fenced(epoch, { kind: 'delete', path, version: -1 }))),
    );
  }

  // ---- configuration

  async config(entityType: ConfigEntityType, entity: string): Promise<Map<string, string>> {
    const node = await unless(ErrorCode.NONODE, this.#zk.requests.getData(paths.entityConfig(entityType, entity)));
    return node === undefined ? new Map() : decodeConfig(node.data);
  }

  async configuredEntities(entityType: ConfigEntityType): Promise<string[]> {
    return (await unless(ErrorCode.NONODE, this.#zk.requests.getChildren(paths.config(entityType)))) ?? [];
  }

  async setConfig(entityType: ConfigEntityType, entity: string, config: ReadonlyMap<string, string>): Promise<void> {
    const path = paths.entityConfig(entityType, entity);
    const data = encodeConfig(config);
    if ((await unless(ErrorCode.NONODE, this.#zk.requests.setData(path, data))) !== undefined) return;
    if ((await unless(ErrorCode.NODEEXISTS, this.#zk.requests.create(path, data))) !== undefined) return;
    await this.#zk.requests.setData(path, data);
  }

  /** Users and clients without any value left have no node, unless it has children (`AdminZkClient.tryCleanQuotaNodes`). */
  async setOrRemoveConfig(
    entityType: 'users' | 'clients' | 'ips' | 'groups',
    entity: string,
    config: ReadonlyMap<string, string>,
  ): Promise<void> {
    if (config.size > 0) return this.setConfig(entityType, entity, config);
    const removing = unless(ErrorCode.NONODE, this.#zk.requests.delete(paths.entityConfig(entityType, entity)));
    const isRemoved = await unless(
      ErrorCode.NOTEMPTY,
      removing.then(() => true),
    );
    if (isRemoved !== true) await this.setConfig(entityType, entity, config);
  }

  groupConfig(group: string): Promise<Map<string, string>> {
    return this.config('groups', groupEntity(group));
  }

  /** /config/groups is not among the nodes that Apache's brokers know, and is made when it is needed. */
  async setGroupConfig(group: string, config: ReadonlyMap<string, string>): Promise<void> {
    const entity = groupEntity(group);
    await unless(ErrorCode.NODEEXISTS, this.#zk.requests.create(paths.config('groups'), new Uint8Array()));
    await this.setOrRemoveConfig('groups', entity, config);
    await this.announceConfigChange(`groups/${entity}`);
  }

  /** Tells every broker to read an entity's configuration again. */
  announceConfigChange(entityPath: string): Promise<void> {
    return this.configChanges.announce(encodeConfigChange(entityPath));
  }

  // ---- notifications from brokers, and producer ids

  /** Tells the controller that a log dir of this broker failed (`propagateLogDirEvent`). */
  async announceLogDirFailure(brokerId: number): Promise<void> {
    const path = `${paths.logDirEventNotification}/log_dir_event_`;
    await this.#zk.requests.create(path, encodeLogDirEvent(brokerId), { mode: CreateMode.PERSISTENT_SEQUENTIAL });
  }

  /** Handles what other brokers left in a queue of sequential nodes: the controller removes them after reading. */
  async takeNotifications(
    parent: string,
    epoch: ControllerEpoch,
    onChange: () => void,
  ): Promise<(Uint8Array | null)[]> {
    const names = (await this.#zk.requests.getChildren(parent, watching(onChange))).sort();
    const nodes = await Promise.all(
      names.map((name) => unless(ErrorCode.NONODE, this.#zk.requests.getData(`${parent}/${name}`))),
    );
    await Promise.all(
      names.map((name) =>
        unless(ErrorCode.NONODE, this.#fenced(epoch, { kind: 'delete', path: `${parent}/${name}`, version: -1 })),
      ),
    );
    return nodes.flatMap((node) => (node === undefined ? [] : [node.data]));
  }

  /** Reserves the next thousand producer ids for a broker: nobody else ever hands them out. Answers the first. */
  async allocateProducerIds(brokerId: number): Promise<{ first: number; count: number }> {
    for (;;) {
      const node = await this.#zk.requests.getData(paths.producerIdBlock);
      const first = firstProducerIdAfter(node.data);
      const next = encodeProducerIdBlock({ broker: brokerId, first, last: first + PRODUCER_ID_BLOCK_SIZE - 1 });
      const stat: Stat | undefined = await unless(
        ErrorCode.BADVERSION,
        this.#zk.requests.setData(paths.producerIdBlock, next, node.stat.version),
      );
      if (stat !== undefined) return { first, count: PRODUCER_ID_BLOCK_SIZE };
    }
  }

  /** A topic id: random, never one of the two reserved ones, and not starting with a dash (tools would take it for an option). */
  newTopicId(): string {
    for (;;) {
      const id = Buffer.from(this.#random.bytes(16)).toString('base64url');
      if (id !== ZERO_UUID && !id.startsWith('-')) return id;
    }
  }
}
