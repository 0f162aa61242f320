/** ZooKeeper's rows under load. */
import type { LoadRow } from './load-row.ts';
import type { Servers } from './servers.ts';
import { sumOfStats } from './verify.ts';
import { connectFrame, createFrame, createNode, getFrame, REPLY_ERROR_AT, setFrame } from './zookeeper-frames.ts';

const NODES = 64;
const DATA = Buffer.alloc(100, 'x');
const nodePath = (index: number): string => `/bench/node-${index}`;
const nodePaths = Array.from({ length: NODES }, (_, index) => nodePath(index));

/** What is sent, over and over, and how long an answer is with its length. */
interface Mix {
  readonly answerBytes: number;
  readonly frameOf: (index: number) => Buffer;
}

const get: Mix = { answerBytes: 192, frameOf: (index) => getFrame(nodePath(index)) };
const set: Mix = { answerBytes: 88, frameOf: (index) => setFrame(nodePath(index), DATA) };
const create: Mix = { answerBytes: 52, frameOf: () => createFrame('/bench/created/n-', DATA) };
/** A tenth of them change something. */
const mixed: Mix = { answerBytes: 192, frameOf: (index) => (index % 10 === 0 ? set : get).frameOf(index) };

async function makeNodes({ zookeeperPort }: Servers): Promise<void> {
  await createNode(zookeeperPort, '/bench', Buffer.alloc(0));
  await createNode(zookeeperPort, '/bench/created', Buffer.alloc(0));
  for (const path of nodePaths) await createNode(zookeeperPort, path, DATA);
}

type Row = Pick<LoadRow, 'name' | 'goal' | 'compares' | 'found' | 'isSynced'> & {
  readonly mix: Mix;
  readonly connections?: number;
  readonly inFlight?: number;
};

function zookeeperRow({ mix, connections = 8, inFlight = 100, ...row }: Row): LoadRow {
  return {
    ...row,
    system: 'zookeeper',
    perRequest: 1,
    unit: 'ops/s',
    answerBytes: mix.answerBytes,
    async prepare(servers) {
      await makeNodes(servers);
      const frames = Array.from({ length: NODES }, (_, index) => mix.frameOf(index).toString('hex'));
      const hello = connectFrame.toString('hex');
      return { connections, inFlight, frames, hello, errorAt: REPLY_ERROR_AT, errorSize: 4 };
    },
  };
}

const mixes = { get, 'set, synced': set, 'create, synced': create, '10 % set': mixed } as const;

export const zookeeperRows: readonly LoadRow[] = [
  zookeeperRow({ name: 'get 8x100', goal: 6, mix: get }),
  zookeeperRow({
    name: 'set 8x100, synced',
    goal: 3,
    mix: set,
    found: ({ zookeeperDir }) => sumOfStats(zookeeperDir, nodePaths, 'version'),
  }),
  zookeeperRow({
    name: 'create 8x100, synced',
    goal: 2,
    mix: create,
    found: ({ zookeeperDir }) => sumOfStats(zookeeperDir, ['/bench/created'], 'children'),
  }),
  zookeeperRow({ name: '10 % set 8x100', goal: 5, mix: mixed }),
  ...(['get', 'set, synced', 'create, synced'] as const).map((name) =>
    zookeeperRow({
      name: `one at a time: ${name}`,
      goal: 1,
      compares: 'p50',
      mix: mixes[name],
      connections: 1,
      inFlight: 1,
    }),
  ),
  ...(['get', 'set, synced', 'create, synced', '10 % set'] as const).map((name) =>
    zookeeperRow({
      name: `same load: ${name}`,
      goal: 2,
      compares: 'p99 at half load',
      isSynced: name !== 'get',
      mix: mixes[name],
    }),
  ),
];
