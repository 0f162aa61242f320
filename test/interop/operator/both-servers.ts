/** Apache's server and ours beside each other, with the same keys, for what operators look at. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { readZooCfg } from '../../../src/config/zoo-cfg.ts';
import type { Log } from '../../../src/runtime/log.ts';
import { silent } from '../../../src/runtime/log.ts';
import { nodeRuntime } from '../../../src/runtime/node/node-runtime.ts';
import { connectZookeeper, type ZookeeperClient } from '../../../src/zookeeper/client/client.ts';
import { startZookeeper } from '../../../src/zookeeper/ensemble/start-zookeeper.ts';
import { CreateMode } from '../../../src/zookeeper/jute/create-mode.ts';
import type { ZookeeperServer } from '../../../src/zookeeper/server/zookeeper-server.ts';
import { type ApacheZookeeper, fourLetterWord, startApacheZookeeper } from '../peers/apache-zookeeper.ts';
import { freePort } from '../peers/free-port.ts';
import { PATIENCE_MS } from '../peers/process.ts';
import { tempDir } from '../peers/temp-dir.ts';

export type Keys = Readonly<Record<string, string | number | boolean>>;

/** One of the two. */
export interface Side {
  readonly name: 'Apache' | 'odradek';
  readonly connect: string;
  readonly dataDir: string;
  /** Of the web server that `portKey` asked for. */
  readonly httpPort: number;
  ask(word: string): Promise<string>;
  /** A client with a session, closed with the server. */
  client(): Promise<ZookeeperClient>;
  close(): Promise<void>;
}

export interface BothOptions {
  readonly keys?: Keys;
  /** A key that takes a port of the system's choice. */
  readonly portKey?: string;
  /** What our server logs. */
  readonly log?: Log;
}

const shared: Keys = {
  tickTime: 2000,
  clientPortAddress: '127.0.0.1',
  '4lw.commands.whitelist': '*',
  maxClientCnxns: 0,
};

export async function startBoth(options: BothOptions = {}): Promise<{ apache: Side; ours: Side }> {
  const [apache, ours] = await Promise.all([startApacheSide(options), startOurSide(options)]);
  return { apache, ours };
}

export async function startApacheSide({
  keys = {},
  portKey,
}: BothOptions): Promise<Side & { server: ApacheZookeeper }> {
  const httpPort = await freePort();
  const dataDir = join(tempDir(), 'apache');
  const server = await startApacheZookeeper({
    version: '3.9.4',
    dataDir,
    config: textKeys({ ...keys, ...(portKey === undefined ? {} : { [portKey]: httpPort }) }),
  });
  const clients = clientsOf(server.connect);
  return {
    name: 'Apache',
    server,
    connect: server.connect,
    dataDir,
    httpPort,
    ask: server.ask,
    client: clients.open,
    close: async () => {
      await clients.close();
      await server.stop();
    },
  };
}

export async function startOurSide({
  keys = {},
  portKey,
  log = silent,
}: BothOptions): Promise<Side & { server: ZookeeperServer }> {
  const dataDir = join(tempDir(), 'ours');
  mkdirSync(dataDir);
  const httpPort = await freePort();
  const all: Record<string, unknown> = { ...shared, clientPort: 0, dataDir, 'admin.enableServer': false, ...keys };
  if (portKey !== undefined) all[portKey] = httpPort;
  const text = Object.entries(all)
    .map(([key, value]) => `${key}=${String(value)}\n`)
    .join('');
  const server = await startZookeeper(nodeRuntime({ log }), readZooCfg(text));
  const { port } = server.clientAddress;
  const connect = `127.0.0.1:${port}`;
  const clients = clientsOf(connect);
  return {
    name: 'odradek',
    server,
    connect,
    dataDir,
    httpPort,
    ask: (word) => fourLetterWord(port, word),
    client: clients.open,
    close: async () => {
      await clients.close();
      await server.close();
    },
  };
}

function textKeys(keys: Keys): Record<string, string | number> {
  return Object.fromEntries(Object.entries(keys).map(([key, value]) => [key, String(value)]));
}

function clientsOf(connect: string): { open(): Promise<ZookeeperClient>; close(): Promise<void> } {
  const opened: ZookeeperClient[] = [];
  return {
    async open() {
      const client = connectZookeeper(nodeRuntime({ log: silent }), { connect });
      opened.push(client);
      await client.connected({ timeoutMs: PATIENCE_MS });
      return client;
    },
    async close() {
      for (const client of opened) await client.close();
    },
  };
}

/** What both servers live through: every kind of event that a metric or an audit line tells of. */
export async function liveThrough(client: ZookeeperClient): Promise<void> {
  const failed = (): undefined => undefined;
  await client.create('/app', Buffer.from('x'));
  await client.create('/app/e', Buffer.from('x'), { mode: CreateMode.EPHEMERAL });
  await client.getData('/app', { watch: () => undefined });
  await client.getChildren('/app', { watch: () => undefined });
  await client.exists('/app/new', { watch: () => undefined });
  await client.exists('/app');
  // Stays.
  await client.exists('/app/later', { watch: () => undefined });
  await client.setData('/app', Buffer.from('yy'));
  await client.create('/app/new', null);
  await client.delete('/app/new');
  await client.delete('/nope').catch(failed);
  for (let count = 0; count < 20; count += 1) await client.getData('/app');
  await client.create('/zookeeper/quota/app', null);
  await client.create(
    '/zookeeper/quota/app/zookeeper_limits',
    Buffer.from('count=-1,bytes=-1=;byteHardLimit=10;countHardLimit=2'),
  );
  await client.create('/zookeeper/quota/app/zookeeper_stats', Buffer.from('count=2,bytes=3'));
  await client.create('/app/third', null).catch(failed);
  await client.setData('/app', Buffer.alloc(100)).catch(failed);
}
