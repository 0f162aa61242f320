import { inGroups } from '../../base/in-groups.ts';
import type { Clock, Timer } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { ZERO_UUID } from '../../wire/schema.ts';
import type { OpenChannel } from '../channel/broker-channel.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import type { ControllerEpoch } from '../zk/controller-election.ts';
import type { KafkaZk, RegisteredBroker } from '../zk/kafka-zk.ts';
import { decodeLogDirEvent, paths } from '../zk/znodes.ts';
import { BrokerLinks } from './broker-links.ts';
import { ControllerContext, keyOf, type TopicPartition } from './controller-context.ts';
import { type EventFigures, EventQueue } from './event-queue.ts';
import { FIRST_BALANCE_MS, type LeaderBalanceConfig, misplacedLeaders } from './leader-balance.ts';
import { electLeaders } from './leader-requests.ts';
import { Leaderships } from './leaderships.ts';
import { PartitionStates } from './partition-states.ts';
import { Reassignments } from './reassignments.ts';
import type { Reign } from './reign.ts';
import { type ReplicaOutcome, RequestBatch } from './request-batch.ts';
import { type DeletionOutcome, TopicDeletions } from './topic-deletions.ts';

export interface ControllerOptions {
  readonly brokerId: number;
  readonly zk: KafkaZk;
  readonly clock: Clock;
  readonly log: Log;
  readonly openChannel: OpenChannel;
  /** On which brokers speak to each other. */
  readonly interBrokerListenerName: string;
  /** On which it speaks to them. */
  readonly controlListenerName: string;
  readonly deleteTopicEnabled: () => boolean;
  /** `unclean.leader.election.enable` of a topic. */
  readonly uncleanElectionAllowed: (topic: string) => boolean;
  readonly leaderBalance: LeaderBalanceConfig;
  readonly figures?: EventFigures | undefined;
  /** This broker begins to reign, or does no longer. */
  readonly onReign: (isReigning: boolean) => void;
  /** What only a broken invariant throws. */
  readonly onFatal: (error: unknown) => void;
}

/** Znodes that are asked for together; a cluster may have a hundred thousand. */
const READS_AT_ONCE = 512;

/**
 * Every broker runs one; the one that creates /controller decides who leads what, and tells the brokers.
 *
 *   starting ─ start ─▶ electing ─ won ─▶ reigning ─ moved, session lost ─▶ following ─ /controller gone ─▶ electing
 *                          └──── lost ─▶ following
 *
 * All of it happens in events handled strictly one after the other (`KafkaController`): watches and
 * requests only queue one.
 */
export class Controller {
  readonly #options: ControllerOptions;
  #reign: Reign | undefined;
  #balanceTimer: Timer | undefined;
  readonly #events: EventQueue;
  // Each watch has one callback for good: the client keeps a set of them, so that setting a watch again adds none.
  readonly #onControllerChange = (): void => void this.#event('controller change', () => this.#controllerChanged());
  readonly #onBrokerChange = (): void => this.#reigning('broker change', (reign) => this.#brokersChanged(reign));
  readonly #onTopicChange = (): void => this.#reigning('topic change', (reign) => this.#topicsChanged(reign));
  readonly #onDeletion = (): void => this.#reigning('topic deletion', (reign) => this.#deletionsChanged(reign));
  readonly #onIsrChange = (): void => this.#reigning('ISR change', (reign) => this.#isrChanged(reign));
  readonly #onLogDirEvent = (): void => this.#reigning('log dir event', (reign) => this.#takeLogDirEvents(reign));
  readonly #onElectionAsked = (): void => this.#reigning('election asked', (reign) => this.#electAsAsked(reign));
  readonly #onReassignmentAsked = (): void =>
    this.#reigning('reassignment asked', (reign) => reign.reassignments.askedInZookeeper(this.#onReassignmentAsked));
  readonly #onPartitionChange = new Map<string, () => void>();

  constructor(options: ControllerOptions) {
    this.#options = options;
    const { log, onFatal, clock, figures } = options;
    this.#events = new EventQueue(log, { moved: () => this.#moved(), fatal: onFatal }, clock, figures);
  }

  get isActive(): boolean {
    return this.#reign !== undefined;
  }

  /** What it knows of the cluster while it reigns. */
  get context(): ControllerContext | undefined {
    return this.#reign?.context;
  }

  get waitingEvents(): number {
    return this.#events.waiting;
  }

  get epoch(): number | undefined {
    return this.#reign?.epoch.epoch;
  }

  /** Watches /controller and tries to be elected. */
  start(): Promise<void> {
    return this.#event('startup', () => this.#elect());
  }

  /** When a broker knows what this controller has decided so far; at once where another one reigns. */
  async told(broker: number): Promise<void> {
    await this.#events.settled();
    await this.#reign?.links.settled(broker);
  }

  /** The session is gone and with it /controller: somebody else may reign already. */
  sessionExpired(): Promise<void> {
    return this.#event('session expired', async () => this.#resign());
  }

  /** A new session: as at the start. */
  sessionRenewed(): Promise<void> {
    return this.start();
  }

  /**
   * Gives the controllership up and stops, without waiting for events under way: they may wait for ZooKeeper. The znode goes at
   * once if it can, so that others need not wait for the session to end.
   */
  async close(): Promise<void> {
    if (this.#events.isClosed) return;
    this.#events.close();
    const reign = this.#reign;
    this.#resign();
    if (reign !== undefined) await this.#options.zk.resignController(reign.epoch);
  }

  /**
   * A broker wants to leave: its leaderships move where another replica can lead. Answers what it still leads.
   * @throws KafkaError NOT_CONTROLLER, BROKER_NOT_AVAILABLE, STALE_BROKER_EPOCH, UNKNOWN_SERVER_ERROR
   */
  controlledShutdown(broker: number, brokerEpoch: number): Promise<TopicPartition[]> {
    return this.request('controlled shutdown', async (reign) => {
      const registered = reign.context.brokers.get(broker);
      if (registered === undefined) {
        // Apache's looks for the epoch of a broker that it does not know.
        const code = brokerEpoch === -1 ? ErrorCode.BROKER_NOT_AVAILABLE : ErrorCode.UNKNOWN_SERVER_ERROR;
        throw new KafkaError(code, `Broker id ${broker} does not exist.`);
      }
      if (brokerEpoch !== -1 && brokerEpoch < registered.epoch) throw new KafkaError(ErrorCode.STALE_BROKER_EPOCH);
      const { batch, stillLed } = await reign.leaderships.shutDown(broker);
      // Nobody is waited for: the decision stands in ZooKeeper, and one of the brokers may be dying itself.
      reign.send(batch);
      return stillLed;
    });
  }

  /** Replicas that are not in sync may lead now, where a topic has no leader. */
  electUncleanly(): void {
    this.#reigning('unclean election', async (reign) => reign.send(await reign.leaderships.recover()));
  }

  // ---- events

  #event(name: string, run: () => Promise<void>): Promise<void> {
    return this.#events.add(name, run);
  }

  #moved(): void {
    this.#resign();
    void this.#event('reelect', () => this.#elect());
  }

  /** An event that only counts while reigning. */
  #reigning(name: string, run: (reign: Reign) => Promise<void>): void {
    void this.#event(name, async () => {
      if (this.#reign !== undefined) await run(this.#reign);
    });
  }

  /**
   * What a client asks of the controller, in its turn among the events.
   * @throws KafkaError NOT_CONTROLLER, and what `run` throws
   */
  request<T>(name: string, run: (reign: Reign) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      void this.#event(name, async () => {
        try {
          if (this.#reign === undefined) throw new KafkaError(ErrorCode.NOT_CONTROLLER);
          resolve(await run(this.#reign));
        } catch (error) {
          reject(
            error instanceof KafkaError
              ? error
              : new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR, undefined, { cause: error }),
          );
          if (!(error instanceof KafkaError)) throw error;
        }
      }).then(() => reject(new KafkaError(ErrorCode.NOT_CONTROLLER)));
    });
  }

  // ---- election and failover

  async #elect(): Promise<void> {
    const { zk, brokerId, log } = this.#options;
    if ((await zk.controller(this.#onControllerChange)) !== undefined) return;
    const epoch = await zk.electController(brokerId);
    if (epoch === undefined) {
      if ((await zk.controller()) === undefined) void this.#event('reelect', () => this.#elect());
      return;
    }
    log.info(
      `[Controller id=${brokerId}] ${brokerId} successfully elected as the controller. ` +
        `Epoch incremented to ${epoch.epoch} and epoch zk version is now ${epoch.zkVersion}`,
    );
    try {
      await this.#failover(epoch);
    } catch (error) {
      // A controller that knows half of its cluster must not reign: whoever is elected next, we too, begins anew.
      this.#resign();
      await zk.resignController(epoch);
      throw error;
    }
  }

  async #controllerChanged(): Promise<void> {
    const current = await this.#options.zk.controller(this.#onControllerChange);
    if (current !== this.#options.brokerId) this.#resign();
    if (current === undefined) await this.#elect();
  }

  #resign(): void {
    this.#balanceTimer?.cancel();
    this.#reign?.links.closeAll();
    if (this.#reign !== undefined) this.#options.onReign(false);
    this.#reign = undefined;
  }

  /** Reads the cluster with watches on what may change, tells the brokers, elects where leaders are missing. */
  async #failover(epoch: ControllerEpoch): Promise<void> {
    const { zk, log, clock } = this.#options;
    if (this.#events.isClosed) return;
    const context = new ControllerContext(this.#options);
    const links = new BrokerLinks(this.#options.openChannel, context, clock, log);
    const states = new PartitionStates(zk, context, epoch, log, () => this.#options.figures?.electedUncleanly());
    const { brokerId } = this.#options;
    const deletions = new TopicDeletions(context, log, (batch) => batch.send(links, brokerId, epoch.epoch));
    const leaderships = new Leaderships(context, states, this.#options.uncleanElectionAllowed);
    const send = (batch: RequestBatch): void => {
      batch
        .send(links, brokerId, epoch.epoch, (broker, outcomes) => {
          if (outcomes.some(({ errorCode }) => errorCode === ErrorCode.KAFKA_STORAGE_ERROR)) {
            this.#reigning('replicas on a failed log dir', (now) => this.#replicasFailed(now, broker, outcomes));
          }
        })
        .catch((error: unknown) => this.#options.onFatal(error));
    };
    const reassignments = new Reassignments({ zk, context, states, epoch, log, send });
    const reign: Reign = { epoch, context, links, states, leaderships, deletions, reassignments, send };
    this.#reign = reign;
    await zk.createFeatureNode(epoch);
    const [brokers, topics, toDelete] = await Promise.all([
      zk.liveBrokers(this.#onBrokerChange),
      zk.topics(this.#onTopicChange),
      zk.topicsToDelete(this.#onDeletion),
      this.#takeIsrChanges(reign),
      this.#takeLogDirEvents(reign),
    ]);
    context.brokers = brokers;
    for (const id of brokers.keys()) links.add(id);
    await this.#readTopics(reign, topics);
    await this.#readStates(reign, [...context.partitions()]);

    const first = new RequestBatch(context);
    first.metadata(context.live, []);
    reign.send(first);
    const batch = new RequestBatch(context);
    for (const { topic, partition } of context.partitions()) {
      if (context.state(topic, partition) !== undefined) batch.leaderAndIsr(topic, partition, false);
    }
    reign.send(batch);
    reign.send(await reign.leaderships.recover());
    await this.#delete(reign, toDelete);
    await reign.reassignments.goOn(() => true);
    await reign.reassignments.askedInZookeeper(this.#onReassignmentAsked);
    await this.#electAsAsked(reign);
    this.#balanceAfter(FIRST_BALANCE_MS);
    this.#options.onReign(true);
  }

  /** From time to time leaderships go back to where they are preferred. */
  #balanceAfter(delayMs: number): void {
    const { clock, leaderBalance, log } = this.#options;
    this.#balanceTimer?.cancel();
    if (!leaderBalance.isEnabled) return;
    const balance = async (reign: Reign): Promise<void> => {
      this.#balanceAfter(leaderBalance.checkIntervalMs);
      const misplaced = misplacedLeaders(reign.context, leaderBalance.imbalancePercentMax);
      if (misplaced.length === 0) return;
      log.info('leaderships go back to where they are preferred', { partitions: misplaced.length });
      await electLeaders(reign, misplaced, 'preferred');
    };
    this.#balanceTimer = clock.after(delayMs, () => this.#reigning('leader balance', balance));
  }

  /** Tools of before KIP-460 write whom they want to lead into a node, and see it go. */
  async #electAsAsked(reign: Reign): Promise<void> {
    const { zk, log } = this.#options;
    const asked = await zk.adminRequests.preferredElection(this.#onElectionAsked);
    if (asked === undefined) return;
    for (const { topic, partition, result } of await electLeaders(reign, asked, 'preferred')) {
      if (result instanceof KafkaError) log.info('no election', { topic, partition, reason: result.message });
    }
    await zk.adminRequests.forgetPreferredElection(reign.epoch);
  }

  // ---- topics

  async #topicsChanged(reign: Reign): Promise<void> {
    const { zk } = this.#options;
    const names = await zk.topics(this.#onTopicChange);
    const present = new Set(names);
    for (const topic of [...reign.context.topics.keys()]) if (!present.has(topic)) this.#forgetTopic(reign, topic);
    const created = names.filter((topic) => !reign.context.topics.has(topic));
    if (created.length === 0) return;
    await this.#readTopics(reign, created);
    const batch = new RequestBatch(reign.context);
    const partitions = created.flatMap((topic) => reign.context.partitionsOf(topic));
    await reign.states.create(partitions, batch);
    reign.send(batch);
  }

  /** Topics that an old tool wrote have no id yet: they get one, as Apache's controller gives it (KIP-516). */
  async #readTopics(reign: Reign, topics: readonly string[]): Promise<void> {
    const { zk } = this.#options;
    await inGroups(topics, READS_AT_ONCE, async (topic) => {
      const read = await zk.topic(topic, this.#partitionWatch(topic));
      if (read === undefined) return;
      const assignment = read.topicId === ZERO_UUID ? { ...read, topicId: zk.newTopicId() } : read;
      if (assignment !== read && !(await zk.setTopic(topic, assignment, reign.epoch))) return;
      reign.context.topics.set(topic, assignment);
    });
  }

  #partitionWatch(topic: string): () => void {
    let watch = this.#onPartitionChange.get(topic);
    if (watch === undefined) {
      watch = () => this.#reigning('partition change', (reign) => this.#partitionsChanged(reign, topic));
      this.#onPartitionChange.set(topic, watch);
    }
    return watch;
  }

  #forgetTopic({ context, deletions }: Reign, topic: string): void {
    context.forgetTopic(topic);
    deletions.forget(topic);
    this.#onPartitionChange.delete(topic);
  }

  async #readStates(reign: Reign, partitions: readonly TopicPartition[]): Promise<void> {
    await inGroups(partitions, READS_AT_ONCE, async ({ topic, partition }) => {
      const state = await this.#options.zk.partitionState(topic, partition);
      if (state !== undefined) reign.context.setState(topic, partition, state);
    });
  }

  /** Partitions were added. (Their number never shrinks: what is gone from the node is ignored.) */
  async #partitionsChanged(reign: Reign, topic: string): Promise<void> {
    const known = reign.context.topics.get(topic);
    if (known === undefined) return;
    await this.#readTopics(reign, [topic]);
    if (reign.context.topicsToDelete.has(topic)) return;
    const added = reign.context.partitionsOf(topic).filter(({ partition }) => !known.partitions.has(partition));
    const batch = new RequestBatch(reign.context);
    await reign.states.create(added, batch);
    reign.send(batch);
  }

  async #deletionsChanged(reign: Reign): Promise<void> {
    await this.#delete(reign, await this.#options.zk.topicsToDelete(this.#onDeletion));
  }

  async #delete(reign: Reign, names: readonly string[]): Promise<void> {
    for (const topic of names) {
      if (reign.context.topics.has(topic) && this.#options.deleteTopicEnabled()) this.#deleteReplicas(reign, topic);
      else await this.#options.zk.forgetTopicDeletion(reign.epoch, topic);
    }
  }

  /** Brokers take their time, and may die meanwhile: no event waits for them. */
  #deleteReplicas(reign: Reign, topic: string): void {
    const done = reign.deletions.begin(topic);
    done?.then(
      (outcome) => this.#reigning('replicas deleted', (now) => this.#replicasDeleted(now, outcome)),
      this.#options.onFatal,
    );
  }

  /** Only when every replica is surely gone may the znodes go: a broker that still has one would bring it back. */
  async #replicasDeleted(reign: Reign, outcome: DeletionOutcome): Promise<void> {
    if (!reign.deletions.end(outcome)) return;
    const { topic } = outcome;
    const partitions = reign.context.partitionsOf(topic).map(({ partition }) => partition);
    await this.#options.zk.removeTopic(reign.epoch, topic, partitions);
    this.#forgetTopic(reign, topic);
  }

  // ---- brokers

  async #brokersChanged(reign: Reign): Promise<void> {
    const { context, links } = reign;
    const now = await this.#options.zk.liveBrokers(this.#onBrokerChange);
    // A broker with a new epoch died and came back before we looked: both things happened.
    const isSame = (id: number): boolean => now.get(id)?.epoch === context.brokers.get(id)?.epoch;
    this.#endpointsChanged(reign, now);
    const gone = [...context.brokers.keys()].filter((id) => !isSame(id));
    const come = [...now.keys()].filter((id) => !isSame(id));
    for (const id of gone) {
      links.remove(id);
      context.brokers.delete(id);
      context.shuttingDown.delete(id);
      context.offline.delete(id);
    }
    if (gone.length > 0) reign.deletions.giveUp();
    if (gone.length > 0) reign.send(await reign.leaderships.brokersFailed(gone));
    for (const id of come) {
      const broker = now.get(id);
      if (broker === undefined) continue;
      context.brokers.set(id, broker);
      links.add(id);
    }
    if (come.length > 0) {
      reign.send(reign.leaderships.brokersCame(come));
      reign.send(await reign.leaderships.recover());
      await reign.reassignments.goOn((target) => target.some((id) => come.includes(id)));
    }
    await this.#delete(reign, [...context.topicsToDelete]);
  }

  /** Brokers that live on with other listeners: everybody is told (`processBrokerModification`). */
  #endpointsChanged({ context, send }: Reign, now: ReadonlyMap<number, RegisteredBroker>): void {
    let isChanged = false;
    for (const [id, broker] of now) {
      const known = context.brokers.get(id);
      if (known?.epoch !== broker.epoch || hasSameEndpoints(known, broker)) continue;
      this.#options.log.info('a broker has other endpoints', { broker: id });
      context.brokers.set(id, broker);
      isChanged = true;
    }
    if (!isChanged) return;
    const batch = new RequestBatch(context);
    batch.metadata(context.live, []);
    send(batch);
  }

  // ---- notifications

  /** Leaders of older protocol versions write their ISR themselves and leave a note here. */
  async #takeIsrChanges(reign: Reign): Promise<void> {
    const { zk, log } = this.#options;
    const taken = await zk.takeNotifications(paths.isrChangeNotification, reign.epoch, this.#onIsrChange);
    if (taken.length > 0) log.debug('ISR change notifications', { count: taken.length });
  }

  async #isrChanged(reign: Reign): Promise<void> {
    const { context } = reign;
    await this.#takeIsrChanges(reign);
    await this.#readStates(reign, [...context.partitions()]);
    const batch = new RequestBatch(context);
    batch.metadata(context.live, context.partitions());
    reign.send(batch);
    await reign.reassignments.completeAmong(context.partitions());
  }

  async #takeLogDirEvents(reign: Reign): Promise<void> {
    const { zk, log } = this.#options;
    const events = await zk.takeNotifications(paths.logDirEventNotification, reign.epoch, this.#onLogDirEvent);
    for (const broker of new Set(events.map(decodeLogDirEvent))) {
      if (broker === undefined || !reign.context.brokers.has(broker)) continue;
      log.info('a broker lost a log dir', { broker });
      reign.send(reign.leaderships.askForReplicas(broker));
    }
  }

  /** Of what a broker answered: replicas whose log dir has failed since it was last asked (`LeaderAndIsrResponseReceived`). */
  async #replicasFailed(reign: Reign, broker: number, outcomes: readonly ReplicaOutcome[]): Promise<void> {
    const { context } = reign;
    if (!context.brokers.has(broker)) return;
    const offline = context.offline.get(broker) ?? new Set();
    context.offline.set(broker, offline);
    const fresh = outcomes.filter(
      ({ topic, partition, errorCode }) =>
        errorCode === ErrorCode.KAFKA_STORAGE_ERROR && !offline.has(keyOf(topic, partition)),
    );
    if (fresh.length === 0) return;
    for (const { topic, partition } of fresh) offline.add(keyOf(topic, partition));
    this.#options.log.warn('replicas are offline', {
      broker,
      partitions: fresh.map((one) => keyOf(one.topic, one.partition)),
    });
    reign.send(await reign.leaderships.replicasFailed(broker, fresh));
  }
}

function hasSameEndpoints({ info: one }: RegisteredBroker, { info: other }: RegisteredBroker): boolean {
  return JSON.stringify(one.endpoints) === JSON.stringify(other.endpoints);
}
