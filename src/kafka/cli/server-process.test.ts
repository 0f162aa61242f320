import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { durationMs, isoTimeMs } from './iso-time.ts';
import { readConfig, withoutMarks } from './run-broker.ts';
import { isOurs } from './server-process.ts';
import { ToolExit } from './tool.ts';

test('a broker of ours carries both marks side by side; a JVM and a shell that speaks of us do not', () => {
  assert.ok(isOurs(['node', 'kafka-server.ts', 'kafka.Kafka', 'odradek', 'server.properties', '']));
  assert.ok(!isOurs(['java', '-cp', 'odradek.jar', 'kafka.Kafka', 'server.properties']));
  assert.ok(!isOurs(['sh', '-c', 'grep kafka.Kafka odradek']));
  assert.ok(!isOurs(['kafka.Kafka', 'odradek']));
  assert.deepEqual(withoutMarks(['kafka.Kafka', 'odradek', 'c', '--override', 'a=b']), ['c', '--override', 'a=b']);
  assert.deepEqual(withoutMarks(['c']), ['c']);
});

test('overrides win over the file; anything else behind it is refused', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'odradek-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 'server.properties');
  writeFileSync(path, 'zookeeper.connect=localhost:1\nnum.partitions=3\n');
  const config = readConfig([path, '--override', 'num.partitions=5', '--override=broker.id=7']);
  assert.deepEqual([config.number('num.partitions'), config.number('broker.id')], [5, 7]);
  assert.throws(() => readConfig([path, '--overide', 'a=b']), { name: 'ConfigError' });
  assert.throws(() => readConfig([path, '--override', 'nonsense']), { name: 'ConfigError' });
  assert.throws(() => readConfig([join(dir, 'none')]), { name: 'ConfigError' });
});

test('times and durations are read as Java reads them', () => {
  assert.equal(isoTimeMs('2020-01-01T00:00:00.000Z'), 1_577_836_800_000);
  assert.equal(isoTimeMs('2020-01-01T02:00:00+02:00'), 1_577_836_800_000);
  assert.equal(isoTimeMs('2020-01-01T02:00:00.000+0200'), 1_577_836_800_000);
  assert.throws(() => isoTimeMs('yesterday'), ToolExit);
  assert.equal(durationMs('P1DT2H3M4.5S'), 93_784_500);
  assert.equal(durationMs('PT1H'), 3_600_000);
  assert.throws(() => durationMs('PT'), ToolExit);
  assert.throws(() => durationMs('1h'), ToolExit);
});
