/** `odradek service`, judged by systemd's own reader; and its services, started as their units say. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort } from './peers/free-port.ts';
import { run, startService, until } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';
import { zkCli } from './peers/tools.ts';

const odradek = fileURLToPath(new URL('../../src/cli/odradek.js', import.meta.url));

const service = (...words: string[]) => run(process.execPath, [odradek, 'service', ...words]);

test('systemd finds no fault in the units, and a second run leaves the configuration alone', async () => {
  const dir = tempDir();
  const conf = join(dir, 'a conf');
  const words = ['--to', dir, '--conf', conf, '--data', '/srv/100% data', '--memory', '2G'];
  const { code, stdout, stderr } = await service(...words);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /install -d -o odradek -m 0750 '\/srv\/100% data'\n/);
  const units = ['zookeeper', 'kafka'].map((name) => join(dir, `odradek-${name}.service`));
  const judged = await run('systemd-analyze', ['verify', ...units]);
  assert.deepEqual([judged.code, judged.stderr.match(/.*odradek.*/g)], [0, null]);
  // the judge does find faults
  const faulty = join(dir, 'odradek-faulty.service');
  writeFileSync(faulty, readFileSync(units[0]!, 'utf8').replace('LimitNOFILE=', 'LimitNOFILES='));
  assert.match((await run('systemd-analyze', ['verify', faulty])).stderr, /LimitNOFILES/);

  writeFileSync(join(conf, 'zoo.cfg'), 'mine');
  assert.match((await service(...words)).stdout, /^kept {4}.*zoo\.cfg$/m);
  assert.equal(readFileSync(join(conf, 'zoo.cfg'), 'utf8'), 'mine');
});

test('the ZooKeeper service runs as its unit says, and ends as the unit expects', async (t) => {
  const dir = tempDir();
  const port = await freePort();
  assert.equal((await service('zookeeper', '--to', dir, '--conf', dir, '--data', join(dir, 'data'))).code, 0);
  const config = join(dir, 'zoo.cfg');
  const text = readFileSync(config, 'utf8').replace('clientPort=2181', `clientPort=${port}`);
  writeFileSync(config, `${text}admin.enableServer=false\n`);
  const unit = readFileSync(join(dir, 'odradek-zookeeper.service'), 'utf8');
  const [program = '', ...args] = /^ExecStart=(.*)$/m.exec(unit)?.[1]?.split(' ') ?? [];
  const logFile = join(dir, 'console');
  const running = startService(program, args, { logFile, env: { PATH: '/usr/bin:/bin' } });
  t.after(() => running.stop());
  await until('server', () => (/ serving /.test(readFileSync(logFile, 'utf8')) ? true : undefined));
  assert.match((await zkCli('3.9.4', `127.0.0.1:${port}`, ['create', '/a', 'x'])).stderr, /Created \/a/);
  assert.equal(await running.stop(), Number(/^SuccessExitStatus=(\d+)$/m.exec(unit)?.[1]));
});

test('what cannot be a unit is refused by option and value', async () => {
  for (const [words, want] of [
    [['fax'], 'there is no service fax: choose zookeeper or kafka'],
    [['--data', 'here'], '--data "here" is refused: give an absolute path without a slash at its end'],
    [['--user', 'a b'], '--user "a b" is refused: give a user name'],
    [['--memory', 'much'], '--memory "much" is refused: give a size such as 2G'],
  ] as const) {
    const { code, stderr, stdout } = await service(...words);
    assert.deepEqual({ code, stderr, stdout }, { code: 1, stderr: `odradek service: ${want}\n`, stdout: '' });
  }
});
