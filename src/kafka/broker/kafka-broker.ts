import { InvariantError, present } from '../../base/assert.ts';
import type { SystemProperties } from '../../config/system-properties.ts';
import type { Compute } from '../../runtime/compute.ts';
import type { Address } from '../../runtime/network.ts';
import { Purgatory } from '../../runtime/purgatory.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { TimerWheel } from '../../runtime/timer-wheel.ts';
import { TurnEnd } from '../../runtime/turn-end.ts';
import type { SaslCredentials } from '../../zookeeper/client/sasl-exchange.ts';
import type { OpenChannel } from '../channel/broker-channel.ts';
import type { Controller } from '../controller/controller.ts';
import type { LogConfig } from '../log/log-config.ts';
import type { LogManager } from '../log/log-manager.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import { LogDirMoves } from '../replication/log-dir-moves.ts';
import { LongWork } from '../replication/long-work.ts';
import { MetadataCache } from '../replication/metadata-cache.ts';
import type { Partition } from '../replication/partition.ts';
import { ReplicaManager } from '../replication/replica-manager.ts';
import { KafkaZk } from '../zk/kafka-zk.ts';
import type { Endpoint } from '../zk/znodes.ts';
import type { ApiHandler } from './api-handler.ts';
import { AutoTopics } from './auto-topics.ts';
import { BrokerAcls } from './broker-acls.ts';
import type { BrokerContext } from './broker-context.ts';
import { BrokerDoors } from './broker-doors.ts';
import { BrokerLoggers } from './broker-loggers.ts';
import { closePolicies, loadPolicies, type Policies } from './broker-policies.ts';
import { BrokerSecurity } from './broker-security.ts';
import { ConfigAdmin } from './config/alter-config.ts';
import { alterLogDirsRate } from './config/alter-log-dirs-rate.ts';
import { configureCleaner } from './config/cleaner-config.ts';
import { ConfigStore } from './config/config-store.ts';
import { encodePasswordsAnew } from './config/encode-passwords-anew.ts';
import { GroupConfigAdmin } from './config/group-config-admin.ts';
import { GroupConfigs } from './config/group-configs.ts';
import type { InterBrokerKeys } from './config/inter-broker-security.ts';
import type { KafkaConfig } from './config/kafka-config.ts';
import { DECOMPRESSED_BYTES_KEY } from './config/own-keys.ts';
import { type PasswordEncoder, passwordEncoderOf } from './config/password-encoder.ts';
import { ConfigChanges } from './config-changes.ts';
import { leaveCluster } from './controlled-shutdown.ts';
import { ControllerFence } from './controller-fence.ts';
import { Coordinators } from './coordinators.ts';
import { DelegationTokens } from './delegation-tokens.ts';
import { FetchConversions } from './fetch-conversions.ts';
import { FetchSessions } from './fetch-sessions.ts';
import { registerHandlers } from './handlers.ts';
import { Listeners, type NetworkLoad } from './listeners.ts';
import { identify, mark } from './log-identity.ts';
import { BrokerMetrics } from './metrics/broker-metrics.ts';
import { BrokerState } from './metrics/server-metrics.ts';
import { openChannel } from './open-channel.ts';
import { openController } from './open-controller.ts';
import { openLogManager } from './open-log-manager.ts';
import { ProducerIds } from './producer-ids.ts';
import { BrokerQuotas } from './quotas/broker-quotas.ts';
import { SessionRenewal } from './session-renewal.ts';
import { StreamsTopics } from './streams-topics.ts';
import { TelemetryInstances } from './telemetry-instances.ts';
import { TopicAdmin } from './topic-admin.ts';
import { openSession, protectsZnodes } from './zookeeper-session.ts';

export interface KafkaBroker {
  readonly id: number;
  readonly clusterId: string;
  /** Where clients connect: the advertised endpoints with the ports that are really open. */
  readonly endpoints: readonly Endpoint[];
  /** Where metrics are served; undefined where they are not. */
  readonly metricsAddress: Address | undefined;
  /** What its clients make it hold. */
  readonly networkLoad: NetworkLoad;
  /** Settles when the broker ended by itself: a broken invariant, or its znode lost to another broker. */
  readonly failed: Promise<unknown>;
  /** Controlled shutdown: leaders move, logs close cleanly, the session ends. */
  close(): Promise<void>;
}

export interface StartKafkaOptions {
  /** Who the broker is to ZooKeeper, by SASL. */
  readonly zookeeperSasl?: SaslCredentials;
  /** What `-D` flags say: `java.security.auth.login.config` names the JAAS file of listeners with SASL. */
  readonly systemProperties?: SystemProperties;
}

/** Starts a broker on a cluster's ZooKeeper; resolves when it serves. @throws ConfigError, ZookeeperUnavailableError, DiskError, NetworkError */
export async function startKafka(
  runtime: Runtime,
  config: KafkaConfig,
  options: StartKafkaOptions = {},
): Promise<KafkaBroker> {
  const broker = new Broker(runtime, config, options);
  try {
    await broker.start();
  } catch (error) {
    await broker.abandon();
    throw error;
  }
  return broker;
}

/**
 * One broker, wired from its parts. The order of the start is Apache's: session and paths, cluster id, log dirs, doors,
 * registration, controller. Partitions come into being only by the controller's orders, on a single broker too.
 */
class Broker implements KafkaBroker {
  readonly #runtime: Runtime;
  readonly #loggers: BrokerLoggers;
  readonly #config: KafkaConfig;
  readonly #options: StartKafkaOptions;
  readonly #wheel: TimerWheel;
  readonly #turnEnd: TurnEnd;
  readonly #longWork: LongWork;
  readonly #telemetry: TelemetryInstances;
  readonly #metadata = new MetadataCache();
  readonly #compute: Compute;
  readonly #fence = new ControllerFence();
  readonly #fetchPurgatory: Purgatory<Partition>;
  readonly #topicPurgatory: Purgatory<string>;
  readonly #configs: ConfigStore;
  readonly #groupConfigs: GroupConfigs;
  readonly #passwords: PasswordEncoder | undefined;
  readonly #quotas: BrokerQuotas;
  /** Undefined where nobody may look. */
  readonly #metrics: BrokerMetrics | undefined;
  readonly failed: Promise<unknown>;
  #fail: (error: unknown) => void = () => undefined;
  /** The controller has told us of ourselves: from then on our answers are right. */
  readonly #isKnown: Promise<void>;
  #known: () => void = () => undefined;
  /** Set while starting, in this order. */
  #id = -1;
  #clusterId = '';
  #zk: KafkaZk | undefined;
  #logs: LogManager | undefined;
  #replicas: ReplicaManager | undefined;
  #policies: Policies | undefined;
  #security: BrokerSecurity | undefined;
  #moves: LogDirMoves | undefined;
  #tokens: DelegationTokens | undefined;
  #configChanges: ConfigChanges | undefined;
  #acls: BrokerAcls | undefined;
  #controller: Controller | undefined;
  #coordinators: Coordinators | undefined;
  #handlers: ReadonlyMap<number, ApiHandler> = new Map();
  #listeners: Listeners | undefined;
  #doors: BrokerDoors | undefined;
  #closing: Promise<void> | undefined;

  /** To other brokers, and from the controller to brokers. */
  readonly #openChannel = this.#channels('request.timeout.ms', ({ interBroker }) => interBroker);
  readonly #openControlChannel = this.#channels('controller.socket.timeout.ms', ({ control }) => control);

  #channels(timeoutKey: string, keysOf: (security: BrokerSecurity) => InterBrokerKeys): OpenChannel {
    return (target) =>
      openChannel(target, {
        runtime: this.#runtime,
        config: this.#config,
        brokerId: this.#id,
        handlers: this.#handlers,
        requestTimeoutMs: this.#config.number(timeoutKey),
        security: () => keysOf(present(this.#security, 'the start has read it')).current,
      });
  }

  constructor(runtime: Runtime, config: KafkaConfig, options: StartKafkaOptions) {
    this.#loggers = new BrokerLoggers(runtime.log);
    this.#runtime = { ...runtime, log: this.#loggers.log };
    this.#compute = runtime.openCompute();
    this.#config = config;
    this.#options = options;
    this.#metrics = BrokerMetrics.of(this.#runtime, config);
    this.#wheel = new TimerWheel(runtime.clock);
    this.#turnEnd = new TurnEnd(runtime.clock, (error) => this.#fatal(error));
    this.#longWork = new LongWork(runtime.clock, (error) => this.#workFailed(error));
    this.#telemetry = new TelemetryInstances(runtime.clock);
    this.#fetchPurgatory = new Purgatory(this.#wheel);
    this.#topicPurgatory = new Purgatory(this.#wheel);
    this.#passwords = passwordEncoderOf(config, 'password.encoder.secret', runtime.random);
    this.#configs = new ConfigStore({
      config,
      passwords: this.#passwords,
      log: this.#runtime.log.named('kafka.config'),
      onTopicChange: (topic, now, before) => this.#topicConfigured(topic, now, before),
      checkTlsKeys: (next) => this.#security?.checkTlsKeys(next),
      onBrokerChange: () => {
        this.#quotas.connections.limitsChanged();
        configureCleaner(this.#logs, config, this.#runtime.log);
        this.#security?.interBrokerChanged();
        this.#listeners?.renewKeys();
        this.#doors?.changed();
      },
    });
    this.#quotas = new BrokerQuotas({
      runtime: this.#runtime,
      config,
      value: (key) => this.#configs.brokerValue(key),
    });
    this.#groupConfigs = new GroupConfigs(config, this.#runtime.log.named('kafka.config'));
    this.#isKnown = new Promise((resolve) => {
      this.#known = resolve;
    });
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
  }

  get id(): number {
    return this.#id;
  }

  get clusterId(): string {
    return this.#clusterId;
  }

  get networkLoad(): NetworkLoad {
    return this.#listeners?.load ?? { connectionCount: 0, requestBytes: 0, unsentBytes: 0 };
  }

  get metricsAddress(): Address | undefined {
    return this.#metrics?.address;
  }

  get endpoints(): readonly Endpoint[] {
    return this.#doors?.endpoints ?? [];
  }

  async start(): Promise<void> {
    const { log } = this.#runtime;
    const policies = await loadPolicies(this.#config);
    this.#policies = policies;
    this.#security = new BrokerSecurity({
      runtime: this.#runtime,
      config: this.#config,
      systemProperties: this.#options.systemProperties ?? {},
      tokens: { find: (id, mechanism) => this.#tokens?.find(id, mechanism) },
    });
    await this.#security.open();
    for (const warning of this.#config.warnings) log.warn(warning);
    log.info(`Connecting to zookeeper on ${this.#config.string('zookeeper.connect')}`);
    const zk = new KafkaZk(
      await this.#openSession(),
      this.#runtime.clock,
      this.#runtime.random,
      protectsZnodes(this.#config),
    );
    this.#zk = zk;
    this.#followSession(zk);
    await zk.createPersistentPaths();
    this.#clusterId = await zk.clusterId();
    log.info(`Cluster ID = ${this.#clusterId}`);
    await this.#openLogs(zk);
    const acls = new BrokerAcls(this.#runtime, this.#config, zk);
    this.#acls = acls;
    await acls.start();
    this.#tokens = await DelegationTokens.open(this.#runtime, this.#config, zk);
    const context = this.#wire(zk, policies, { acls, tokens: this.#tokens });
    await this.#openDoors(zk);
    // After them: a port that is taken is a warning here.
    await this.#metrics?.serve(context);
    await this.#controller?.start();
    await this.#controller?.told(this.#id);
    await Promise.race([this.#isKnown, this.failed.then((error) => Promise.reject(error))]);
    this.#metrics?.server.become(BrokerState.running);
    log.info(`[KafkaServer id=${this.#id}] started`);
  }

  /** A topic's log goes by what is configured from now on; where its leader may be one that is not in sync, it is elected at once. */
  #topicConfigured(topic: string, now: LogConfig, before: LogConfig): void {
    for (const partition of this.#replicas?.partitionsOf(topic) ?? []) {
      if (partition.log !== undefined) partition.log.config = now;
    }
    if (now.uncleanLeaderElectionEnable && !before.uncleanLeaderElectionEnable) this.#controller?.electUncleanly();
  }

  /** The log dirs know which broker and cluster they belong to; a broker without an id gets one now. */
  async #openLogs(zk: KafkaZk): Promise<void> {
    const { logDirs, brokerId } = this.#config;
    const identity = await identify({
      disk: this.#runtime.disk,
      logDirs,
      clusterId: this.#clusterId,
      brokerId,
      generateBrokerId: () => zk.generateBrokerId(this.#config.number('reserved.broker.max.id')),
    });
    this.#id = identity.brokerId;
    this.#loggers.belongTo(this.#id);
    const store = this.#configs;
    await encodePasswordsAnew(zk, this.#id, {
      config: this.#config,
      now: this.#passwords,
      random: this.#runtime.random,
    });
    const log = this.#runtime.log.named('kafka.config');
    const [quotas, groups] = [this.#quotas.changes(zk), this.#groupConfigs];
    const { scram } = present(this.#security, 'the start has read it');
    const changes = new ConfigChanges({ brokerId: this.#id, zk, store, groups, quotas, scram, log });
    this.#configChanges = changes;
    await changes.start();
    this.#logs = await openLogManager(this.#runtime, this.#config, {
      configOf: (topic) => store.logConfig(topic),
      turnEnd: this.#turnEnd,
      directoryWentOffline: (path, error) => this.#logDirFailed(path, error),
    });
    await mark(this.#runtime, identity.unmarked, { brokerId: this.#id, clusterId: this.#clusterId });
  }

  /** A failed disk never ends the process: its partitions answer KAFKA_STORAGE_ERROR, the others go on. */
  #logDirFailed(path: string, error: unknown): void {
    const { log } = this.#runtime;
    log.error('a log dir is offline', { path, error: String(error) });
    if (this.#logs?.isAnyOnline === false) {
      const reason = `Shutdown broker because all log dirs in ${this.#config.logDirs.join(', ')} have failed`;
      return this.#fatal(new KafkaError(ErrorCode.KAFKA_STORAGE_ERROR, reason, { cause: error }));
    }
    this.#replicas?.logDirFailed();
    this.#zk?.announceLogDirFailure(this.#id).catch((reason: unknown) => {
      if (this.#closing === undefined) log.warn('the controller is not told of a failed log dir', { reason });
    });
  }

  #wire(
    zk: KafkaZk,
    policies: Policies,
    { acls, tokens }: { acls: BrokerAcls; tokens: DelegationTokens },
  ): BrokerContext {
    const { clock, random, log } = this.#runtime;
    const logs = this.#logs as LogManager;
    const replicas = new ReplicaManager({
      brokerId: this.#id,
      logs,
      log: log.named('kafka.replicas'),
      decompressedBytesMax: this.#config.number(DECOMPRESSED_BYTES_KEY),
      longWork: this.#longWork,
      fetchPurgatory: this.#fetchPurgatory,
      figures: this.#metrics?.topics,
      onLeadershipChange: (partition) => this.#leadershipChanged(partition),
    });
    this.#replicas = replicas;
    this.#moves = new LogDirMoves({
      replicas,
      logs,
      clock,
      log: log.named('kafka.replicas'),
      bytesPerSecond: () => alterLogDirsRate(this.#configs),
      atOnce: Number(this.#config.optional('num.replica.alter.log.dirs.threads') ?? logs.directories.length),
      isKnown: ({ topic, partition }) => this.#metadata.partition(topic, partition) !== undefined,
    });
    const configured = { runtime: this.#runtime, config: this.#config, configs: this.#configs };
    const controller = openController(configured, {
      brokerId: this.#id,
      zk,
      openChannel: this.#openControlChannel,
      figures: this.#metrics?.controller,
      onReign: (isReigning) => (isReigning ? tokens.sweep() : tokens.stopSweeping()),
      onFatal: (error) => this.#fatal(error),
    });
    this.#controller = controller;
    const topics = new TopicAdmin({
      config: this.#config,
      zk,
      metadata: this.#metadata,
      random,
      validateTopicConfig: (overrides) => void this.#configs.validateTopic(overrides),
      policy: policies.createTopic,
    });
    const autoTopics = new AutoTopics({
      config: this.#config,
      admin: topics,
      metadata: this.#metadata,
      log: log.named('kafka.topics'),
    });
    const streamsTopics = new StreamsTopics({ admin: topics, clock, log: log.named('kafka.topics') });
    const producerIds = new ProducerIds(this.#id, zk);
    const coordinators = new Coordinators({
      brokerId: this.#id,
      runtime: this.#runtime,
      config: this.#config,
      groupConfigs: this.#groupConfigs,
      zk,
      metadata: this.#metadata,
      replicas,
      producerIds,
      autoTopics,
      openChannel: this.#openChannel,
      onProgress: (partition) => this.#fetchPurgatory.check(partition),
    });
    this.#coordinators = coordinators;
    const { groups, transactions, transactionGate, shares } = coordinators;
    const context: BrokerContext = {
      id: this.#id,
      groups,
      transactions,
      transactionGate,
      clusterId: this.#clusterId,
      config: this.#config,
      authorizer: acls.authorizer,
      acls: acls.store,
      runtime: this.#runtime,
      zk,
      metadata: this.#metadata,
      replicas,
      logs,
      logDirMoves: this.#moves,
      controller,
      fence: this.#fence,
      topics,
      autoTopics,
      streamsTopics,
      shares,
      topicPurgatory: this.#topicPurgatory,
      configs: this.#configs,
      configAdmin: new ConfigAdmin({
        brokerId: this.#id,
        store: this.#configs,
        zk,
        metadata: this.#metadata,
        loggers: this.#loggers,
        groups: new GroupConfigAdmin({ zk, groups: this.#groupConfigs, policy: policies.alterConfig }),
        passwords: this.#passwords,
        policy: policies.alterConfig,
      }),
      groupConfigs: this.#groupConfigs,
      loggers: this.#loggers,
      fetchPurgatory: this.#fetchPurgatory,
      fetchSessions: new FetchSessions(this.#config.number('max.incremental.fetch.session.cache.slots'), clock, random),
      telemetry: this.#telemetry,
      conversions: new FetchConversions(this.#compute, log.named('kafka.conversions')),
      topicMetrics: this.#metrics?.topics,
      producerIds,
      tokens,
      quotas: this.#quotas.clients,
      quotaAdmin: this.#quotas.admin(zk),
      prepareTopics: (names) => this.#readTopicConfigs(zk, names),
      onMetadataUpdate: (deleted) => {
        for (const { topic } of deleted)
          if (this.#metadata.topic(topic) === undefined) this.#configs.forgetTopic(topic);
        groups.onPartitionsDeleted(deleted);
        groups.onTopicIdsDeleted(shares.partitionsDeleted(deleted));
        if (this.#metadata.brokers.has(this.#id)) this.#known();
      },
    };
    this.#handlers = registerHandlers(context);
    return context;
  }

  /** Tools of 2.1 write a topic's configuration without a notification: it is read before the first log is made. */
  async #readTopicConfigs(zk: KafkaZk, names: ReadonlySet<string>): Promise<void> {
    const fresh = [...names].filter((name) => this.#replicas?.partitionsOf(name).length === 0);
    await Promise.all(fresh.map(async (name) => this.#configs.setTopic(name, await zk.config('topics', name))));
  }

  async #openDoors(zk: KafkaZk): Promise<void> {
    const { log, network } = this.#runtime;
    const listeners = new Listeners({
      runtime: this.#runtime,
      config: this.#config,
      handlers: this.#handlers,
      security: present(this.#security, 'the start has read it'),
      turnEnd: this.#turnEnd,
      onClosed: (connectionId) => {
        this.#coordinators?.shares.connectionClosed(connectionId);
        this.#telemetry.connectionClosed(connectionId);
      },
      quotas: this.#quotas.clients,
      metrics: this.#metrics?.requestsOf(this.#handlers.values()),
      connectionMetrics: this.#metrics?.connections,
      connectionQuotas: this.#quotas.connections,
      onFatal: (error) => this.#fatal(error),
    });
    this.#listeners = listeners;
    const { hostname } = network;
    const doors = new BrokerDoors({ brokerId: this.#id, config: this.#config, listeners, zk, log, hostname });
    this.#doors = doors;
    await doors.open();
    this.#fence.brokerEpoch = await doors.register();
  }

  #leadershipChanged(partition: Partition): void {
    this.#moves?.resume(partition);
    this.#coordinators?.leadershipChanged(partition);
  }

  /** What goes on in another session when one has expired. */
  #followSession(zk: KafkaZk): void {
    const renewal = new SessionRenewal({
      zk,
      log: this.#runtime.log,
      open: () => this.#openSession(),
      isClosing: () => this.#closing !== undefined,
      onState: (state) => this.#metrics?.server.sessionIs(state),
      onExpired: async () => this.#controller?.sessionExpired(),
      onRenewed: async () => {
        if (this.#doors !== undefined) this.#fence.brokerEpoch = await this.#doors.register();
        await this.#configChanges?.start();
        await this.#acls?.start();
        await this.#tokens?.start();
        await this.#controller?.sessionRenewed();
      },
      onFatal: (error) => this.#fatal(error),
    });
    renewal.watch();
  }

  #openSession(): ReturnType<typeof openSession> {
    return openSession(this.#runtime, this.#config, this.#options.zookeeperSasl);
  }

  /** What one batch brought about ends nothing else, unless nothing is certain any more. */
  #workFailed(error: unknown): void {
    if (error instanceof InvariantError) return this.#fatal(error);
    this.#runtime.log.error('an append failed', { error: error instanceof Error ? error.stack : String(error) });
  }

  #fatal(error: unknown): void {
    this.#runtime.log.error('Exiting Kafka due to fatal exception', {
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    this.#fail(error);
    this.abandon().catch((reason: unknown) => this.#runtime.log.error('a broker did not end well', { reason }));
  }

  // ---- the end

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { log } = this.#runtime;
    log.info(`[KafkaServer id=${this.#id}] shutting down`);
    this.#metrics?.server.become(BrokerState.leaving);
    await this.#leave();
    this.#metrics?.server.become(BrokerState.ending);
    await this.#stopServing();
    await this.#logs?.close();
    await this.#letGo();
    log.info(`[KafkaServer id=${this.#id}] shut down completed`);
  }

  /** While ZooKeeper is gone no leadership can move. */
  async #leave(): Promise<void> {
    const zk = this.#zk;
    if (!this.#config.boolean('controlled.shutdown.enable') || zk?.client.state !== 'connected') return;
    await leaveCluster({
      brokerId: this.#id,
      brokerEpoch: this.#fence.brokerEpoch,
      config: this.#config,
      clock: this.#runtime.clock,
      log: this.#runtime.log,
      zk,
      metadata: this.#metadata,
      openChannel: this.#openChannel,
    });
  }

  /** A start that failed, or a broken invariant: everything is let go as it is, and no clean shutdown is claimed. */
  async abandon(): Promise<void> {
    this.#closing ??= Promise.resolve();
    await this.#stopServing();
    this.#logs?.abandon();
    await this.#letGo();
  }

  async #stopServing(): Promise<void> {
    this.#doors?.close();
    await this.#listeners?.close();
    this.#configChanges?.close();
    this.#acls?.close();
    this.#tokens?.close();
    this.#security?.close();
    this.#coordinators?.close();
    await this.#controller?.close();
    this.#moves?.close();
    this.#longWork.close();
    this.#fetchPurgatory.close();
    this.#topicPurgatory.close();
    this.#wheel.close();
    await this.#compute.close();
  }

  async #letGo(): Promise<void> {
    await this.#zk?.client.close();
    await this.#metrics?.close();
    await closePolicies(this.#policies, this.#runtime.log);
  }
}
