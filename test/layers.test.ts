import assert from 'node:assert/strict';
import { posix } from 'node:path';
import test from 'node:test';
import { importsOf, type SourceFile, trackedFiles } from './source-files.ts';

/**
 * Who may import whom: the whole table. A folder may import itself and what is listed. Longest prefix wins, so
 * `src/runtime/node` has its own row.
 */
const layers: { readonly [folder: string]: readonly string[] } = {
  'src/base': [],
  'src/wire': ['src/base'],
  'src/runtime': ['src/base'],
  'src/runtime/node': ['src/base', 'src/runtime'],
  'src/runtime/sim': ['src/base', 'src/runtime'],
  'src/config': ['src/base', 'src/runtime'],
  'src/observability': ['src/base', 'src/runtime'],
  'src/zookeeper/jute': below(),
  'src/zookeeper/sasl': below(),
  'src/zookeeper/tree': [...below(), 'src/zookeeper/jute'],
  'src/zookeeper/persistence': [...below(), 'src/zookeeper/jute', 'src/zookeeper/tree'],
  'src/zookeeper/quorum': [...below(), ...zookeeper('jute', 'sasl', 'tree', 'persistence')],
  'src/zookeeper/server': [...below(), 'src/observability', ...zookeeper('jute', 'sasl', 'tree', 'persistence')],
  'src/zookeeper/ensemble': [...below(), ...zookeeper('jute', 'sasl', 'tree', 'persistence', 'quorum', 'server')],
  'src/zookeeper/client': [...below(), ...zookeeper('jute', 'sasl')],
  'src/zookeeper/cli': [...below(), 'src/runtime/node', 'src/zookeeper'],
  'src/kafka/protocol': below(),
  'src/kafka/records': [...below(), ...kafka('protocol')],
  'src/kafka/log': [...below(), ...kafka('protocol', 'records')],
  'src/kafka/channel': [...below(), ...kafka('protocol', 'security')],
  'src/kafka/replication': [...below(), ...kafka('protocol', 'records', 'log', 'channel')],
  'src/kafka/zk': [...below(), 'src/zookeeper/jute', 'src/zookeeper/client', ...kafka('protocol', 'log')],
  'src/kafka/coordinator': [...below(), ...kafka('protocol', 'records', 'log', 'replication')],
  'src/kafka/share': [...below(), ...kafka('protocol', 'records', 'log', 'replication', 'coordinator')],
  'src/kafka/controller': [
    ...below(),
    'src/zookeeper/jute',
    ...kafka('protocol', 'channel', 'log', 'replication', 'zk'),
  ],
  'src/kafka/security': [...below(), ...kafka('protocol', 'zk')],
  'src/kafka/broker': [
    ...below(),
    'src/observability',
    ...kafka(
      'protocol',
      'records',
      'log',
      'channel',
      'replication',
      'zk',
      'coordinator',
      'share',
      'controller',
      'security',
    ),
    'src/zookeeper/client',
    'src/zookeeper/jute',
  ],
  'src/kafka/client': [...below(), ...kafka('protocol', 'records', 'security')],
  'src/kafka/cli': [...below(), 'src/runtime/node', 'src/kafka', 'src/zookeeper/client', 'src/zookeeper/jute'],
  'src/cli': ['src'],
  'src/testing': ['src'],
};

/** Entry points bind the real runtime; each only gathers what a user may import. */
const entryPoints = /^src\/(zookeeper|kafka)\/(client\/)?index\.ts$/;

function below(): readonly string[] {
  return ['src/base', 'src/wire', 'src/runtime', 'src/config'];
}
function zookeeper(...folders: readonly string[]): string[] {
  return folders.map((folder) => `src/zookeeper/${folder}`);
}
function kafka(...folders: readonly string[]): string[] {
  return folders.map((folder) => `src/kafka/${folder}`);
}

function rowOf(path: string): string | undefined {
  const rows = Object.keys(layers).filter((folder) => path.startsWith(`${folder}/`));
  return rows.sort((a, b) => b.length - a.length)[0];
}

/** Undefined when the import is fine. */
function violation(file: SourceFile, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  const target = posix.normalize(posix.join(posix.dirname(file.path), specifier));
  const from = rowOf(file.path);
  if (from === undefined) return `${file.path} stands in no folder of the layer table`;
  if (target.startsWith(`${from}/`) && rowOf(target) === from) return undefined;
  const allowed = layers[from]?.some((folder) => allows(folder, target)) === true;
  if (allowed) return undefined;
  return `${file.path} imports ${target}`;
}

/** The real and the simulated runtime are imported by name only, never because all of `src/runtime` is allowed. */
function allows(folder: string, target: string): boolean {
  if (!target.startsWith(`${folder}/`)) return false;
  const special = ['src/runtime/node', 'src/runtime/sim'].find((name) => target.startsWith(`${name}/`));
  if (special !== undefined) return folder === special || folder === 'src';
  const isCommandLine = target.includes('/cli/');
  return !isCommandLine || folder === 'src';
}

const isTest = (path: string): boolean => /\.(test|contract)\.ts$/.test(path) || path.includes('/testkit/');

test('every import follows the layer table', () => {
  const sources = trackedFiles('src/**/*.ts').filter(({ path }) => !isTest(path) && !entryPoints.test(path));
  assert.ok(sources.length > 20, 'the sources were found');
  const violations = sources.flatMap((file) => importsOf(file).map((specifier) => violation(file, specifier)));
  assert.deepEqual(
    violations.filter((found) => found !== undefined),
    [],
  );
});

test('the table refuses what it must', () => {
  const refused = (path: string, specifier: string): boolean => violation({ path, text: '' }, specifier) !== undefined;
  assert.ok(refused('src/base/heap.ts', '../wire/reader.ts'));
  assert.ok(refused('src/zookeeper/server/a.ts', '../../runtime/node/node-clock.ts'));
  assert.ok(refused('src/zookeeper/client/a.ts', '../server/b.ts'));
  assert.ok(refused('src/zookeeper/tree/a.ts', '../../kafka/log/b.ts'));
  assert.ok(refused('src/kafka/broker/a.ts', '../client/b.ts'));
  assert.ok(!refused('src/kafka/broker/a.ts', '../log/b.ts'));
});
