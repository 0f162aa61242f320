/**
 * Records what Apache's servers leave in a data directory after every kind of transaction:
 * `node scripts/golden/zookeeper-data-dirs.ts`. The logs are kept entry by entry, without the zeros behind them.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silent } from '../../src/runtime/log.ts';
import { nodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { connectZookeeper, type ZookeeperClient } from '../../src/zookeeper/client/client.ts';
import { CreateMode } from '../../src/zookeeper/jute/create-mode.ts';
import { type ApacheZookeeper, startApacheZookeeper } from '../../test/interop/peers/apache-zookeeper.ts';
import { freePort } from '../../test/interop/peers/free-port.ts';

type Version = '3.4.8' | '3.9.4';
const runtime = nodeRuntime({ log: silent });

interface Recorded {
  /** Hexadecimal, by file name: header, then entries with checksum, length and end mark. */
  readonly logs: Record<string, readonly string[]>;
  readonly snapshots: Record<string, string>;
}

async function recordVersion(version: Version): Promise<Recorded> {
  const dataDir = mkdtempSync(join(tmpdir(), 'golden-zookeeper-'));
  try {
    const config = await configOf(version);
    await withServer(version, dataDir, config, (server) => firstLife(server, version));
    await withServer(version, dataDir, config, (server) => secondLife(server, version));
    if (version === '3.9.4') {
      // At its start each life writes a snapshot of what the one before left.
      for (const method of ['gz', 'snappy']) {
        const packed = { ...config, 'snapshot.compression.method': method };
        await withServer(version, dataDir, packed, (server) => laterLife(server, method));
      }
    }
    return readDirectory(join(dataDir, 'version-2'));
  } finally {
    rmSync(dataDir, { recursive: true });
  }
}

/** 3.9.4 as an ensemble of one, so that it can be reconfigured. */
async function configOf(version: Version): Promise<Record<string, string | number>> {
  // 3.4 takes no snapshot at start.
  if (version === '3.4.8') return { snapCount: 8 };
  return {
    extendedTypesEnabled: 'true',
    'znode.container.checkIntervalMs': 200,
    reconfigEnabled: 'true',
    standaloneEnabled: 'false',
    skipACL: 'yes',
    'server.1': `127.0.0.1:${await freePort()}:${await freePort()}`,
  };
}

async function withServer(
  version: Version,
  dataDir: string,
  config: Record<string, string | number>,
  use: (server: ApacheZookeeper) => Promise<void>,
): Promise<void> {
  const server = await startApacheZookeeper({ version, dataDir, config, ...('server.1' in config ? { myid: 1 } : {}) });
  try {
    await use(server);
  } finally {
    await server.kill();
  }
}

async function withClient(server: ApacheZookeeper, use: (client: ZookeeperClient) => Promise<void>): Promise<void> {
  const client = connectZookeeper(runtime, { connect: server.connect, sessionTimeoutMs: 10_000 });
  await client.connected();
  await use(client);
  await client.close();
}

async function firstLife(server: ApacheZookeeper, version: Version): Promise<void> {
  await withClient(server, async (client) => {
    await client.addAuth('digest', 'user:pass');
    await client.create('/plain', 'one');
    await client.create('/null', null);
    await client.create('/empty', '');
    await client.create('/plain/grüße', Buffer.from([0, 255, 66, 66]));
    await client.create('/private', 'x', { acl: [{ perms: 31, id: { scheme: 'auth', id: '' } }] });
    await client.create('/plain/ephemeral', 'e', { mode: CreateMode.EPHEMERAL });
    await client.create('/plain/s-', 's', { mode: CreateMode.EPHEMERAL_SEQUENTIAL });
    await client.create('/plain/p-', 'p', { mode: CreateMode.PERSISTENT_SEQUENTIAL });
    await client.setData('/plain', 'two');
    await client.setData('/plain', null, 1);
    await client.setACL('/empty', [{ perms: 1, id: { scheme: 'ip', id: '127.0.0.1' } }]);
    await failing(client.delete('/plain'));
    await failing(client.setData('/absent', 'x'));
    await client.delete('/null');
    await client.multi([
      { kind: 'create', path: '/multi', data: 'm' },
      { kind: 'setData', path: '/multi', data: 'n' },
      { kind: 'check', path: '/multi', version: 1 },
      { kind: 'create', path: '/multi/child', data: '' },
      { kind: 'delete', path: '/multi/child' },
    ]);
    await failing(
      client.multi([
        { kind: 'setData', path: '/multi', data: 'lost' },
        { kind: 'delete', path: '/absent' },
        { kind: 'create', path: '/not-tried' },
      ]),
    );
    await client.create('/zookeeper/quota/plain');
    await client.create('/zookeeper/quota/plain/zookeeper_limits', 'count=100,bytes=-1');
    await client.create('/zookeeper/quota/plain/zookeeper_stats', 'count=0,bytes=0');
    await client.create('/plain/counted', 'four');
    if (version === '3.9.4') await newerKinds(client);
  });
}

async function newerKinds(client: ZookeeperClient): Promise<void> {
  await client.createWithStat('/with-stat', 'w');
  for (let perms = 1; perms < 32; perms += 5) {
    const acl = [
      { perms, id: { scheme: 'ip', id: '10.0.0.0/8' } },
      { perms: 31 - perms, id: { scheme: 'world', id: 'anyone' } },
    ];
    await client.create(`/acl-${perms}`, null, { acl });
  }
  await client.create('/container', 'c', { mode: CreateMode.CONTAINER });
  await client.create('/container/child', '');
  await client.create('/kept-container', null, { mode: CreateMode.CONTAINER });
  await client.create('/ttl', 't', { mode: CreateMode.PERSISTENT_WITH_TTL, ttlMs: 123_456_789 });
  await client.create('/ttl-', 't', { mode: CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL, ttlMs: 0xff_ffff_ffff });
  await client.multi([
    { kind: 'create', path: '/multi/container', mode: CreateMode.CONTAINER },
    { kind: 'create', path: '/multi/ttl', mode: CreateMode.PERSISTENT_WITH_TTL, ttlMs: 99_999_999 },
  ]);
  await client.delete('/container/child');
  // The leader's timer removes the container that had a child.
  while ((await client.exists('/container')) !== undefined) await client.sync('/');
}

/** After a restart: 3.9 has a snapshot of all this now, and a log goes on. */
async function secondLife(server: ApacheZookeeper, version: Version): Promise<void> {
  const sessionThatStays = connectZookeeper(runtime, { connect: server.connect, sessionTimeoutMs: 40_000 });
  await sessionThatStays.connected();
  await sessionThatStays.create('/stays', 'owner is alive', { mode: CreateMode.EPHEMERAL });
  await withClient(server, async (client) => {
    await client.setData('/multi', 'after the restart');
    await client.delete('/with-stat').catch(() => undefined);
    if (version === '3.9.4') {
      await client.reconfigure({ joining: `server.5=127.0.0.1:1:2:observer;127.0.0.1:3` });
    }
  });
  await server.kill();
}

async function laterLife(server: ApacheZookeeper, method: string): Promise<void> {
  await withClient(server, async (client) => {
    await client.create(`/life-${method}`, `with ${method}`);
  });
}

/** With `closeSessionTxn.enabled=false` the transaction names no paths, as those of 3.5 and before. */
async function recordShortClose(): Promise<Recorded> {
  const dataDir = mkdtempSync(join(tmpdir(), 'golden-zookeeper-'));
  try {
    await withServer('3.9.4', dataDir, { 'closeSessionTxn.enabled': 'false' }, (server) =>
      withClient(server, async (client) => {
        await client.create('/gone', 'with its session', { mode: CreateMode.EPHEMERAL });
      }),
    );
    return readDirectory(join(dataDir, 'version-2'));
  } finally {
    rmSync(dataDir, { recursive: true });
  }
}

async function failing(promise: Promise<unknown>): Promise<void> {
  await promise.then(
    () => Promise.reject(new RangeError('this should have failed')),
    () => undefined,
  );
}

function readDirectory(directory: string): Recorded {
  const logs: Record<string, readonly string[]> = {};
  const snapshots: Record<string, string> = {};
  for (const name of readdirSync(directory).sort()) {
    const bytes = readFileSync(join(directory, name));
    if (name.startsWith('log.')) logs[name] = entriesOf(bytes);
    if (name.startsWith('snapshot.')) snapshots[name] = bytes.toString('hex');
  }
  return { logs, snapshots };
}

/** Cut by the length fields alone: nothing of ours reads what is recorded. */
function entriesOf(bytes: Buffer): string[] {
  const parts = [bytes.subarray(0, 16).toString('hex')];
  for (let at = 16; at + 12 < bytes.length && bytes.readInt32BE(at + 8) > 0; ) {
    const end = at + 12 + bytes.readInt32BE(at + 8) + 1;
    parts.push(bytes.subarray(at, end).toString('hex'));
    at = end;
  }
  return parts;
}

function write(name: string, recorded: Recorded): void {
  const file = new URL(`../../test/golden/zookeeper/apache-${name}.json`, import.meta.url);
  writeFileSync(file, `${JSON.stringify(recorded, null, 1)}\n`);
}

for (const version of ['3.4.8', '3.9.4'] as const) write(version, await recordVersion(version));
write('3.9.4-short-close', await recordShortClose());
