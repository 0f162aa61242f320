import { type KafkaBroker, startKafka } from '../kafka/broker/kafka-broker.ts';
import type { SimMachine } from '../runtime/sim/sim-machine.ts';
import { Simulation } from '../runtime/sim/simulation.ts';
import { startZookeeper } from '../zookeeper/ensemble/start-zookeeper.ts';
import type { ZookeeperServer } from '../zookeeper/server/zookeeper-server.ts';
import { SimulatedNode } from './simulated-node.ts';
import { type ConfigKeys, testKafkaConfig, testZooCfg } from './test-keys.ts';

const ZOOKEEPER_PORT = 2181;
const KAFKA_PORT = 9092;

export interface SimulatedClusterOptions {
  /** The same seed and the same code give the same history. */
  readonly seed: number | string;
  readonly zookeeper?: ConfigKeys;
  readonly kafka?: ConfigKeys;
  /** Hears every line that a machine logs. */
  readonly onLog?: (line: string) => void;
  /** A server ended by itself: its disk failed, or an invariant broke. Without it, the run goes on. */
  readonly onFatal?: (machine: string, error: unknown) => void;
}

/** A whole cluster in memory, under a virtual clock. */
export interface SimulatedCluster {
  /** Runs the world: `runFor`, `runUntil`, `complete`. Faults of the network are its too. */
  readonly sim: Simulation;
  readonly zookeeper: SimulatedNode<ZookeeperServer>;
  readonly broker: SimulatedNode<KafkaBroker>;
  /** Where the test's own clients live: give them `client.runtime`. */
  readonly client: SimMachine;
  /** What clients on other machines say to reach ZooKeeper, and the broker. */
  readonly connect: string;
  readonly bootstrap: string;
  /** Starts what does not run yet: ZooKeeper, then the broker. */
  start(): Promise<void>;
  /** Stops both as an operator does: the broker, then ZooKeeper. */
  stop(): Promise<void>;
}

/** Builds the machines; `start` starts the servers. Nothing needs to be closed: it is all memory. */
export function simulateCluster(options: SimulatedClusterOptions): SimulatedCluster {
  const sim = new Simulation({ seed: options.seed, onLog: options.onLog });
  const zookeeper = simulateZookeeper(sim, options);
  const connect = `${zookeeper.machine.host}:${ZOOKEEPER_PORT}`;
  const broker = simulateBroker(sim, connect, options);
  return {
    sim,
    zookeeper,
    broker,
    client: sim.machine('client'),
    connect,
    bootstrap: `${broker.machine.host}:${KAFKA_PORT}`,
    start: async () => {
      if (zookeeper.server === undefined) await zookeeper.start();
      if (broker.server === undefined) await broker.start();
    },
    stop: async () => {
      await broker.stop();
      await zookeeper.stop();
    },
  };
}

/** A ZooKeeper on a machine of its own, not started. */
export function simulateZookeeper(
  sim: Simulation,
  options: Pick<SimulatedClusterOptions, 'zookeeper' | 'onFatal'> = {},
): SimulatedNode<ZookeeperServer> {
  const config = testZooCfg('/data', { clientPort: ZOOKEEPER_PORT, ...options.zookeeper });
  const machine = sim.machine('zookeeper');
  return new SimulatedNode(sim, machine, (runtime) =>
    startZookeeper(runtime, config, { onFatal: (error) => options.onFatal?.(machine.name, error) }),
  );
}

/** A broker on a machine of its own, not started. */
export function simulateBroker(
  sim: Simulation,
  zookeeperConnect: string,
  options: Pick<SimulatedClusterOptions, 'kafka' | 'onFatal'> = {},
): SimulatedNode<KafkaBroker> {
  const machine = sim.machine('broker');
  const listener = `PLAINTEXT://${machine.host}:${KAFKA_PORT}`;
  const config = testKafkaConfig('/kafka', zookeeperConnect, listener, options.kafka);
  return new SimulatedNode(sim, machine, async (runtime) => {
    const broker = await startKafka(runtime, config);
    void broker.failed.then((error) => options.onFatal?.(machine.name, error));
    return broker;
  });
}
