/**
 * A network of machines, each a network namespace, to be cut and slowed. Every machine stands on two bridges: one for the servers
 * among themselves, which the tests cut, and one for clients, on which the caller is `10.78.0.254`. The caller must run in a
 * network namespace of its own (`inOwnNetwork`), whose end takes everything along.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { type Outcome, PeerError, type RunOptions, run, runOrThrow } from '../peers/process.ts';

/** Runs a program of ours in a new network namespace, to its end. */
export function inOwnNetwork(program: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const line = 'ip link set lo up && exec "$0" "$@"';
  return run('unshare', ['--net', '--', 'sh', '-c', line, process.execPath, program, ...args], options);
}

export interface Machine {
  readonly id: number;
  /** Among the servers. */
  readonly host: string;
  /** For clients. */
  readonly clientHost: string;
  /** What starts a program on it, to stand before its command line. */
  readonly enter: readonly string[];
  /** Lives as long as the machine. */
  readonly holder: ChildProcess;
}

export interface MachineNetwork {
  readonly machines: readonly Machine[];
  /** Only the machines of one group reach each other; those of no group are alone. Clients reach all. */
  partition(...groups: readonly (readonly number[])[]): Promise<void>;
  heal(): Promise<void>;
  /** What other servers send to the machine comes no faster, until `hurry`. */
  slow(id: number, kilobitsPerSecond: number): Promise<void>;
  hurry(id: number): Promise<void>;
  /** Ends the machines; what runs on them is the caller's to end. */
  close(): void;
}

const SERVERS = '10.77.0';
const CLIENTS = '10.78.0';

export async function openMachines(ids: readonly number[]): Promise<MachineNetwork> {
  const ip = (...args: readonly string[]) => runOrThrow('ip', args);
  // a bridge for each group of a partition; the first is that of a whole network
  for (const index of ids.keys()) await addBridge(`servers${index}`);
  await addBridge('clients');
  await ip('addr', 'add', `${CLIENTS}.254/24`, 'dev', 'clients');
  const machines: Machine[] = [];
  for (const id of ids) machines.push(await openMachine(id));
  const onlyServers = (id: number, bridge: string) => ip('link', 'set', `s${id}`, 'master', bridge);
  const heal = async (): Promise<void> => {
    for (const id of ids) await onlyServers(id, 'servers0');
  };
  await heal();
  return {
    machines,
    heal,
    async partition(...groups) {
      for (const id of ids) await ip('link', 'set', `s${id}`, 'nomaster');
      for (const [index, group] of groups.entries()) for (const id of group) await onlyServers(id, `servers${index}`);
    },
    async slow(id, kilobitsPerSecond) {
      const rate = ['rate', `${kilobitsPerSecond}kbit`, 'burst', '16kb', 'latency', '60s'];
      await runOrThrow('tc', ['qdisc', 'replace', 'dev', `s${id}`, 'root', 'tbf', ...rate]);
    },
    async hurry(id) {
      await runOrThrow('tc', ['qdisc', 'del', 'dev', `s${id}`, 'root']);
    },
    close() {
      for (const { holder } of machines) holder.kill();
    },
  };
}

async function addBridge(name: string): Promise<void> {
  await runOrThrow('ip', ['link', 'add', name, 'type', 'bridge', 'forward_delay', '0']);
  await runOrThrow('ip', ['link', 'set', name, 'up']);
}

async function openMachine(id: number): Promise<Machine> {
  // ends with the pipe that this process holds
  const holder = spawn('unshare', ['--net', 'sh', '-c', 'echo up && exec cat']);
  await isUp(holder);
  const enter = ['nsenter', '--target', String(holder.pid), '--net', '--'];
  const inside = (...args: readonly string[]) => runOrThrow('nsenter', [...enter.slice(1), 'ip', ...args]);
  await inside('link', 'set', 'lo', 'up');
  for (const [prefix, net, bridge] of [
    ['s', SERVERS, 'servers0'],
    ['c', CLIENTS, 'clients'],
  ] as const) {
    const [outer, inner] = [`${prefix}${id}`, `${prefix}${id}-in`];
    await runOrThrow('ip', ['link', 'add', outer, 'type', 'veth', 'peer', 'name', inner, 'netns', `${holder.pid}`]);
    await runOrThrow('ip', ['link', 'set', outer, 'master', bridge, 'up']);
    await inside('addr', 'add', `${net}.${id}/24`, 'dev', inner);
    await inside('link', 'set', inner, 'up');
  }
  return { id, host: `${SERVERS}.${id}`, clientHost: `${CLIENTS}.${id}`, enter, holder };
}

function isUp(holder: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    holder.stdout?.once('data', () => resolve());
    holder.once('error', reject);
    holder.once('close', () => reject(new PeerError('no network namespace: that needs root, unshare and iproute2')));
  });
}
