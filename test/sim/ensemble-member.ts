import type { SimMachine } from '../../src/runtime/sim/sim-machine.ts';
import type { Simulation } from '../../src/runtime/sim/simulation.ts';
import { SimulatedNode } from '../../src/testing/simulated-node.ts';
import { type ConfigKeys, testZooCfg } from '../../src/testing/test-keys.ts';
import { QuorumPeer } from '../../src/zookeeper/ensemble/quorum-peer.ts';
import { startZookeeper } from '../../src/zookeeper/ensemble/start-zookeeper.ts';
import { epochOf } from '../../src/zookeeper/jute/ids.ts';
import type { ZookeeperServer } from '../../src/zookeeper/server/zookeeper-server.ts';
import type { DataTree } from '../../src/zookeeper/tree/data-tree.ts';
import type { Victim } from './ensemble-faults.ts';
import type { ServerBook } from './server-book.ts';
import { Supervisor } from './supervisor.ts';

const DATA_DIRECTORY = '/data';
export const CLIENT_PORT = 2181;

export interface EnsembleMemberOptions {
  readonly sim: Simulation;
  readonly machine: SimMachine;
  readonly id: number;
  readonly operator: SimMachine;
  readonly keys: ConfigKeys;
}

/** One server of an ensemble on its machine, and who starts it again. */
export class EnsembleMember implements Victim {
  readonly machine: SimMachine;
  readonly supervisor: Supervisor<ZookeeperServer>;
  readonly id: number;
  losesPower = false;
  readonly #sim: Simulation;
  #shown: EnsembleMember['serving'];
  #shownMs = 0;

  constructor({ sim, machine, id, operator, keys }: EnsembleMemberOptions) {
    this.#sim = sim;
    this.machine = machine;
    this.id = id;
    const config = testZooCfg(DATA_DIRECTORY, keys);
    const node = new SimulatedNode(sim, machine, (runtime) =>
      startZookeeper(runtime, config, { onFatal: (error) => this.#failed(error) }),
    );
    this.supervisor = new Supervisor(node, operator.runtime.clock, () => machine.disk.repair());
  }

  get name(): string {
    return this.machine.name;
  }

  /** What an operator does once, before the first start; no power failure undoes it. */
  async install(): Promise<void> {
    const { disk } = this.machine.runtime;
    disk.makeDirectory(DATA_DIRECTORY);
    const done = (act: (done: (error?: Error) => void) => void): Promise<void> =>
      this.#sim.complete(
        new Promise((resolve, reject) => act((error) => (error === undefined ? resolve() : reject(error)))),
      );
    await done((each) => disk.replaceFile(`${DATA_DIRECTORY}/myid`, Buffer.from(`${this.id}\n`), each));
    await done((each) => disk.syncDirectory('/', each));
  }

  /** What it serves, if it does. */
  get serving(): { readonly tree: DataTree; readonly mode: string } | undefined {
    const { server } = this.supervisor.node;
    if (server instanceof QuorumPeer) return server.servingMode === undefined ? undefined : server.view;
    return server?.state === 'serving' ? server.view : undefined;
  }

  get isLeading(): boolean {
    const mode = this.serving?.mode;
    return mode === 'leader' || mode === 'standalone';
  }

  /** For the book of what may never differ. */
  show(book: ServerBook): void {
    const { serving } = this;
    if (serving !== this.#shown) this.#shownMs = this.#sim.nowMs;
    this.#shown = serving;
    // A snapshot of a leader that goes on has parts of what is behind it, which is applied as soon as the server serves.
    if (serving === undefined || this.#sim.nowMs < this.#shownMs + 1) return;
    book.holds(this.name, serving.tree);
    if (serving.mode === 'leader') book.leads(this.name, epochOf(serving.tree.lastProcessedZxid));
  }

  describe(): string {
    const { machine, supervisor, serving } = this;
    const state = serving === undefined ? 'not serving' : `${serving.mode} at ${serving.tree.lastProcessedZxid}`;
    return `${this.name}: ${machine.alive ? state : 'down'}, ${supervisor.starts} starts, ${supervisor.failures} failures, last ${supervisor.lastError}`;
  }

  /** The server gave up. Some disks die together with their machine: of the last batch any page may be missing then. */
  #failed(error: unknown): void {
    if (this.losesPower) this.supervisor.node.crash('power');
    this.losesPower = false;
    this.supervisor.failed(error);
  }
}
