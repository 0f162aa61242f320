/** The package as it would be installed: built, below `node_modules`, where Node strips no types. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { buildPackage, LAUNCHER_ENVIRONMENT } from '../scripts/build.ts';
import { tempDir } from './interop/peers/temp-dir.ts';

const project = tempDir();
const installed = join(project, 'node_modules/odradek');

function run(program: string, args: readonly string[]): { code: number | null; stdout: string; stderr: string } {
  // The launchers take the first Node on PATH where a package brings none.
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', cwd: project });
  return { code: status, stdout, stderr };
}

before(async () => {
  await buildPackage(installed);
  const { dependencies } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Manifest;
  // As npm would.
  for (const name of Object.keys(dependencies)) symlinkSync(installedHere(name), join(project, 'node_modules', name));
});

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
}

function installedHere(name: string): string {
  return join(import.meta.dirname, '../node_modules', name);
}

test('every entry point is there, and they share one of everything', () => {
  const script = `
import { connectZookeeper, KeeperError } from 'odradek/zookeeper/client';
import { startZookeeper } from 'odradek/zookeeper';
import { startKafka } from 'odradek/kafka';
import { createAdmin } from 'odradek/kafka/client';
import { startTestZookeeper } from 'odradek/testing';
const server = await startTestZookeeper();
const client = connectZookeeper({ connect: server.connect });
const error = await client.getData('/nothing').catch((error) => error);
console.log(error instanceof KeeperError, typeof startZookeeper, typeof startKafka, typeof createAdmin);
await client.close();
await server.close();
`;
  writeFileSync(join(project, 'program.mjs'), script);
  const { code, stdout, stderr } = run(process.execPath, ['program.mjs']);
  assert.equal(stderr, '');
  assert.deepEqual([code, stdout], [0, 'true function function function\n']);
});

test('records of an old consumer are converted by a helper thread of the package', () => {
  const script = `
import { connect } from 'node:net';
import { createAdmin, createProducer } from 'odradek/kafka/client';
import { startTestCluster } from 'odradek/testing';
// Only what concerns conversions: a machine may well be too slow for others, and they say so.
const lines = [];
const note = (text, fields) => lines.push(text + ' ' + (fields?.error?.message ?? ''));
const named = (name) => (name === 'kafka.conversions' ? { ...log, warn: note, error: note } : log);
const log = { debug() {}, info() {}, warn() {}, error() {}, named };
const cluster = await startTestCluster({ log });
const { bootstrap: bootstrapServers } = cluster.kafka;
const admin = createAdmin({ bootstrapServers });
await admin.createTopics([{ name: 't', partitions: 1, replicationFactor: 1 }]);
await admin.close();
const producer = createProducer({ bootstrapServers });
await Promise.all(Array.from({ length: 300 }, () => producer.send({ topic: 't', value: Buffer.alloc(100, 'x') })));
await producer.close();
// Fetch v3 of the topic's first partition.
const body = Buffer.from('0001000300000007ffff' + 'ffffffff000001f40000000100100000' + '00000001000174' + '00000001' +
  '00000000' + '0000000000000000' + '00100000', 'hex');
const frame = Buffer.concat([Buffer.from([0, 0, 0, body.length]), body]);
const answer = await new Promise((resolve) => {
  let got = Buffer.alloc(0);
  const socket = connect(cluster.kafka.port, '127.0.0.1', () => socket.write(frame));
  socket.on('data', (data) => {
    got = Buffer.concat([got, data]);
    if (got.length < 4 || got.length < 4 + got.readInt32BE(0)) return;
    socket.destroy();
    resolve(got);
  });
});
const records = answer.subarray(answer.length - answer.readInt32BE(37));
const magics = new Set();
let count = 0;
for (let at = 0; at < records.length; at += 12 + records.readInt32BE(at + 8)) {
  magics.add(records[at + 16]);
  count += 1;
}
console.log(count > 200, [...magics], lines.join());
await cluster.close();
`;
  writeFileSync(join(project, 'old-consumer.mjs'), script);
  const { code, stdout, stderr } = run(process.execPath, ['old-consumer.mjs']);
  assert.equal(stderr, '');
  assert.deepEqual([code, stdout], [0, 'true [ 1 ] \n']);
});

test('every launcher finds its program', () => {
  const launchers = readdirSync(join(installed, 'bin')).filter((name) => name !== LAUNCHER_ENVIRONMENT);
  const lost = launchers.filter((name) => {
    const { code, stderr } = run(join(installed, 'bin', name), ['--help']);
    return code === null || /ERR_MODULE_NOT_FOUND|Cannot find module|ERR_UNSUPPORTED_NODE_MODULES/.test(stderr);
  });
  assert.deepEqual(lost, []);
});

test('a daemon of the package starts, answers and stops', () => {
  const dir = join(project, 'zookeeper');
  mkdirSync(dir);
  const config = join(dir, 'zoo.cfg');
  writeFileSync(config, `tickTime=2000\ndataDir=${dir}\nclientPort=0\nadmin.enableServer=false\n`);
  const zkServer = (action: string): ReturnType<typeof run> =>
    run('env', [`ZOO_LOG_DIR=${dir}`, join(installed, 'bin/zkServer.sh'), action, config]);
  try {
    assert.match(zkServer('start').stdout, /STARTED/);
  } finally {
    assert.match(zkServer('stop').stdout, /STOPPED/);
  }
});

test('odradek start finds the configuration that came with it', () => {
  const data = join(project, 'data');
  mkdirSync(data);
  // No ports are taken: with its configuration it comes as far as to this file in the place of a folder.
  writeFileSync(join(data, 'zookeeper'), '');
  const { code, stderr } = run(process.execPath, [join(installed, 'dist/cli/odradek.js'), 'start', '--data', data]);
  assert.equal(code, 1);
  assert.match(stderr, /^odradek start: .*data\/zookeeper/);
});
