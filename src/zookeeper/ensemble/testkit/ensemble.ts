import { present } from '../../../base/assert.ts';
import type { SimMachine } from '../../../runtime/sim/sim-machine.ts';
import { Simulation } from '../../../runtime/sim/simulation.ts';
import { SimulatedNode } from '../../../testing/simulated-node.ts';
import { type ConfigKeys, testZooCfg } from '../../../testing/test-keys.ts';
import { connectZookeeper, type ZookeeperClient } from '../../client/client.ts';
import type { ZookeeperClientOptions } from '../../client/client-options.ts';
import type { ServerId } from '../../quorum/quorum-verifier.ts';
import { type Hello, RawClient } from '../../server/testkit/raw-client.ts';
import type { QuorumPeer } from '../quorum-peer.ts';
import { startZookeeper } from '../start-zookeeper.ts';

export interface EnsembleOptions {
  readonly seed?: number | string;
  readonly participants?: number;
  readonly observers?: number;
  readonly config?: ConfigKeys;
  /** Over these, for one member; asked at each of its starts. */
  readonly configOf?: (id: ServerId) => ConfigKeys;
  readonly properties?: Readonly<Record<string, string>>;
  /** On the disk of each member. */
  readonly files?: Readonly<Record<string, Uint8Array>>;
  readonly onLog?: (line: string) => void;
}

/** Members of an ensemble, each on a simulated machine of its own. */
export class EnsembleWorld {
  readonly sim: Simulation;
  readonly members = new Map<ServerId, SimulatedNode<QuorumPeer>>();
  readonly fatal: unknown[] = [];
  readonly #options: EnsembleOptions;
  #clients = 0;

  constructor(options: EnsembleOptions = {}) {
    const { seed = 1, participants = 3, observers = 0, config = {}, onLog } = options;
    this.#options = options;
    this.sim = new Simulation({ seed, onLog });
    const ids = Array.from({ length: participants + observers }, (_, index) => index + 1);
    const machines = new Map(ids.map((id) => [id, this.sim.machine(`zk${id}`)]));
    const servers = Object.fromEntries(
      [...machines].map(([id, { host }]) => [
        `server.${id}`,
        `${host}:2888:3888${id > participants ? ':observer' : ''}`,
      ]),
    );
    for (const [id, machine] of machines) {
      const keys = { clientPort: 2181, initLimit: 10, syncLimit: 5, tickTime: 500, ...servers, ...config };
      this.members.set(id, this.#member(id, machine, id > participants ? { ...keys, peerType: 'observer' } : keys));
    }
  }

  #member(id: ServerId, machine: SimMachine, keys: ConfigKeys): SimulatedNode<QuorumPeer> {
    const { properties, files = {}, configOf = () => ({}) } = this.#options;
    machine.runtime.disk.makeDirectory('/data');
    machine.runtime.disk.writeFile('/data/myid', Buffer.from(String(id)));
    for (const [path, bytes] of Object.entries(files)) machine.runtime.disk.writeFile(path, bytes);
    return new SimulatedNode(this.sim, machine, async (runtime) => {
      const config = testZooCfg('/data', { ...keys, ...configOf(id) }, properties);
      const server = await startZookeeper(runtime, config, { onFatal: (error) => this.fatal.push(error) });
      return server as QuorumPeer;
    });
  }

  async start(): Promise<void> {
    await this.sim.complete(Promise.all([...this.members.values()].map((member) => member.launch())));
  }

  member(id: ServerId): SimulatedNode<QuorumPeer> {
    return present(this.members.get(id), 'the ensemble has a member of that id');
  }

  leader(): QuorumPeer | undefined {
    return this.#peers().find((peer) => peer.peerState === 'LEADING' && peer.servingMode === 'leader');
  }

  #peers(): QuorumPeer[] {
    return [...this.members.values()].map(({ server }) => server).filter((server) => server !== undefined);
  }

  /** Every member that runs serves. */
  async serving(limitMs = 30_000): Promise<QuorumPeer> {
    await this.sim.runUntil(() => this.#peers().every((peer) => peer.servingMode !== undefined), limitMs);
    return this.leader() as QuorumPeer;
  }

  client(
    ids: readonly ServerId[] = [...this.members.keys()],
    options: Partial<ZookeeperClientOptions> = {},
  ): ZookeeperClient {
    const connect = ids.map((id) => `${this.member(id).machine.host}:2181`).join();
    return connectZookeeper(this.#clientMachine().runtime, { connect, sessionTimeoutMs: 8000, ...options });
  }

  /** Asks a member for a session, and answers when it is answered. */
  async raw(id: ServerId, hello: Hello = {}): Promise<RawClient> {
    const client = new RawClient(this.#clientMachine().runtime, { host: this.member(id).machine.host, port: 2181 });
    await this.sim.runUntil(() => client.isConnected || client.isClosed, 10_000);
    client.hello(hello);
    await this.sim.runUntil(() => client.session !== undefined || client.isClosed, 10_000);
    return client;
  }

  #clientMachine(): SimMachine {
    this.#clients += 1;
    return this.sim.machine(`client${this.#clients}`);
  }
}
