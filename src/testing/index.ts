/**
 * A real ZooKeeper, alone or as an ensemble, and a real Kafka inside a test: on free ports in this process (`startTestZookeeper`,
 * `startTestEnsemble`, `startTestCluster`), or wholly in memory under a virtual clock, where a seed decides what happens
 * (`simulateEnsemble`, `simulateCluster`).
 */
export type { SimMachine } from '../runtime/sim/sim-machine.ts';
export { Simulation, SimulationError, type SimulationOptions } from '../runtime/sim/simulation.ts';
export type { EnsembleSize, MemberRole } from './ensemble-keys.ts';
export {
  type SimulatedCluster,
  type SimulatedClusterOptions,
  simulateBroker,
  simulateCluster,
  simulateZookeeper,
} from './simulated-cluster.ts';
export {
  type SimulatedEnsemble,
  type SimulatedEnsembleOptions,
  type SimulatedMember,
  simulateEnsemble,
} from './simulated-ensemble.ts';
export { SimulatedNode } from './simulated-node.ts';
export {
  startTestCluster,
  startTestZookeeper,
  type TestCluster,
  type TestClusterOptions,
  type TestZookeeper,
  type TestZookeeperOptions,
} from './test-cluster.ts';
export {
  NotServingError,
  startTestEnsemble,
  type TestEnsemble,
  type TestEnsembleOptions,
  type TestMember,
} from './test-ensemble.ts';
export { type ConfigKeys, testKafkaConfig, testZooCfg } from './test-keys.ts';
