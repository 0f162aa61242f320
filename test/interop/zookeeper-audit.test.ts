/** The audit log beside Apache's, of the same requests: the same lines in the same order, sessions aside. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Log } from '../../src/runtime/log.ts';
import type { ZookeeperClient } from '../../src/zookeeper/client/client.ts';
import { CreateMode } from '../../src/zookeeper/jute/create-mode.ts';
import { liveThrough, type Side, startApacheSide, startOurSide } from './operator/both-servers.ts';

const keys = { 'audit.enable': true, enforceQuota: true, extendedTypesEnabled: true };
const LOGGER = 'org.apache.zookeeper.audit.Slf4jAuditLogger';

/** Keeps what the audit logger is told, with its level. */
function auditCollector(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const logNamed = (component: string): Log => {
    const take = (level: string) => (message: string) => {
      if (component === LOGGER) lines.push(`${level} ${message}`);
    };
    return { debug: take('DEBUG'), info: take('INFO'), warn: take('WARN'), error: take('ERROR'), named: logNamed };
  };
  return { log: logNamed(''), lines };
}

async function change(side: Side): Promise<void> {
  const failed = (): undefined => undefined;
  const client: ZookeeperClient = await side.client();
  await liveThrough(client);
  await client.addAuth('digest', 'gregor:samsa');
  await client.addAuth('digest', 'grete:samsa');
  for (const mode of Object.values(CreateMode)) {
    const isTtl = mode === CreateMode.PERSISTENT_WITH_TTL || mode === CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL;
    await client.create('/kind-', null, { mode, ...(isTtl ? { ttlMs: 100_000 } : {}) }).catch(failed);
  }
  const acl = [
    { perms: 31, id: { scheme: 'world', id: 'anyone' } },
    { perms: 5, id: { scheme: 'auth', id: '' } },
  ];
  await client.setACL('/app', acl);
  await client.setACL('/missing', acl).catch(failed);
  await client.setACL('/app', [{ perms: 31, id: { scheme: 'nonsense', id: 'x' } }]).catch(failed);
  await client.setData('/missing', null).catch(failed);
  await client.create('/app', null).catch(failed);
  await client.create('/missing/child', null).catch(failed);
  await client.delete('/app').catch(failed);
  await client.multi([
    { kind: 'create', path: '/m', data: null },
    { kind: 'create', path: '/m/s-', data: null, mode: CreateMode.PERSISTENT_SEQUENTIAL },
    { kind: 'setData', path: '/m', data: Buffer.from('x') },
    { kind: 'check', path: '/m' },
    { kind: 'create', path: '/m/e', data: null, mode: CreateMode.EPHEMERAL },
    { kind: 'delete', path: '/m/e' },
  ]);
  await client
    .multi([
      { kind: 'create', path: '/n', data: null },
      { kind: 'delete', path: '/missing' },
    ])
    .catch(failed);
  await client.reconfigure({ joining: 'server.9=127.0.0.1:1:2;3' }).catch(failed);
  await client.sync('/');
  await client.getData('/app');
}

/** Sessions, and the order of ephemerals that go together, are a server's own. */
function normalised(lines: readonly string[]): string[] {
  const said = lines.map((line) =>
    line
      .replace(/session=0x[0-9a-f]+/, 'session=S')
      // Apache keeps who a connection is in a hash set.
      .replace(/user=([^\t]*)/, (_, users: string) => `user=${users.split(',').sort().join(',')}`),
  );
  const last = said.filter((line) => line.includes('OnSessionClose')).sort();
  return [...said.filter((line) => !line.includes('OnSessionClose')), ...last];
}

test('the same requests leave the same lines as in Apache 3.9.4’s audit log', async () => {
  const collector = auditCollector();
  const apache = await startApacheSide({ keys });
  const ours = await startOurSide({ keys, log: collector.log });
  for (const side of [apache, ours]) {
    await change(side);
    await side.close();
  }
  const theirs = readFileSync(join(apache.dataDir, 'apache-zookeeper.log'), 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, level, text] = /(INFO|ERROR) org\.apache\.zookeeper\.audit\.Slf4jAuditLogger - (.*)$/.exec(line) ?? [];
      return level === undefined ? [] : [`${level} ${text}`];
    });
  assert.ok(theirs.length > 30, `Apache audits: ${theirs.length} lines`);
  assert.deepEqual(normalised(collector.lines), normalised(theirs));
});
