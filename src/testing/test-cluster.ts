import { type KafkaBroker, startKafka } from '../kafka/broker/kafka-broker.ts';
import { type Log, silent } from '../runtime/log.ts';
import { nodeRuntime } from '../runtime/node/node-runtime.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { startZookeeper } from '../zookeeper/ensemble/start-zookeeper.ts';
import type { ZookeeperServer } from '../zookeeper/server/zookeeper-server.ts';
import { type TestDirectory, testDirectory } from './temporary-directory.ts';
import { type ConfigKeys, testKafkaConfig, testZooCfg } from './test-keys.ts';

const HOST = '127.0.0.1';

export interface TestZookeeperOptions {
  /** Where its files go; it stays after the test. Default: a temporary one that `close` removes. */
  readonly directory?: string;
  /** Keys of zoo.cfg over those of `testZooCfg`. */
  readonly zookeeper?: ConfigKeys;
  /** Where the servers' lines go; nowhere by default. */
  readonly log?: Log;
}

export interface TestClusterOptions extends TestZookeeperOptions {
  /** Keys of server.properties over those of `testKafkaConfig`. */
  readonly kafka?: ConfigKeys;
}

export interface TestZookeeper {
  /** What a client's connect string says. */
  readonly connect: string;
  readonly port: number;
  readonly server: ZookeeperServer;
  /** Stops it and removes what it left, unless the directory was given. */
  close(): Promise<void>;
}

export interface TestCluster {
  readonly zookeeper: Omit<TestZookeeper, 'close'>;
  readonly kafka: {
    /** What a client's `bootstrap.servers` says. */
    readonly bootstrap: string;
    readonly port: number;
    readonly broker: KafkaBroker;
  };
  /** Stops the broker, then ZooKeeper, and removes what they left, unless the directory was given. */
  close(): Promise<void>;
}

/** A ZooKeeper on a free port of this machine, for as long as a test wants it. */
export async function startTestZookeeper(options: TestZookeeperOptions = {}): Promise<TestZookeeper> {
  const runtime = nodeRuntime({ log: options.log ?? silent });
  const directory = testDirectory(runtime, options.directory);
  const zookeeper = await releasedOnFailure(directory, () => openZookeeper(runtime, directory, options));
  return { ...zookeeper, close: () => zookeeper.server.close().finally(() => directory.release()) };
}

/** A ZooKeeper and a Kafka broker on free ports of this machine, in this process. */
export async function startTestCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const runtime = nodeRuntime({ log: options.log ?? silent });
  const directory = testDirectory(runtime, options.directory);
  return releasedOnFailure(directory, async () => {
    const zookeeper = await openZookeeper(runtime, directory, options);
    const config = testKafkaConfig(
      `${directory.path}/kafka`,
      zookeeper.connect,
      `PLAINTEXT://${HOST}:0`,
      options.kafka,
    );
    let broker: KafkaBroker;
    try {
      broker = await startKafka(runtime, config);
    } catch (error) {
      await zookeeper.server.close();
      throw error;
    }
    const port = broker.endpoints[0]?.port ?? 0;
    const close = async (): Promise<void> => {
      await broker.close();
      await zookeeper.server.close();
      directory.release();
    };
    return { zookeeper, kafka: { bootstrap: `${HOST}:${port}`, port, broker }, close };
  });
}

async function openZookeeper(
  runtime: Runtime,
  { path }: TestDirectory,
  { zookeeper }: TestZookeeperOptions,
): Promise<Omit<TestZookeeper, 'close'>> {
  const keys = { clientPort: 0, clientPortAddress: HOST, ...zookeeper };
  const server = await startZookeeper(runtime, testZooCfg(`${path}/zookeeper`, keys));
  const { port } = server.clientAddress;
  return { connect: `${HOST}:${port}`, port, server };
}

async function releasedOnFailure<T>(directory: TestDirectory, start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    directory.release();
    throw error;
  }
}
