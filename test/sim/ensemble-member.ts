import { ConfigError } from '../../src/config/config-error.ts';
import { readZooCfg, type ZooCfg } from '../../src/config/zoo-cfg.ts';
import type { Runtime } from '../../src/runtime/runtime.ts';
import type { SimMachine } from '../../src/runtime/sim/sim-machine.ts';
import type { Simulation } from '../../src/runtime/sim/simulation.ts';
import { SimulatedNode } from '../../src/testing/simulated-node.ts';
import { type ConfigKeys, testZooCfg } from '../../src/testing/test-keys.ts';
import { QuorumPeer } from '../../src/zookeeper/ensemble/quorum-peer.ts';
import { startZookeeper } from '../../src/zookeeper/ensemble/start-zookeeper.ts';
import { epochOf } from '../../src/zookeeper/jute/ids.ts';
import type { Membership } from '../../src/zookeeper/quorum/membership.ts';
import type { ZookeeperServer } from '../../src/zookeeper/server/zookeeper-server.ts';
import type { DataTree } from '../../src/zookeeper/tree/data-tree.ts';
import type { Victim } from './ensemble-faults.ts';
import type { MembershipBook } from './membership-book.ts';
import type { ServerBook } from './server-book.ts';
import { Supervisor } from './supervisor.ts';
import type { Verdict } from './verdict.ts';

const DATA_DIRECTORY = '/data';
const CONFIG_PATH = '/conf/zoo.cfg';
export const CLIENT_PORT = 2181;

export type RoleName = 'participant' | 'observer';

/** As a membership that may change names it. */
export function memberLine(id: number, role: RoleName): string {
  return `server.${id}=m${id}:2888:3888:${role};${CLIENT_PORT}`;
}

export interface EnsembleMemberOptions {
  readonly sim: Simulation;
  readonly machine: SimMachine;
  readonly id: number;
  readonly operator: SimMachine;
  readonly keys: ConfigKeys;
  /** `server.N` lines of all members. */
  readonly lines: readonly string[];
  /** Where the membership may change: what is known of it. The configuration lies on the disk then. */
  readonly memberships: MembershipBook | undefined;
  readonly verdict: Verdict;
}

/** One server of an ensemble on its machine, and who starts it again. */
export class EnsembleMember implements Victim {
  readonly machine: SimMachine;
  readonly supervisor: Supervisor<ZookeeperServer>;
  readonly id: number;
  losesPower = false;
  readonly #sim: Simulation;
  readonly #options: EnsembleMemberOptions;
  /** Lines of members that its operator writes into its configuration before the next start. */
  #invitation: string | undefined;
  #isStranger = false;
  #shown: EnsembleMember['serving'];
  #shownMs = 0;

  constructor(options: EnsembleMemberOptions) {
    const { sim, machine, id, operator, lines, memberships, verdict } = options;
    this.#options = options;
    this.#sim = sim;
    this.machine = machine;
    this.id = id;
    const config = this.#config(lines);
    const node = new SimulatedNode(sim, machine, async (runtime) => {
      const found = memberships === undefined ? config : await this.#configOnDisk(runtime);
      return startZookeeper(runtime, found, { onFatal: (error) => this.#failed(error) });
    });
    this.supervisor = new Supervisor(node, operator.runtime.clock, verdict, () => this.#mend());
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
    if (this.#options.memberships !== undefined) {
      disk.makeDirectory('/conf');
      await done((each) =>
        disk.replaceFile(CONFIG_PATH, Buffer.from(this.#config(this.#options.lines).source.text), each),
      );
    }
    await done((each) => disk.syncDirectory('/', each));
  }

  /** It is about to be taken in: if it does not start because it is in no membership that it knows of, it gets these lines. */
  invite(text: string): void {
    if (this.#isStranger) this.#invitation = text;
  }

  /** The last one that was proposed to it. */
  get proposedMembership(): Membership | undefined {
    const { server } = this.supervisor.node;
    return server instanceof QuorumPeer ? server.memberships.lastSeen : undefined;
  }

  /** In force there; undefined while it does not run. */
  get membership(): Membership | undefined {
    const { server } = this.supervisor.node;
    return server instanceof QuorumPeer ? server.memberships.current : undefined;
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

  #config(lines: readonly string[]): ZooCfg {
    const servers = lines.map((line) => line.split(/=(.*)/s, 2) as [string, string]);
    return testZooCfg(DATA_DIRECTORY, { ...this.#options.keys, ...Object.fromEntries(servers) });
  }

  async #configOnDisk({ disk }: Runtime): Promise<ZooCfg> {
    const invitation = this.#invitation;
    if (invitation !== undefined) {
      const lines = invitation.split('\n').filter((line) => line.startsWith('server.'));
      const bytes = Buffer.from(this.#config(lines).source.text);
      await new Promise<void>((resolve, reject) => {
        disk.replaceFile(CONFIG_PATH, bytes, (error) => (error === undefined ? resolve() : reject(error)));
      });
      this.#invitation = undefined;
    }
    this.#isStranger = false;
    return readZooCfg(Buffer.from(disk.readFile(CONFIG_PATH)).toString('latin1'), {}, CONFIG_PATH);
  }

  /** Before a start after a failure. Who was taken in while it was away, or shall be, has to be told so: others may wait for it. */
  #mend(): void {
    this.machine.disk.repair();
    const { lastError } = this.supervisor;
    this.#isStranger = lastError instanceof ConfigError && lastError.key === 'myid';
    const { newest, proposed } = this.#options.memberships ?? {};
    if (newest === undefined) return;
    const role = (proposed ?? newest).servers.get(this.id)?.role;
    if (newest.servers.has(this.id)) this.invite(newest.text);
    else if (role !== undefined) this.invite(`${newest.text}\n${memberLine(this.id, role)}`);
  }

  /** The server gave up. Some disks die together with their machine: of the last batch any page may be missing then. */
  #failed(error: unknown): void {
    if (this.losesPower) this.supervisor.node.crash('power');
    this.losesPower = false;
    this.supervisor.failed(error);
  }
}
