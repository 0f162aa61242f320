/** Apache Kafka's broker as a peer, in KRaft mode: broker and controller in one process. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ApacheKafka, LATE_TASKS } from './apache-kafka.ts';
import { javaLine } from './java.ts';
import { askMetadata, NO_METADATA } from './kafka-metadata.ts';
import { PATIENCE_MS, PeerError, runOrThrow, startService, until } from './process.ts';

export interface ApacheKraftOptions {
  /** Formatted when it is empty. Also holds the broker's server.properties and apache-kafka.log; Kafka looks at folders only. */
  readonly logDir: string;
  /** Default 0. */
  readonly nodeId?: number;
  /** Default: one the system gives the broker. Give it to come back on the same address after stop or kill. */
  readonly port?: number;
  /** Lines of server.properties over the defaults here. */
  readonly overrides?: Readonly<Record<string, string | number>>;
  /** Feature levels to format with instead of the release's own, for example `{ 'share.version': 1 }`. */
  readonly features?: Readonly<Record<string, number>>;
  /** Default two minutes. */
  readonly timeoutMs?: number;
}

const PEER = 'kafka-server-4.4.0';

/** Resolves once the broker's own Metadata answer names it and a controller. */
export async function startApacheKraft(options: ApacheKraftOptions): Promise<ApacheKafka> {
  const { logDir, nodeId = 0, timeoutMs = PATIENCE_MS } = options;
  mkdirSync(logDir, { recursive: true });
  const configFile = join(logDir, 'server.properties');
  writeFileSync(configFile, configOf(options));
  if (!existsSync(join(logDir, 'meta.properties'))) await format(configFile, options.features ?? {});
  const { command, args } = await javaLine(PEER, 'kafka.Kafka', [configFile], { heapMiB: 384, logLevel: 'INFO' });
  const logFile = join(logDir, 'apache-kafka.log');
  const logged = () => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : '');
  const before = logged().length;
  const service = startService(command, args, { logFile });
  const port = await until(
    `Metadata answer from Apache Kafka 4.4.0, see ${logFile}`,
    async () => {
      const log = logged().slice(before);
      if (!service.alive()) throw new PeerError(`Apache Kafka 4.4.0 did not start\n${log}`);
      // the controller's listener is bound first, the clients' when all is ready
      const [, bound] = [...log.matchAll(/Awaiting socket connections on .*:(\d+)/g)].map(([, text]) => Number(text));
      if (bound === undefined) return undefined;
      const { brokers } = await askMetadata(bound).catch(() => NO_METADATA);
      return brokers.includes(nodeId) ? bound : undefined;
    },
    { timeoutMs, everyMs: 50 },
  ).catch(async (error: unknown) => {
    await service.kill();
    throw error;
  });
  return { ...service, port, bootstrap: `127.0.0.1:${port}`, logFile };
}

/** A cluster of its own, with itself as the only voter (KIP-853). */
async function format(configFile: string, features: Readonly<Record<string, number>>): Promise<void> {
  const clusterId = `A${randomBytes(16).toString('base64url').slice(1)}`; // an id must not begin as an option does
  const { command, args } = await javaLine(PEER, 'kafka.tools.StorageTool', [
    ...['format', '--standalone', '--cluster-id', clusterId, '--config', configFile],
    ...Object.entries(features).flatMap(([name, level]) => ['--feature', `${name}=${level}`]),
  ]);
  await runOrThrow(command, args);
}

function configOf({ logDir, nodeId = 0, port = 0, overrides }: ApacheKraftOptions): string {
  const config = {
    'process.roles': 'broker,controller',
    'node.id': nodeId,
    'log.dirs': logDir,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:0`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    // has to be there, but nobody asks it: the only voter is this process
    'controller.quorum.bootstrap.servers': '127.0.0.1:1',
    // one broker must do, start quickly and fit a small heap
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 5,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 5,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'share.coordinator.state.topic.num.partitions': 5,
    'group.initial.rebalance.delay.ms': 0,
    'log.cleaner.dedupe.buffer.size': 2_097_152,
    ...LATE_TASKS,
    ...overrides,
  };
  return Object.entries(config)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}
