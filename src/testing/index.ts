/**
 * A real ZooKeeper and a real Kafka inside a test: on free ports in this process (`startTestZookeeper`, `startTestCluster`), or
 * wholly in memory under a virtual clock, where a seed decides what happens (`simulateCluster`).
 */
export type { SimMachine } from '../runtime/sim/sim-machine.ts';
export { Simulation, SimulationError, type SimulationOptions } from '../runtime/sim/simulation.ts';
export {
  type SimulatedCluster,
  type SimulatedClusterOptions,
  simulateBroker,
  simulateCluster,
  simulateZookeeper,
} from './simulated-cluster.ts';
export { SimulatedNode } from './simulated-node.ts';
export {
  startTestCluster,
  startTestZookeeper,
  type TestCluster,
  type TestClusterOptions,
  type TestZookeeper,
  type TestZookeeperOptions,
} from './test-cluster.ts';
export { type ConfigKeys, testKafkaConfig, testZooCfg } from './test-keys.ts';
