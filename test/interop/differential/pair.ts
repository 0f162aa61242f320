/** Apache's broker 3.9.1 and ours, side by side, each with a ZooKeeper of its own make, and the same settings. */
import { join } from 'node:path';
import { type Odradek, startOdradek } from '../odradek.ts';
import { type ApacheKafka, startApacheKafka } from '../peers/apache-kafka.ts';
import { startApacheZookeeper } from '../peers/apache-zookeeper.ts';
import { tempDir } from '../peers/temp-dir.ts';

export interface Pair {
  readonly apache: ApacheKafka;
  readonly odradek: Odradek;
  stop(): Promise<void>;
}

export async function startPair(settings: Readonly<Record<string, string>> = {}): Promise<Pair> {
  const dir = tempDir();
  const zookeeper = await startApacheZookeeper({ version: '3.9.4', dataDir: tempDir() });
  const shared = {
    'offsets.topic.num.partitions': '5',
    'offsets.topic.replication.factor': '1',
    'group.initial.rebalance.delay.ms': '0',
    // Records of the tests are of 2023.
    'log.retention.ms': '-1',
    ...settings,
  };
  const [apache, odradek] = await Promise.all([
    startApacheKafka({
      version: '3.9.1',
      zookeeperConnect: zookeeper.connect,
      logDir: join(dir, 'apache'),
      brokerId: 0,
      overrides: shared,
    }),
    startOdradek({ dir, kafka: shared }),
  ]);
  return {
    apache,
    odradek,
    stop: async () => {
      await odradek.kill();
      await apache.kill();
      await zookeeper.kill();
    },
  };
}
