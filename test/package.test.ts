/** The package as it would be installed: built, below `node_modules`, where Node strips no types. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { buildPackage } from '../scripts/build.ts';
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

test('every launcher finds its program', () => {
  const lost = readdirSync(join(installed, 'bin')).filter((name) => {
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
