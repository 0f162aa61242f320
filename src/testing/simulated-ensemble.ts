import { present } from '../base/assert.ts';
import type { ZooCfg } from '../config/zoo-cfg.ts';
import type { SimMachine } from '../runtime/sim/sim-machine.ts';
import { Simulation } from '../runtime/sim/simulation.ts';
import { startZookeeper } from '../zookeeper/ensemble/start-zookeeper.ts';
import type { ZookeeperServer } from '../zookeeper/server/zookeeper-server.ts';
import { type EnsembleSize, memberKeys, memberRoles } from './ensemble-keys.ts';
import type { SimulatedClusterOptions } from './simulated-cluster.ts';
import { SimulatedNode } from './simulated-node.ts';
import { type ConfigKeys, testZooCfg } from './test-keys.ts';

const PORTS = { clientPort: 2181, peerPort: 2888, electionPort: 3888 };
const DATA_DIRECTORY = '/data';

/** Keys of zoo.cfg (`zookeeper`) are for all members. */
export interface SimulatedEnsembleOptions extends Omit<SimulatedClusterOptions, 'kafka'>, EnsembleSize {}

export type SimulatedMember = SimulatedNode<ZookeeperServer>;

/** A whole ensemble in memory, under a virtual clock. */
export interface SimulatedEnsemble {
  /** Runs the world: `runFor`, `runUntil`, `complete`. Partitions and other faults are its network's. */
  readonly sim: Simulation;
  /** Machines `zk1`, `zk2`, … by id: participants, then observers. */
  readonly members: ReadonlyMap<number, SimulatedMember>;
  /** Where the test's own clients live: give them `client.runtime`. */
  readonly client: SimMachine;
  /** What clients on other machines say to reach all members. */
  readonly connect: string;
  /** @throws RangeError where there is no such member */
  member(id: number): SimulatedMember;
  /** Who leads and serves now; one that is cut off says so until it notices (`syncLimit`). Undefined while nobody does. */
  leader(): SimulatedMember | undefined;
  /** Starts whatever does not run, and runs the world until all serve. */
  start(): Promise<SimulatedMember>;
  /** Runs the world until one leads and every member that runs serves; answers the leader. */
  serving(limitMs?: number): Promise<SimulatedMember>;
}

/** Builds the machines; `start` starts the servers. Nothing needs to be closed: it is all memory. */
export function simulateEnsemble(options: SimulatedEnsembleOptions): SimulatedEnsemble {
  const sim = new Simulation({ seed: options.seed, onLog: options.onLog });
  const configOf = (_id: number, keys: ConfigKeys): ZooCfg =>
    testZooCfg(DATA_DIRECTORY, { ...keys, ...options.zookeeper });
  const members = simulateMembers(sim, { ...options, configOf });
  const all = [...members.values()];
  const running = (): ZookeeperServer[] => all.map(({ server }) => server).filter((server) => server !== undefined);
  const leader = (): SimulatedMember | undefined => all.find(({ server }) => server?.view.mode === 'leader');
  const serving = async (limitMs = 30_000): Promise<SimulatedMember> => {
    const isServing = (): boolean => leader() !== undefined && running().every(({ view }) => view.mode !== 'looking');
    await sim.runUntil(isServing, limitMs);
    return present(leader(), 'who led a moment ago');
  };
  return {
    sim,
    members,
    client: sim.machine('client'),
    connect: all.map(({ machine }) => `${machine.host}:${PORTS.clientPort}`).join(),
    member: (id) => memberOf(members, id),
    leader,
    start: async () => {
      const down = all.filter(({ server }) => server === undefined);
      await sim.complete(Promise.all(down.map((member) => member.launch())));
      return serving();
    },
    serving,
  };
}

function memberOf(members: SimulatedEnsemble['members'], id: number): SimulatedMember {
  const member = members.get(id);
  if (member === undefined) throw new RangeError(`the ensemble has no member ${id}`);
  return member;
}

interface MembersOptions extends EnsembleSize {
  /** Asked at each start of a member, with the keys that make it one. */
  readonly configOf: (id: number, keys: ConfigKeys) => ZooCfg;
  readonly onFatal?: SimulatedClusterOptions['onFatal'];
}

/** The members on machines of their own, not started. */
export function simulateMembers(sim: Simulation, options: MembersOptions): Map<number, SimulatedMember> {
  const roles = memberRoles(options);
  const machines = new Map([...roles.keys()].map((id) => [id, sim.machine(`zk${id}`)]));
  const placeOf = (id: number) => ({ host: present(machines.get(id), 'the machine of a member').host, ...PORTS });
  return new Map(
    [...machines].map(([id, machine]) => {
      const keys = memberKeys(id, roles, placeOf);
      const node = new SimulatedNode(sim, machine, (runtime) => {
        // At each start: it was not synced.
        runtime.disk.makeDirectory(DATA_DIRECTORY);
        runtime.disk.writeFile(`${DATA_DIRECTORY}/myid`, Buffer.from(`${id}\n`));
        const onFatal = (error: unknown): void => options.onFatal?.(machine.name, error);
        return startZookeeper(runtime, options.configOf(id, keys), { onFatal });
      });
      return [id, node];
    }),
  );
}
