import { present } from '../../../base/assert.ts';
import type { SimMachine } from '../../../runtime/sim/sim-machine.ts';
import { Simulation } from '../../../runtime/sim/simulation.ts';
import { simulateMembers } from '../../../testing/simulated-ensemble.ts';
import type { SimulatedNode } from '../../../testing/simulated-node.ts';
import { type ConfigKeys, testZooCfg } from '../../../testing/test-keys.ts';
import { connectZookeeper, type ZookeeperClient } from '../../client/client.ts';
import type { ZookeeperClientOptions } from '../../client/client-options.ts';
import type { ServerId } from '../../quorum/quorum-verifier.ts';
import { type Hello, RawClient } from '../../server/testkit/raw-client.ts';
import type { QuorumPeer } from '../quorum-peer.ts';

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
  readonly members: ReadonlyMap<ServerId, SimulatedNode<QuorumPeer>>;
  readonly fatal: unknown[] = [];
  #clients = 0;

  constructor(options: EnsembleOptions = {}) {
    const { seed = 1, config, configOf, properties, onLog } = options;
    this.sim = new Simulation({ seed, onLog });
    this.members = simulateMembers(this.sim, {
      ...options,
      configOf: (id, keys) => testZooCfg('/data', { ...keys, ...config, ...configOf?.(id) }, properties),
      onFatal: (_machine, error) => this.fatal.push(error),
    }) as Map<ServerId, SimulatedNode<QuorumPeer>>;
    for (const { machine } of this.members.values()) {
      for (const [path, bytes] of Object.entries(options.files ?? {})) machine.runtime.disk.writeFile(path, bytes);
    }
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
