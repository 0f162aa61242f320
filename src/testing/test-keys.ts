import { type SystemProperties, type ZooCfg, zooCfg } from '../config/zoo-cfg.ts';
import { KafkaConfig } from '../kafka/broker/config/kafka-config.ts';

/** Keys of zoo.cfg or server.properties, as their files name them. */
export type ConfigKeys = Readonly<Record<string, string | number | boolean>>;

/** One server for one test: short ticks, small files, session timeouts as clients ask for them, every four-letter word. */
export function testZooCfg(dataDir: string, keys: ConfigKeys = {}, systemProperties: SystemProperties = {}): ZooCfg {
  const all = {
    dataDir,
    tickTime: 500,
    minSessionTimeout: 1000,
    maxSessionTimeout: 60_000,
    maxClientCnxns: 0,
    preAllocSize: 64,
    'admin.enableServer': false,
    '4lw.commands.whitelist': '*',
    ...keys,
  };
  return zooCfg(all, systemProperties);
}

/** One broker for one test: internal topics with one replica and few partitions, no delay before a group's first assignment. */
export function testKafkaConfig(
  logDirs: string,
  zookeeperConnect: string,
  listener: string,
  keys: ConfigKeys = {},
): KafkaConfig {
  const all: ConfigKeys = {
    'broker.id': 0,
    listeners: listener,
    'log.dirs': logDirs,
    'zookeeper.connect': zookeeperConnect,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    ...keys,
  };
  return new KafkaConfig(new Map(Object.entries(all).map(([key, value]) => [key, String(value)])));
}
