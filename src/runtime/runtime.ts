import type { Clock } from './clock.ts';
import type { Compute } from './compute.ts';
import type { Disk } from './disk.ts';
import type { Log } from './log.ts';
import type { Network } from './network.ts';
import type { ProcessFacts } from './process-facts.ts';
import type { Random } from './random.ts';

/** The one seam to the world: whatever a server does outside its own memory goes through here. */
export interface Runtime {
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
  readonly disk: Disk;
  readonly log: Log;
  readonly process: ProcessFacts;
  /** Threads that help the loop: each owner has its own, and closes them. Nothing is started before there is a task. */
  readonly openCompute: () => Compute;
}
