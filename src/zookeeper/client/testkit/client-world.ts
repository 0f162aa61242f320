/** A world for tests of the client alone: scripted servers, one client, virtual time. */
import { Simulation } from '../../../runtime/sim/simulation.ts';
import { ErrorCode, KeeperError } from '../../jute/errors.ts';
import { OpCode } from '../../jute/op-codes.ts';
import { GetChildrenResponse, GetDataRequest, GetDataResponse } from '../../jute/proto.ts';
import { type ClientState, connectZookeeper, type ZookeeperClient } from '../client.ts';
import type { ZookeeperClientOptions } from '../client-options.ts';
import { FakeEnsemble, type FakeRequest, FakeServer } from './fake-server.ts';

export const zeroStat = {
  ...{ czxid: 1n, mzxid: 2n, ctime: 3, mtime: 4, version: 5, cversion: 6, aversion: 7 },
  ...{ ephemeralOwner: 0n, dataLength: 1, numChildren: 0, pzxid: 8n },
};

export interface World {
  readonly sim: Simulation;
  readonly ensemble: FakeEnsemble;
  readonly servers: readonly FakeServer[];
  readonly client: ZookeeperClient;
  readonly states: string[];
  /** Milliseconds since the world began, beside each state. */
  readonly stateTimes: number[];
}

/** Servers h1, h2, … that answer reads of any node, and one client. */
export async function world(
  options: Partial<ZookeeperClientOptions> & {
    hosts?: number;
    seed?: number;
    prepare?: (servers: FakeServer[]) => void;
  } = {},
): Promise<World> {
  const { hosts = 1, seed = 7, prepare, ...clientOptions } = options;
  const sim = new Simulation({ seed });
  const ensemble = new FakeEnsemble();
  const servers: FakeServer[] = [];
  for (let id = 1; id <= hosts; id += 1) {
    const server = new FakeServer(sim.machine(`h${id}`), ensemble);
    server.onRequest = answerRead;
    servers.push(server);
  }
  for (const server of servers) await sim.complete(server.listen());
  prepare?.(servers);
  const connect = servers.map(({ machine }) => `${machine.name}:2181`).join(',');
  const client = connectZookeeper(sim.machine('client').runtime, { connect, ...clientOptions });
  const states: string[] = [];
  const stateTimes: number[] = [];
  client.onState((state) => {
    states.push(state);
    stateTimes.push(sim.nowMs);
  });
  return { sim, ensemble, servers, client, states, stateTimes };
}

export function answerRead({ type, xid, link, body }: FakeRequest): void {
  if (type === OpCode.getData) {
    const { path } = GetDataRequest.read(body);
    link.reply(xid, { write: (to) => GetDataResponse.write(to, { data: Buffer.from(path), stat: zeroStat }) });
  } else if (type === OpCode.exists) {
    link.reply(xid, { err: ErrorCode.NONODE });
  } else if (type === OpCode.getChildren) {
    link.reply(xid, { write: (to) => GetChildrenResponse.write(to, { children: ['a'] }) });
  } else {
    link.reply(xid);
  }
}

export const reached = (client: ZookeeperClient, state: ClientState) => () => client.state === state;
export const failsWith = (code: number) => (error: unknown) => error instanceof KeeperError && error.code === code;
export const textOf = ({ data }: { data: Buffer | null }): string => data?.toString() ?? 'null';
