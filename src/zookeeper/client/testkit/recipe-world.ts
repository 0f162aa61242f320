import { zooCfg } from '../../../config/zoo-cfg.ts';
import { below } from '../../../runtime/random.ts';
import type { SimMachine } from '../../../runtime/sim/sim-machine.ts';
import type { SimRandom } from '../../../runtime/sim/sim-random.ts';
import { Simulation } from '../../../runtime/sim/simulation.ts';
import { startZookeeper } from '../../ensemble/start-zookeeper.ts';
import { ErrorCode, KeeperError } from '../../jute/errors.ts';
import { connectZookeeper, type ZookeeperClient } from '../client.ts';
import { OutcomeUnknownError, WaitTimeoutError } from '../recipes/errors.ts';
import { ignore, listSubtree } from '../recipes/nodes.ts';
import { SessionKeeper } from '../recipes/sessions.ts';
import { isOver } from '../recipes/waiting.ts';

const config = zooCfg({
  dataDir: '/data',
  clientPort: 2181,
  tickTime: 500,
  preAllocSize: 64,
  'admin.enableServer': false,
});
export const SESSION_TIMEOUT_MS = 4000;

export interface Faults {
  readonly count: number;
  /** Processes that do not run for a while, and do not know it. Default true. */
  readonly stalls?: boolean;
}

/** Our server and clients on machines of their own, in one simulation. */
export class RecipeWorld {
  readonly sim: Simulation;
  readonly server: SimMachine;
  readonly machines: SimMachine[] = [];
  readonly #random: SimRandom;

  private constructor(seed: number) {
    this.sim = new Simulation({ seed });
    this.server = this.sim.machine('zk');
    this.#random = this.sim.random.fork('faults');
  }

  static async start(seed: number): Promise<RecipeWorld> {
    const world = new RecipeWorld(seed);
    await world.startServer();
    return world;
  }

  /** As an operator would: again, if it is down. */
  async startServer(): Promise<void> {
    const runtime = this.server.alive ? this.server.runtime : this.server.restart();
    await this.sim.complete(startZookeeper(runtime, config));
  }

  machine(name: string): SimMachine {
    const machine = this.sim.machine(name);
    this.machines.push(machine);
    return machine;
  }

  client(name: string): ZookeeperClient {
    return this.open(this.machine(name));
  }

  open(machine: SimMachine): ZookeeperClient {
    return connectZookeeper(machine.runtime, { connect: 'zk', sessionTimeoutMs: SESSION_TIMEOUT_MS });
  }

  keeper(name: string): SessionKeeper {
    const machine = this.machine(name);
    return new SessionKeeper(() => this.open(machine));
  }

  /** What stands below a path; a container may be gone already. */
  async tree(path: string): Promise<string[]> {
    const client = connectZookeeper(this.sim.machine(`look ${this.sim.eventCount}`).runtime, { connect: 'zk' });
    const found = await this.sim.complete(listSubtree(client, path).catch(ignore(ErrorCode.NONODE)));
    await this.sim.complete(client.close());
    return (found ?? []).filter((each) => each !== path).sort();
  }

  /** One fault after another: restarts, partitions (also of one direction), resets, stalls, steps of the clock. */
  async misbehave({ count, stalls = true }: Faults): Promise<void> {
    const { sim, server } = this;
    for (let fault = 0; fault < count; fault += 1) {
      await sim.runFor(this.#random.below(3000));
      const machine = this.machines[this.#random.below(this.machines.length)] as SimMachine;
      const forMs = 10 + this.#random.below(fault % 4 === 0 ? 9000 : 2500);
      switch (this.#random.below(7)) {
        case 0:
          await this.#restart(this.#random.below(2) === 0 ? 'process' : 'power', forMs);
          break;
        case 1:
          sim.network.partition(machine, server, { oneWay: this.#random.below(2) === 0 });
          await sim.runFor(forMs);
          sim.network.heal();
          break;
        case 2:
          sim.network.partition(server, machine, { oneWay: true }); // requests arrive, answers do not
          await sim.runFor(forMs);
          sim.network.heal();
          break;
        case 3:
        case 4:
          for (let reset = 0; reset < 5; reset += 1) {
            sim.network.resetBetween(machine, server);
            await sim.runFor(this.#random.below(1500));
          }
          break;
        case 5:
          if (stalls) machine.stall(forMs);
          break;
        default:
          machine.clockJump(this.#random.below(100_000) - 50_000);
      }
    }
    sim.network.heal();
  }

  async #restart(kind: 'process' | 'power', afterMs: number): Promise<void> {
    this.server.crash(kind);
    await this.sim.runFor(afterMs);
    await this.startServer();
  }
}

/** What a turn may fail with while machines misbehave. */
const expected = [KeeperError, WaitTimeoutError, OutcomeUnknownError];

/** Repeats a program's turn, in a new session whenever the former one is over, until it is told to stop. */
export class Actor {
  client: ZookeeperClient;
  turns = 0;
  readonly machine: SimMachine;
  readonly #world: RecipeWorld;
  readonly #running: Promise<void>;
  #stopped = false;

  constructor(world: RecipeWorld, name: string, turn: (client: ZookeeperClient, actor: Actor) => Promise<void>) {
    this.#world = world;
    this.machine = world.machine(name);
    this.client = world.open(this.machine);
    this.#running = this.#run(turn);
  }

  pause(msMax: number): Promise<void> {
    const { clock, random } = this.machine.runtime;
    return new Promise((resolve) => void clock.after(below(random, msMax), resolve));
  }

  /** Resolves after the turn under way; the session stays. */
  stop(): Promise<void> {
    this.#stopped = true;
    return this.#running;
  }

  async #run(turn: (client: ZookeeperClient, actor: Actor) => Promise<void>): Promise<void> {
    while (!this.#stopped) {
      if (isOver(this.client)) this.client = this.#world.open(this.machine);
      try {
        await turn(this.client, this);
        this.turns += 1;
      } catch (error) {
        if (!expected.some((type) => error instanceof type)) throw error;
      }
      await this.pause(200);
    }
  }
}
