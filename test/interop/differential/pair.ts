/** Apache's broker 3.9.1 and ours, side by side, each with a ZooKeeper of its own make, and the same settings. */
import { join } from 'node:path';
import { type Odradek, startOdradek } from '../odradek.ts';
import { type ApacheKafka, LATE_TASKS, startApacheKafka } from '../peers/apache-kafka.ts';
import { startApacheZookeeper } from '../peers/apache-zookeeper.ts';
import { tempDir } from '../peers/temp-dir.ts';

export interface Pair {
  readonly apache: ApacheKafka;
  readonly odradek: Odradek;
  /** `host:port` of the ZooKeeper that Apache's broker uses. */
  readonly apacheZookeeper: string;
  stop(): Promise<void>;
}

type Settings = Readonly<Record<string, string>>;

/** @param own what each broker has for itself, such as ports; `apachePort` is that of its plain listener among several */
export async function startPair(
  settings: Settings = {},
  own: { readonly apache?: Settings; readonly apachePort?: number; readonly odradek?: Settings } = {},
): Promise<Pair> {
  const dir = tempDir();
  const zookeeper = await startApacheZookeeper({ version: '3.9.4', dataDir: join(dir, 'apache-zookeeper') });
  const shared = {
    'offsets.topic.num.partitions': '5',
    'offsets.topic.replication.factor': '1',
    'group.initial.rebalance.delay.ms': '0',
    'transaction.state.log.num.partitions': '5',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    // Sessions of many sequences are open at once, and how a full cache evicts is a broker's own affair.
    'max.incremental.fetch.session.cache.slots': '100000',
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
      ...(own.apachePort === undefined ? {} : { port: own.apachePort }),
      overrides: { ...LATE_TASKS, ...shared, ...own.apache },
    }),
    startOdradek({ dir, kafka: { ...shared, ...own.odradek } }),
  ]);
  return {
    apache,
    odradek,
    apacheZookeeper: zookeeper.connect,
    stop: async () => {
      await odradek.kill();
      await apache.kill();
      await zookeeper.kill();
    },
  };
}
