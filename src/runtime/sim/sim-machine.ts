import { assert } from '../../base/assert.ts';
import type { Runtime } from '../runtime.ts';
import { type Scheduler, SimProcess } from './scheduler.ts';
import { SimClock, type WallClock } from './sim-clock.ts';
import { type ComputeOrders, SimCompute } from './sim-compute.ts';
import { SimDisk } from './sim-disk.ts';
import { SimLog } from './sim-log.ts';
import type { SimHost, SimNetwork } from './sim-network.ts';
import { simProcessFacts } from './sim-process-facts.ts';
import type { SimRandom } from './sim-random.ts';

/** What machines have in common. */
export interface World {
  readonly scheduler: Scheduler;
  readonly network: SimNetwork;
  readonly random: SimRandom;
  /** Milliseconds since 1970 when the world began. */
  readonly wallStartMs: number;
  readonly log: (machine: string, level: string, text: string) => void;
}

/** A machine with an address, a disk, a clock, and one process at a time. */
export class SimMachine implements SimHost {
  readonly name: string;
  readonly host: string;
  readonly disk: SimDisk;
  /** Takes what a callback of the running process throws; without it the run fails with it. */
  onFatal: ((error: unknown) => void) | undefined;
  readonly #world: World;
  readonly #random: SimRandom;
  readonly #wall: WallClock;
  #process: SimProcess;
  #runtime: Runtime;
  #powered = true;
  #starts = 0;
  #stalledUntilMs = 0;
  readonly #computes: ComputeOrders = { lossCount: 0, openCount: 0 };

  constructor(world: World, name: string, host: string) {
    this.name = name;
    this.host = host;
    this.#world = world;
    this.#random = world.random.fork(`machine ${name}`);
    this.#wall = { offsetMs: world.wallStartMs };
    this.disk = new SimDisk(world.scheduler, this.#random.fork('disk'), this.#wall);
    world.network.add(this);
    [this.#process, this.#runtime] = this.#start();
  }

  /** The running process's; a restart gives a new one. */
  get runtime(): Runtime {
    return this.#runtime;
  }

  get powered(): boolean {
    return this.#powered;
  }

  /** A process runs. */
  get alive(): boolean {
    return this.#process.alive;
  }

  /**
   * `process`: kill -9, or the process is out of memory. Its kernel closes its connections; all that it wrote stays written.
   * `power`: the cord is pulled. Peers hear nothing; the disk keeps what was synced, and of the rest something.
   */
  crash(kind: 'process' | 'power'): void {
    if (this.#powered) this.#note('crash', kind);
    if (kind === 'power') this.#powered = false;
    if (this.#process.alive) {
      this.#process.alive = false;
      this.disk.processDied(this.#process);
      this.#world.network.crashed(this.#process, kind);
    }
    if (kind === 'power') this.disk.losePower();
  }

  /** Starts a process on what the crash left. */
  restart(): Runtime {
    assert(!this.#process.alive, 'a machine runs one process; crash it first', this.name);
    this.#note('restart', this.#starts);
    [this.#process, this.#runtime] = this.#start();
    if (!this.#powered) {
      this.#powered = true;
      this.#world.network.poweredOn(this);
    }
    return this.#runtime;
  }

  /**
   * The process does not run for a while: a garbage collection, a paused virtual machine, swapping, SIGSTOP. What arrives waits in
   * the kernel; peers see connections that are open and silent.
   */
  stall(ms: number): void {
    const { scheduler } = this.#world;
    const process = this.#process;
    this.#note('stall', ms);
    this.#stalledUntilMs = Math.max(this.#stalledUntilMs, scheduler.nowMs + ms);
    process.stalled = true;
    scheduler.after(ms, 'wake', 0, undefined, () => {
      if (process.stalled && scheduler.nowMs >= this.#stalledUntilMs) scheduler.wake(process);
    });
  }

  /** The wall clock steps, forward or back: NTP, an operator, a resumed virtual machine. Monotonic time does not. */
  clockJump(ms: number): void {
    this.#note('clock-jump', ms);
    this.#wall.offsetMs += ms;
  }

  /** So many tasks of helper threads are lost from now on, as by threads that end. */
  loseTasks(count: number): void {
    this.#computes.lossCount += count;
  }

  /** Owners of helper threads that have not closed them; those that died are no longer counted. */
  get openComputeCount(): number {
    return this.#computes.openCount;
  }

  #start(): [SimProcess, Runtime] {
    const { scheduler, network, log } = this.#world;
    const process = new SimProcess(this.name, scheduler.nowMs, (error) => {
      if (this.onFatal === undefined) return false;
      this.onFatal(error);
      return true;
    });
    this.#starts += 1;
    this.#stalledUntilMs = 0;
    this.#computes.openCount = 0;
    const random = this.#random.fork(`compute ${this.#starts}`);
    const runtime = {
      clock: new SimClock(scheduler, process, this.#wall),
      random: this.#random.fork(`start ${this.#starts}`),
      network: network.on(this, process),
      disk: this.disk.on(process),
      log: new SimLog((level, text) => log(this.name, level, text)),
      process: simProcessFacts(this.#wall.offsetMs + scheduler.nowMs),
      openCompute: () => new SimCompute(scheduler, random, process, this.#computes),
    };
    return [process, runtime];
  }

  #note(kind: string, detail: string | number): void {
    this.#world.scheduler.history.record(this.#world.scheduler.nowMs, this.name, kind, detail);
  }
}
