/** Apache Kafka's broker as a peer, in ZooKeeper mode. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { javaLine } from './java.ts';
import { askMetadata, NO_METADATA } from './kafka-metadata.ts';
import { PATIENCE_MS, PeerError, type Service, startService, until } from './process.ts';

export interface ApacheKafkaOptions {
  readonly version: '2.1.0' | '3.9.1';
  /** `host:port,…/chroot` of the ensemble. */
  readonly zookeeperConnect: string;
  /** Also holds the broker's server.properties and apache-kafka.log; Kafka looks at folders only. */
  readonly logDir: string;
  /** Default 0. */
  readonly brokerId?: number;
  /**
   * Default: one the system gives the broker. Give it to come back on the same address after stop or kill, or where `overrides` have
   * several listeners: that of the plain one.
   */
  readonly port?: number;
  /** What Metadata tells clients instead of `port`, for a proxy in between; brokers still speak directly. */
  readonly advertisedPort?: number;
  /** Lines of server.properties over the defaults here. */
  readonly overrides?: Readonly<Record<string, string | number>>;
  /** What follows -javaagent: of its command line. */
  readonly agent?: string;
  /** System properties, the `-D` flags of its JVM. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Default two minutes. */
  readonly timeoutMs?: number;
}

export interface ApacheKafka extends Service {
  readonly port: number;
  /** `127.0.0.1:port` */
  readonly bootstrap: string;
  readonly logFile: string;
}

/**
 * For tests with records of long ago: retention would look at them half a minute after the start, in the middle of a test on a slow
 * machine. A broker that has this key tells of it when it describes itself.
 */
export const LATE_TASKS = { 'log.initial.task.delay.ms': '3600000' } as const;

/** Resolves once the broker's own Metadata answer names it and a controller. */
export async function startApacheKafka(options: ApacheKafkaOptions): Promise<ApacheKafka> {
  const { version, logDir, brokerId = 0, properties = {}, timeoutMs = PATIENCE_MS } = options;
  mkdirSync(logDir, { recursive: true });
  const configFile = join(logDir, 'server.properties');
  writeFileSync(configFile, configOf(options));
  const { command, args } = await javaLine(`kafka-${version}`, 'kafka.Kafka', [configFile], {
    heapMiB: 384,
    logLevel: 'INFO',
    ...(options.agent === undefined ? {} : { agent: options.agent }),
    properties,
  });
  const logFile = join(logDir, 'apache-kafka.log');
  const logged = () => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : '');
  const before = logged().length;
  const service = startService(command, args, { logFile });
  const port = await until(
    `Metadata answer from Apache Kafka ${version}, see ${logFile}`,
    async () => {
      const log = logged().slice(before);
      if (!service.alive()) throw new PeerError(`Apache Kafka ${version} did not start\n${log}`);
      const [, bound] = /Awaiting socket connections on .*:(\d+)/.exec(log) ?? [];
      if (bound === undefined) return undefined;
      const plain = options.port ?? Number(bound);
      const { brokers, controllerId } = await askMetadata(plain).catch(() => NO_METADATA);
      return brokers.includes(brokerId) && controllerId >= 0 ? plain : undefined;
    },
    { timeoutMs, everyMs: 50 },
  ).catch(async (error: unknown) => {
    await service.kill();
    throw error;
  });
  return { ...service, port, bootstrap: `127.0.0.1:${port}`, logFile };
}

function configOf(options: ApacheKafkaOptions): string {
  const config = {
    'broker.id': options.brokerId ?? 0,
    'zookeeper.connect': options.zookeeperConnect,
    'log.dirs': options.logDir,
    ...listenersOf(options),
    // one broker must do, start quickly and fit a small heap
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 5,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 5,
    'group.initial.rebalance.delay.ms': 0,
    'log.cleaner.dedupe.buffer.size': 2_097_152,
    ...options.overrides,
  };
  return Object.entries(config)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

/** The listener for clients comes first: the first port in the log is theirs. */
function listenersOf({ port = 0, advertisedPort }: ApacheKafkaOptions): Record<string, string> {
  if (advertisedPort === undefined) return { listeners: `PLAINTEXT://127.0.0.1:${port}` };
  return {
    listeners: `PLAINTEXT://127.0.0.1:${port},BROKERS://127.0.0.1:0`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${advertisedPort},BROKERS://127.0.0.1:0`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,BROKERS:PLAINTEXT',
    'inter.broker.listener.name': 'BROKERS',
  };
}
