import type { Runtime } from '../runtime/runtime.ts';
import type { SimMachine } from '../runtime/sim/sim-machine.ts';
import type { Simulation } from '../runtime/sim/simulation.ts';

interface Closable {
  close(): Promise<void>;
}

/**
 * A simulated machine that runs one server. What is awaited here runs the world until it is done; `launch` alone only begins, for
 * use while the world runs already.
 */
export class SimulatedNode<S extends Closable> {
  readonly machine: SimMachine;
  readonly #sim: Simulation;
  readonly #open: (runtime: Runtime) => Promise<S>;
  #server: S | undefined;

  constructor(sim: Simulation, machine: SimMachine, open: (runtime: Runtime) => Promise<S>) {
    this.#sim = sim;
    this.machine = machine;
    this.#open = open;
  }

  /** The server of the running process; undefined while none has started. */
  get server(): S | undefined {
    return this.#server;
  }

  /** Begins to start the server, in a new process if the last one died. A crash meanwhile leaves the promise unsettled. */
  async launch(): Promise<S> {
    if (!this.machine.alive) this.machine.restart();
    const { runtime } = this.machine;
    const server = await this.#open(runtime);
    if (this.machine.runtime === runtime) this.#server = server;
    return server;
  }

  /** Starts the server and runs the world until it serves. */
  start(): Promise<S> {
    return this.#sim.complete(this.launch());
  }

  /** Stops the server as an operator does, and ends its process. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server !== undefined) await this.#sim.complete(server.close());
    if (this.machine.alive) this.machine.crash('process');
  }

  /** `process`: kill -9, written bytes stay. `power`: only synced bytes stay. */
  crash(kind: 'process' | 'power'): void {
    this.#server = undefined;
    this.machine.crash(kind);
  }

  /** Starts again on what a stop or a crash left. */
  restart(): Promise<S> {
    return this.start();
  }
}
