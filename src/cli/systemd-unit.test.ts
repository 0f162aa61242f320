import assert from 'node:assert/strict';
import test from 'node:test';
import { unitText } from './systemd-unit.ts';

const unit = {
  description: 'a server',
  wants: ['other.service'],
  command: ['/opt/node', '/opt/server.ts', '/etc/a.cfg'],
  user: 'zk',
  data: '/var/lib/odradek',
  openFilesMax: 1000,
  memoryMax: undefined,
  stopTimeoutSeconds: 60,
} as const;

const linesOf = (text: string, key: string): string[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith(`${key}=`))
    .map((line) => line.slice(key.length + 1));

test('a unit starts after what it wants, and may write only its data', () => {
  const text = unitText(unit);
  assert.deepEqual(linesOf(text, 'After'), ['network-online.target other.service']);
  assert.deepEqual(linesOf(text, 'ExecStart'), ['/opt/node /opt/server.ts /etc/a.cfg']);
  assert.deepEqual(linesOf(text, 'StateDirectory'), ['odradek']);
  assert.deepEqual(linesOf(text, 'ProtectSystem'), ['strict']);
  assert.deepEqual([linesOf(text, 'LimitNOFILE'), linesOf(text, 'MemoryMax')], [['1000'], []]);
  const elsewhere = unitText({ ...unit, data: '/srv/my data', memoryMax: '2G' });
  assert.deepEqual(linesOf(elsewhere, 'ReadWritePaths'), ['"/srv/my data"']);
  assert.deepEqual([linesOf(elsewhere, 'StateDirectory'), linesOf(elsewhere, 'MemoryMax')], [[], ['2G']]);
});

test('what systemd would expand or split is quoted', () => {
  const text = unitText({ ...unit, command: ['/a b/node', '100%', '$HOME', 'say "hi"', 'back\\slash'] });
  assert.deepEqual(linesOf(text, 'ExecStart'), ['"/a b/node" 100%% "$$HOME" "say \\"hi\\"" "back\\\\slash"']);
});
