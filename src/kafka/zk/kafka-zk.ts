import type { Clock } from '../../runtime/clock.ts';
import type { Random } from '../../runtime/random.ts';
import { ZERO_UUID } from '../../wire/schema.ts';
import type { ZookeeperClient } from '../../zookeeper/client/client.ts';
import { MultiError, type MultiOp } from '../../zookeeper/client/multi.ts';
import { CreateMode } from '../../zookeeper/jute/create-mode.ts';
import type { Stat } from '../../zookeeper/jute/data.ts';
import { ErrorCode, KeeperError } from '../../zookeeper/jute/errors.ts';
import { PersistentRequests } from './persistent-requests.ts';
import {
  type BrokerInfo,
  type ConfigEntityType,
  decodeBroker,
  decodeClusterId,
  decodeConfig,
  decodeConfigChange,
  decodeController,
  decodePartitionState,
  decodeTopic,
  encodeBroker,
  encodeClusterId,
  encodeConfig,
  encodeConfigChange,
  encodeController,
  encodeFeature,
  encodePartitionState,
  encodeProducerIdBlock,
  encodeTopic,
  firstProducerIdAfter,
  type PartitionState,
  paths,
  persistentPaths,
  type TopicAssignment,
} from './znodes.ts';

/** What the controller proves with every write: it still is the one that raised the epoch (`/controller_epoch`'s version). */
export interface ControllerEpoch {
  readonly epoch: number;
  readonly zkVersion: number;
}

export interface VersionedState {
  readonly state: PartitionState;
  readonly zkVersion: number;
}

export interface RegisteredBroker {
  readonly info: BrokerInfo;
  /** czxid of the broker's znode: identifies one life of a broker (KIP-380). */
  readonly epoch: number;
}

/** Another controller was elected: nothing that this one still wants to write may be written. */
export class ControllerMovedError extends Error {
  constructor(options?: ErrorOptions) {
    super('another broker is the controller now', options);
    this.name = 'ControllerMovedError';
  }
}

/** Another live broker holds the id. */
export class BrokerIdInUseError extends Error {
  constructor(id: number) {
    super(`Error while creating ephemeral at ${paths.broker(id)}: node already exists and is owned by another session`);
    this.name = 'BrokerIdInUseError';
  }
}

/** A dead client's session ends within its timeout and one tick of the server; some slack for a busy machine. */
const LEFTOVER_SESSION_FACTOR = 1.5;
/** Producer ids are handed out in blocks of this many. */
const PRODUCER_ID_BLOCK_SIZE = 1000;
/** Changes older than this are removed by whoever processes a change. */
const CONFIG_CHANGE_LIFETIME_MS = 15 * 60_000;

const codeOf = (error: unknown): number | undefined => (error instanceof KeeperError ? error.code : undefined);

/** Undefined instead of an error of one kind. */
async function unless<T>(code: number, promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (codeOf(error) === code) return undefined;
    throw error;
  }
}

/** Kafka's one door to ZooKeeper: every operation that brokers and controllers perform on the znodes (`KafkaZkClient`). */
export class KafkaZk {
  #session: ZookeeperClient;
  #client: PersistentRequests;
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(client: ZookeeperClient, clock: Clock, random: Random) {
    this.#session = client;
    this.#client = new PersistentRequests(client);
    this.#clock = clock;
    this.#random = random;
  }

  get client(): ZookeeperClient {
    return this.#session;
  }

  /** A session that expired is replaced by another. */
  use(client: ZookeeperClient): void {
    this.#session = client;
    this.#client = new PersistentRequests(client);
  }

  async createPersistentPaths(): Promise<void> {
    // Parents come before children in the list of requests, and requests of one session are processed in order.
    const wanted = new Set<string>();
    for (const path of persistentPaths) {
      for (let slash = path.indexOf('/', 1); slash > 0; slash = path.indexOf('/', slash + 1))
        wanted.add(path.slice(0, slash));
      wanted.add(path);
    }
    await Promise.all([...wanted].map((path) => unless(ErrorCode.NODEEXISTS, this.#client.create(path, null))));
  }

  async clusterId(): Promise<string> {
    const existing = await unless(ErrorCode.NONODE, this.#client.getData(paths.clusterId));
    const known = existing && decodeClusterId(existing.data);
    if (known !== undefined) return known;
    const id = Buffer.from(this.#random.bytes(16)).toString('base64url');
    await unless(ErrorCode.NODEEXISTS, this.#client.create(paths.cluster, null));
    const created = await unless(ErrorCode.NODEEXISTS, this.#client.create(paths.clusterId, encodeClusterId(id)));
    return created === undefined ? this.clusterId() : id;
  }

  /** The next id for a broker without one: above `reserved.broker.max.id`. */
  async generateBrokerId(reservedMax: number): Promise<number> {
    const stat = await this.#client.setData(paths.brokerSequence, new Uint8Array(0));
    return reservedMax + stat.version;
  }

  // ---- brokers

  /**
   * Announces the broker and answers its epoch. 3.9 creates the node empty and fills it in one transaction, so that a fresh
   * node has data version 1. A node of our own session is replaced. One of another session may be what our last life left behind
   * when it was killed: it gets the time that a session lives without its client, then it is a live broker's.
   * @throws BrokerIdInUseError
   */
  async registerBroker(info: BrokerInfo): Promise<number> {
    const path = paths.broker(info.id);
    const data = encodeBroker(info, this.#clock.wallMs());
    const deadlineMs = this.#clock.monotonicMs() + this.client.sessionTimeoutMs * LEFTOVER_SESSION_FACTOR;
    for (;;) {
      const done = await unless(
        ErrorCode.NODEEXISTS,
        this.#client.multi([
          { kind: 'create', path, data: null, mode: CreateMode.EPHEMERAL },
          { kind: 'setData', path, data, version: 0 },
        ]),
      );
      if (done !== undefined) break;
      await this.#outliveLeftover(info.id, deadlineMs);
    }
    const stat = await this.#client.exists(path);
    if (stat === undefined) throw new BrokerIdInUseError(info.id);
    return Number(stat.czxid);
  }

  /** Returns when the node may be gone. @throws BrokerIdInUseError when its owner outlives the deadline */
  async #outliveLeftover(id: number, deadlineMs: number): Promise<void> {
    const path = paths.broker(id);
    let vanished: () => void = () => undefined;
    const gone = new Promise<void>((resolve) => {
      vanished = resolve;
    });
    const stat = await this.#client.exists(path, { watch: () => vanished() });
    if (stat === undefined) return;
    if (stat.ephemeralOwner === this.client.sessionId) {
      await unless(ErrorCode.NONODE, this.#client.delete(path));
      return;
    }
    const leftMs = deadlineMs - this.#clock.monotonicMs();
    if (leftMs <= 0) throw new BrokerIdInUseError(id);
    const timer = this.#clock.after(leftMs, vanished);
    await gone;
    timer.cancel();
  }

  /** The live brokers; `onChange` is called once when the set changes. */
  async liveBrokers(onChange?: () => void): Promise<Map<number, RegisteredBroker>> {
    const names = await this.#client.getChildren(paths.brokerIds, watching(onChange));
    const found = await Promise.all(names.map((name) => this.broker(Number(name))));
    const brokers = new Map<number, RegisteredBroker>();
    for (const broker of found) if (broker !== undefined) brokers.set(broker.info.id, broker);
    return brokers;
  }

  async broker(id: number, onChange?: () => void): Promise<RegisteredBroker | undefined> {
    const node = await unless(ErrorCode.NONODE, this.#client.getData(paths.broker(id), watching(onChange)));
    const info = node && decodeBroker(id, node.data);
    return node === undefined || info === undefined ? undefined : { info, epoch: Number(node.stat.czxid) };
  }

  // ---- the controller

  /** Who is the controller; `onChange` is called once when that changes, whether or not there is one now. */
  async controller(onChange?: () => void): Promise<number | undefined> {
    for (;;) {
      const node = await unless(ErrorCode.NONODE, this.#client.getData(paths.controller, watching(onChange)));
      if (node !== undefined) return decodeController(node.data);
      if ((await this.#client.exists(paths.controller, watching(onChange))) === undefined) return undefined;
    }
  }

  /** Takes the controllership if nobody has it: one transaction creates the node and raises the epoch. Undefined when lost. */
  async electController(brokerId: number): Promise<ControllerEpoch | undefined> {
    const current = await this.#controllerEpoch();
    const epoch = current.epoch + 1;
    try {
      await this.#client.multi([
        {
          kind: 'create',
          path: paths.controller,
          data: encodeController(brokerId, this.#clock.wallMs()),
          mode: CreateMode.EPHEMERAL,
        },
        { kind: 'setData', path: paths.controllerEpoch, data: Buffer.from(String(epoch)), version: current.zkVersion },
      ]);
    } catch (error) {
      const code = codeOf(error);
      if (code !== ErrorCode.NODEEXISTS && code !== ErrorCode.BADVERSION) throw error;
      if (!(await this.#electedAnyway(brokerId, epoch))) return undefined;
    }
    return { epoch, zkVersion: current.zkVersion + 1 };
  }

  /** The answer to our election was lost with its connection, and the repetition found what we had written. */
  async #electedAnyway(brokerId: number, epoch: number): Promise<boolean> {
    const node = await unless(ErrorCode.NONODE, this.#client.getData(paths.controller));
    if (node === undefined || node.stat.ephemeralOwner !== this.client.sessionId) return false;
    return decodeController(node.data) === brokerId && (await this.#controllerEpoch()).epoch === epoch;
  }

  async #controllerEpoch(): Promise<ControllerEpoch> {
    for (;;) {
      const node = await unless(ErrorCode.NONODE, this.#client.getData(paths.controllerEpoch));
      if (node !== undefined) {
        return { epoch: Number(Buffer.from(node.data ?? []).toString()), zkVersion: node.stat.version };
      }
      await unless(ErrorCode.NODEEXISTS, this.#client.create(paths.controllerEpoch, Buffer.from('0')));
    }
  }

  /**
   * Gives the controllership up; others are told by their watches. Tried once and only while connected: whoever stops does not wait
   * for ZooKeeper, and the session's end does the same.
   */
  async resignController(epoch: ControllerEpoch): Promise<void> {
    const session = this.#session;
    if (session.state !== 'connected') return;
    try {
      await session.multi([
        { kind: 'check', path: paths.controllerEpoch, version: epoch.zkVersion },
        { kind: 'delete', path: paths.controller, version: -1 },
      ]);
    } catch (error) {
      if (!(error instanceof KeeperError)) throw error;
    }
  }

  /** One write that counts only while the epoch is ours. @throws ControllerMovedError */
  async #fenced(epoch: ControllerEpoch, operation: MultiOp): Promise<void> {
    try {
      await this.#client.multi([{ kind: 'check', path: paths.controllerEpoch, version: epoch.zkVersion }, operation]);
    } catch (error) {
      if (error instanceof MultiError && error.failedIndex === 0) {
        throw new ControllerMovedError({ cause: error });
      }
      throw error;
    }
  }

  async createFeatureNode(epoch: ControllerEpoch): Promise<void> {
    await unless(
      ErrorCode.NODEEXISTS,
      this.#fenced(epoch, { kind: 'create', path: paths.feature, data: encodeFeature() }),
    );
  }

  // ---- topics and partitions

  async topics(onChange?: () => void): Promise<string[]> {
    return this.#client.getChildren(paths.topics, watching(onChange));
  }

  async topicExists(topic: string): Promise<boolean> {
    return (await this.#client.exists(paths.topic(topic))) !== undefined;
  }

  async topic(topic: string, onChange?: () => void): Promise<TopicAssignment | undefined> {
    const node = await unless(ErrorCode.NONODE, this.#client.getData(paths.topic(topic), watching(onChange)));
    return node && decodeTopic(node.data);
  }

  /**
   * What CreateTopics and automatic creation write; the controller's watch does the rest. Answers false if the topic is there.
   */
  async createTopic(topic: string, assignment: TopicAssignment, config: ReadonlyMap<string, string>): Promise<boolean> {
    await this.setConfig('topics', topic, config);
    const created = await unless(
      ErrorCode.NODEEXISTS,
      this.#client.create(paths.topic(topic), encodeTopic(assignment)),
    );
    return created !== undefined;
  }

  /** Answers false if the topic is gone. */
  async setTopic(topic: string, assignment: TopicAssignment, epoch?: ControllerEpoch): Promise<boolean> {
    const path = paths.topic(topic);
    const data = encodeTopic(assignment);
    const write: Promise<unknown> =
      epoch === undefined
        ? this.#client.setData(path, data)
        : this.#fenced(epoch, { kind: 'setData', path, data, version: -1 });
    return (
      (await unless(
        ErrorCode.NONODE,
        write.then(() => true),
      )) === true
    );
  }

  async partitionState(topic: string, partition: number): Promise<VersionedState | undefined> {
    const node = await unless(ErrorCode.NONODE, this.#client.getData(paths.partitionState(topic, partition)));
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
    return this.#client.getChildren(paths.deleteTopics, watching(onChange));
  }

  /** Asks for a deletion. Answers false if it was asked for already. */
  async requestTopicDeletion(topic: string): Promise<boolean> {
    return (await unless(ErrorCode.NODEEXISTS, this.#client.create(paths.deleteTopic(topic), null))) !== undefined;
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
    const stored = (await unless(ErrorCode.NONODE, this.#client.getChildren(paths.partitions(topic)))) ?? [];
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
    const node = await unless(ErrorCode.NONODE, this.#client.getData(paths.entityConfig(entityType, entity)));
    return node === undefined ? new Map() : decodeConfig(node.data);
  }

  async configuredEntities(entityType: ConfigEntityType): Promise<string[]> {
    return (await unless(ErrorCode.NONODE, this.#client.getChildren(paths.config(entityType)))) ?? [];
  }

  async setConfig(entityType: ConfigEntityType, entity: string, config: ReadonlyMap<string, string>): Promise<void> {
    const path = paths.entityConfig(entityType, entity);
    const data = encodeConfig(config);
    if ((await unless(ErrorCode.NONODE, this.#client.setData(path, data))) !== undefined) return;
    if ((await unless(ErrorCode.NODEEXISTS, this.#client.create(path, data))) !== undefined) return;
    await this.#client.setData(path, data);
  }

  /** Tells every broker to read an entity's configuration again. */
  async announceConfigChange(entityPath: string): Promise<void> {
    await this.#client.create(`${paths.configChanges}/config_change_`, encodeConfigChange(entityPath), {
      mode: CreateMode.PERSISTENT_SEQUENTIAL,
    });
  }

  /** Names of the pending notifications, in order. */
  async configChanges(onChange: () => void): Promise<string[]> {
    return (await this.#client.getChildren(paths.configChanges, watching(onChange))).sort();
  }

  async configChange(name: string): Promise<string | undefined> {
    const node = await unless(ErrorCode.NONODE, this.#client.getData(`${paths.configChanges}/${name}`));
    if (node === undefined) return undefined;
    if (this.#clock.wallMs() - node.stat.ctime > CONFIG_CHANGE_LIFETIME_MS) {
      await unless(ErrorCode.NONODE, this.#client.delete(`${paths.configChanges}/${name}`));
    }
    return decodeConfigChange(node.data);
  }

  // ---- notifications from brokers, and producer ids

  /** Handles what other brokers left in a queue of sequential nodes: the controller removes them after reading. */
  async takeNotifications(
    parent: string,
    epoch: ControllerEpoch,
    onChange: () => void,
  ): Promise<(Uint8Array | null)[]> {
    const names = (await this.#client.getChildren(parent, watching(onChange))).sort();
    const nodes = await Promise.all(
      names.map((name) => unless(ErrorCode.NONODE, this.#client.getData(`${parent}/${name}`))),
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
      const node = await this.#client.getData(paths.producerIdBlock);
      const first = firstProducerIdAfter(node.data);
      const next = encodeProducerIdBlock({ broker: brokerId, first, last: first + PRODUCER_ID_BLOCK_SIZE - 1 });
      const stat: Stat | undefined = await unless(
        ErrorCode.BADVERSION,
        this.#client.setData(paths.producerIdBlock, next, node.stat.version),
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

function watching(onChange: (() => void) | undefined): { watch?: () => void } {
  return onChange === undefined ? {} : { watch: onChange };
}
