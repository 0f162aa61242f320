/** What an ensemble of one kind tells its operators, role by role, after both kinds have lived through the same. */
import { join } from 'node:path';
import { connectZookeeper, type ZookeeperClient } from '../../../src/zookeeper/client/index.ts';
import type { MemberKind } from '../ensemble/member.ts';
import { type Ensemble, type MemberSpec, startEnsemble } from '../ensemble.ts';
import { freePorts } from '../peers/free-port.ts';
import { type Outcome, PATIENCE_MS, run, until } from '../peers/process.ts';
import { liveThrough } from './both-servers.ts';

const zkServer = join(import.meta.dirname, '../../../bin/zkServer.sh');

export type MemberName = 'leader' | 'follower' | 'observer';
export const memberNames: readonly MemberName[] = ['leader', 'follower', 'observer'];

/** The highest of the three voters leads; the fourth does not vote. */
const ids: Readonly<Record<MemberName, number>> = { leader: 3, follower: 1, observer: 4 };

export interface Watched {
  readonly ensemble: Ensemble;
  ask(name: MemberName, word: string): Promise<string>;
  /** Of the AdminServer. */
  command(name: MemberName, path: string): Promise<{ readonly status: number; readonly text: string }>;
  /** `/metrics` */
  metrics(name: MemberName): Promise<string>;
  /** `zkServer.sh status` */
  status(name: MemberName): Promise<Outcome>;
  logFile(name: MemberName): string;
  client(name: MemberName): Promise<ZookeeperClient>;
  /** Leaves the follower and the observer without a quorum. Resolves when both look for a leader. */
  loseQuorum(): Promise<void>;
}

interface TestContext {
  after(done: () => unknown): void;
}

export interface WatchedOptions {
  readonly kind: MemberKind;
  /** Lines of zoo.cfg, for all. */
  readonly config?: Readonly<Record<string, string | number>>;
}

/** Three voters and an observer whose clients have done the same everywhere. */
export async function watchEnsemble(t: TestContext, { kind, config = {} }: WatchedOptions): Promise<Watched> {
  const ports = await freePorts(8);
  const members: MemberSpec[] = [1, 2, 3, 4].map((id) => ({
    id,
    kind,
    role: id === ids.observer ? 'observer' : 'participant',
    config: {
      'admin.enableServer': 'true',
      'admin.serverAddress': '127.0.0.1',
      'admin.serverPort': ports[id - 1] ?? 0,
      'metricsProvider.httpHost': '127.0.0.1',
      'metricsProvider.httpPort': ports[id + 3] ?? 0,
    },
  }));
  const ensemble = await startEnsemble(t, { members, config: { enforceQuota: 'true', ...config } });
  const clients: ZookeeperClient[] = [];
  t.after(() => Promise.all(clients.map((client) => client.close())));
  const watched: Watched = {
    ensemble,
    ask: (name, word) => ensemble.member(ids[name]).ask(word),
    command: async (name, path) => {
      const response = await fetch(`http://127.0.0.1:${ports[ids[name] - 1]}/commands/${path}`);
      return { status: response.status, text: await response.text() };
    },
    metrics: async (name) => (await fetch(`http://127.0.0.1:${ports[ids[name] + 3]}/metrics`)).text(),
    status: (name) => run(zkServer, ['status', ensemble.member(ids[name]).configFile]),
    logFile: (name) => ensemble.member(ids[name]).logFile,
    client: async (name) => {
      const client = connectZookeeper({ connect: ensemble.member(ids[name]).connect });
      clients.push(client);
      await client.connected({ timeoutMs: PATIENCE_MS });
      return client;
    },
    loseQuorum: async () => {
      await Promise.all([ensemble.member(3).kill(), ensemble.member(2).kill()]);
      for (const name of ['follower', 'observer'] as const) {
        await until(`${name} without a leader`, async () => {
          const said = await watched.ask(name, 'srvr').catch(() => '');
          return said.startsWith('This ZooKeeper instance') || undefined;
        });
      }
    },
  };
  await live(watched);
  return watched;
}

async function live(watched: Watched): Promise<void> {
  await liveThrough(await watched.client('follower'));
  await (await watched.client('leader')).sync('/');
  const observing = await watched.client('observer');
  await observing.create('/by-observer');
  await observing.sync('/');
  const zxids = async (): Promise<Set<string | undefined>> =>
    new Set(await Promise.all(watched.ensemble.members.map((member) => member.zxid())));
  await until('one zxid everywhere', async () => (await zxids()).size === 1 || undefined);
}
