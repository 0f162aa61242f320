import { runCrashPointsWorld } from './crash-points-world.ts';
import { runEnsembleWorld } from './ensemble-world.ts';
import { runKafkaWorld } from './kafka-world.ts';
import { runLogCrashPointsWorld } from './log-crash-points-world.ts';
import type { Outcome, RunOptions } from './outcome.ts';
import { runTransactionsWorld } from './transactions-world.ts';
import { runZookeeperWorld } from './zookeeper-world.ts';

export const worlds = {
  zookeeper: runZookeeperWorld,
  kafka: runKafkaWorld,
  transactions: runTransactionsWorld,
  'crash-points': runCrashPointsWorld,
  'log-crash-points': runLogCrashPointsWorld,
  ensemble: runEnsembleWorld,
} as const;
export type WorldName = keyof typeof worlds;

export const isWorldName = (name: string): name is WorldName => Object.hasOwn(worlds, name);

export function runWorld(name: WorldName, seed: number, options: RunOptions = {}): Promise<Outcome> {
  return worlds[name](seed, options);
}
