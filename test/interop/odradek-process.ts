/**
 * Our servers as a process of their own, to be stopped and killed: `node odradek-process.ts '{"dir":…}'`. Without
 * `zookeeperConnect` it runs a ZooKeeper too. Prints one JSON line with the ports when both are ready.
 */
import { join } from 'node:path';
import { zooCfg } from '../../src/config/zoo-cfg.ts';
import { KafkaConfig } from '../../src/kafka/broker/config/kafka-config.ts';
import { startKafka } from '../../src/kafka/broker/kafka-broker.ts';
import { nodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { startZookeeper } from '../../src/zookeeper/ensemble/start-zookeeper.ts';

export interface OdradekSpec {
  /** Data of ZooKeeper and of Kafka go below it. */
  readonly dir: string;
  /** Another ZooKeeper to use. */
  readonly zookeeperConnect?: string;
  readonly zookeeperPort?: number;
  readonly kafkaPort?: number;
  readonly zookeeper?: Readonly<Record<string, string>>;
  readonly kafka?: Readonly<Record<string, string>>;
  /** Only a ZooKeeper. */
  readonly withoutKafka?: boolean;
}

export interface OdradekPorts {
  readonly zookeeperPort: number;
  readonly kafkaPort: number;
  /** 0 where metrics are not served. */
  readonly metricsPort: number;
}

const spec = JSON.parse(process.argv[2] ?? '{}') as OdradekSpec;
const runtime = nodeRuntime({ logStream: process.stderr });
const fatal = (error: unknown): void => {
  process.stderr.write(`${String(error)}\n`);
  process.exit(1);
};
const zookeeper =
  spec.zookeeperConnect === undefined
    ? await startZookeeper(
        runtime,
        zooCfg({
          dataDir: join(spec.dir, 'zookeeper'),
          clientPort: spec.zookeeperPort ?? 0,
          tickTime: 500,
          '4lw.commands.whitelist': '*',
          ...spec.zookeeper,
        }),
        { onFatal: fatal },
      )
    : undefined;
const kafka =
  spec.withoutKafka === true
    ? undefined
    : await startKafka(
        runtime,
        new KafkaConfig(
          new Map(
            Object.entries({
              'broker.id': '0',
              'log.dirs': join(spec.dir, 'kafka'),
              listeners: `PLAINTEXT://127.0.0.1:${spec.kafkaPort ?? 0}`,
              'zookeeper.connect': spec.zookeeperConnect ?? `127.0.0.1:${zookeeper?.clientAddress.port}`,
              // as long as the ticks above allow; who is killed and comes back waits for it, and asks for a shorter one
              'zookeeper.session.timeout.ms': '10000',
              'offsets.topic.replication.factor': '1',
              'offsets.topic.num.partitions': '5',
              'group.initial.rebalance.delay.ms': '0',
              ...spec.kafka,
            }),
          ),
        ),
      );
void kafka?.failed.then(fatal);
const ports: OdradekPorts = {
  zookeeperPort: zookeeper?.clientAddress.port ?? 0,
  kafkaPort: kafka?.endpoints[0]?.port ?? 0,
  metricsPort: kafka?.metricsAddress?.port ?? 0,
};
process.stdout.write(`${JSON.stringify(ports)}\n`);
process.on('SIGTERM', () => {
  void (kafka?.close() ?? Promise.resolve()).then(() => zookeeper?.close()).then(() => process.exit(0), fatal);
});
