import { ConfigError } from '../../../config/config-error.ts';
import { readZooCfg } from '../../../config/zoo-cfg.ts';
import type { Completion } from '../../../runtime/disk.ts';
import { Simulation } from '../../../runtime/sim/simulation.ts';
import { SimulatedNode } from '../../../testing/simulated-node.ts';
import { type ConfigKeys, testZooCfg } from '../../../testing/test-keys.ts';
import { connectZookeeper, type ZookeeperClient } from '../../client/client.ts';
import type { Reconfiguration } from '../../client/client-options.ts';
import type { ServerId } from '../../quorum/quorum-verifier.ts';
import type { QuorumPeer } from '../quorum-peer.ts';
import { startZookeeper } from '../start-zookeeper.ts';

type RoleName = 'participant' | 'observer';

export interface DynamicEnsembleOptions {
  readonly seed?: number | string;
  readonly participants?: number;
  readonly observers?: number;
  readonly config?: ConfigKeys;
  readonly onLog?: ((line: string) => void) | undefined;
}

const PATH = '/conf/zoo.cfg';

/** Members whose configuration lies on their disks, and changes there. All take part in one simulation. */
export class DynamicEnsemble {
  readonly sim: Simulation;
  readonly members = new Map<ServerId, SimulatedNode<QuorumPeer>>();
  readonly fatal: unknown[] = [];
  readonly #keys: ConfigKeys;
  #clients = 0;

  private constructor({ seed = 1, config = {}, onLog }: DynamicEnsembleOptions) {
    this.sim = new Simulation({ seed, onLog });
    this.#keys = {
      clientPort: 2181,
      initLimit: 10,
      syncLimit: 4,
      tickTime: 500,
      reconfigEnabled: true,
      skipACL: 'yes',
      ...config,
    };
  }

  /** All of the first ones serve. */
  static async found(options: DynamicEnsembleOptions = {}): Promise<DynamicEnsemble> {
    const { participants = 3, observers = 0 } = options;
    const ensemble = new DynamicEnsemble(options);
    const ids = Array.from({ length: participants + observers }, (_, index) => index + 1);
    const roleOf = (id: ServerId): RoleName => (id > participants ? 'observer' : 'participant');
    const lines = ids.map((id) => ensemble.line(id, roleOf(id)));
    for (const id of ids) await ensemble.install(id, lines, roleOf(id));
    await ensemble.complete(Promise.all([...ensemble.members.values()].map((member) => member.launch())));
    await ensemble.serving(ids);
    return ensemble;
  }

  /** `server.4=zk4:2888:3888:participant;0.0.0.0:2181` */
  line(id: ServerId, role: RoleName = 'participant', { client = 2181, peer = 2888, election = 3888 } = {}): string {
    return `server.${id}=zk${id}:${peer}:${election}:${role};${client}`;
  }

  /** A machine with such a configuration; nothing runs there yet. No power failure undoes it. */
  async install(id: ServerId, lines: readonly string[], role: RoleName = 'participant'): Promise<void> {
    const { sim } = this;
    const machine = sim.machine(`zk${id}`);
    const keys = Object.fromEntries(lines.map((line) => line.split(/=(.*)/s, 2) as [string, string]));
    const { text } = testZooCfg('/data', { ...this.#keys, ...keys, peerType: role }).source;
    for (const directory of ['/data', '/conf']) machine.runtime.disk.makeDirectory(directory);
    const member = new SimulatedNode(sim, machine, async (runtime) => {
      const config = readZooCfg(Buffer.from(runtime.disk.readFile(PATH)).toString('latin1'), {}, PATH);
      const server = await startZookeeper(runtime, config, { onFatal: (error) => this.fatal.push(error) });
      return server as QuorumPeer;
    });
    this.members.set(id, member);
    await this.#write(id, '/data/myid', Buffer.from(`${id}\n`));
    await this.#write(id, PATH, Buffer.from(text));
  }

  /**
   * Starts it again. A server that knows of no membership with itself does not start, as Apache's does not; then this answers
   * undefined. If it has left it stays away, if it was about to join its operator gives it the file with which it came first.
   */
  async comeBack(id: ServerId, { isJoining = false } = {}): Promise<QuorumPeer | undefined> {
    const member = this.member(id);
    try {
      return await this.complete(member.launch());
    } catch (error) {
      if (!(error instanceof ConfigError && error.key === 'myid')) throw error;
      if (!isJoining) return undefined;
      await this.#write(id, PATH, member.machine.runtime.disk.readFile(`${PATH}.bak`));
      await this.complete(member.launch());
      return undefined;
    }
  }

  async #write(id: ServerId, path: string, bytes: Uint8Array): Promise<void> {
    const { disk } = this.member(id).machine.runtime;
    const done = (act: (done: Completion) => void): Promise<void> =>
      this.complete(
        new Promise((resolve, reject) => act((error) => (error === undefined ? resolve() : reject(error)))),
      );
    await done((each) => disk.replaceFile(path, bytes, each));
    await done((each) => disk.syncDirectory('/', each));
  }

  /** A server that knows the others, and whom they do not know, is with them. */
  async join(id: ServerId, role: RoleName = 'participant'): Promise<void> {
    const lines = [...this.members.keys()].map((other) => this.line(other));
    await this.install(id, [...lines, this.line(id, role)], role);
    await this.member(id).start();
    await this.serving([id]);
  }

  member(id: ServerId): SimulatedNode<QuorumPeer> {
    const member = this.members.get(id);
    if (member === undefined) throw new RangeError(`no member ${id}`);
    return member;
  }

  modeOf(id: ServerId): string | undefined {
    return this.members.get(id)?.server?.servingMode;
  }

  leader(): ServerId | undefined {
    return [...this.members.keys()].find((id) => this.modeOf(id) === 'leader');
  }

  /** Whether a stranger can connect there. */
  async listensAt(id: ServerId, port: number): Promise<boolean> {
    this.#clients += 1;
    const { network } = this.sim.machine(`stranger${this.#clients}`).runtime;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const connection = network.connect(
      { host: `zk${id}`, port },
      { connected: () => resolve(true), data: () => undefined, closed: () => resolve(false) },
    );
    const isOpen = await this.complete(promise);
    connection.destroy();
    return isOpen;
  }

  /** As each of them has it. */
  texts(ids: readonly ServerId[]): string[] {
    return ids.map((id) => this.member(id).server?.memberships.current.text ?? 'down');
  }

  /** What its configuration file says now, and the file that names. */
  filesOf(id: ServerId): { readonly names: string[]; readonly config: string; readonly dynamic: string } {
    const { disk } = this.member(id).machine.runtime;
    const read = (path: string): string => Buffer.from(disk.readFile(path)).toString();
    const config = read(PATH);
    const path = /^dynamicConfigFile=(.*)$/m.exec(config)?.[1];
    const names = disk.list('/conf').map(({ name }) => name);
    return { names, config, dynamic: path === undefined ? '' : read(path) };
  }

  async serving(ids: readonly ServerId[], limitMs = 60_000): Promise<void> {
    await this.sim.runUntil(() => ids.every((id) => this.modeOf(id) !== undefined), limitMs);
  }

  complete<T>(promise: Promise<T>): Promise<T> {
    return this.sim.complete(promise);
  }

  client(ids: readonly ServerId[] = [...this.members.keys()], port = 2181): ZookeeperClient {
    this.#clients += 1;
    const machine = this.sim.machine(`client${this.#clients}`);
    return connectZookeeper(machine.runtime, {
      connect: ids.map((id) => `zk${id}:${port}`).join(),
      sessionTimeoutMs: 8000,
    });
  }

  /** Answers the new text. */
  async reconfigure(change: Reconfiguration, through: readonly ServerId[] = [...this.members.keys()]): Promise<string> {
    const client = this.client(through);
    const { data } = await this.complete(client.reconfigure(change));
    await this.complete(client.close());
    return String(data);
  }

  /** What is written through one of them all have, and all agree on who they are. */
  async works(ids: readonly ServerId[], limitMs = 60_000): Promise<string> {
    const all = (): string[] => this.texts(ids);
    await this.sim.runUntil(
      () => ids.every((id) => this.modeOf(id) !== undefined) && new Set(all()).size === 1,
      limitMs,
    );
    const writer = this.client(ids);
    const value = `at ${this.sim.nowMs}`;
    if ((await this.complete(writer.exists('/check'))) === undefined) await this.complete(writer.create('/check', ''));
    await this.complete(writer.setData('/check', value));
    await this.complete(writer.close());
    const [text = ''] = all();
    for (const id of ids) {
      const reader = this.client([id]);
      await this.complete(reader.sync('/check'));
      const { data } = await this.complete(reader.getData('/check'));
      const config = await this.complete(reader.getConfig());
      await this.complete(reader.close());
      if (String(data) !== value) throw new RangeError(`server ${id} has ${data}, not ${value}`);
      if (String(config.data) !== text)
        throw new RangeError(`server ${id} tells clients of\n${config.data}\nnot of\n${text}`);
    }
    return text;
  }
}
