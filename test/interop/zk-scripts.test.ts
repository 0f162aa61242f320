/** The launchers in bin/, as a user runs them: real processes, real ports, Apache's lines and exit codes. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startApacheZookeeper } from './peers/apache-zookeeper.ts';
import { freePort } from './peers/free-port.ts';
import { type Outcome, run, until } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';
import { zkCli } from './peers/tools.ts';

const bin = fileURLToPath(new URL('../../bin/', import.meta.url));

interface Place {
  readonly configFile: string;
  readonly dataDir: string;
  readonly port: number;
  readonly pidFile: string;
  /** zkServer.sh with this place's configuration. */
  zkServer(...words: string[]): Promise<Outcome>;
}

/** A configuration of its own, below a directory with blanks and quotes in its name. */
async function place(t: { after(done: () => unknown): void }, lines: readonly string[] = []): Promise<Place> {
  const dir = join(tempDir(), "it's a place");
  const dataDir = join(dir, 'data');
  const configFile = join(dir, 'zoo.cfg');
  const port = await freePort();
  mkdirSync(dir);
  const config = ['tickTime=2000', `dataDir=${dataDir}`, `clientPort=${port}`, 'admin.enableServer=false', ...lines];
  writeFileSync(configFile, `${config.join('\n')}\n`);
  const env = { ZOO_LOG_DIR: join(dir, 'logs') };
  const zkServer = (...words: string[]): Promise<Outcome> =>
    run(join(bin, 'zkServer.sh'), [...words, ...(words.includes('--config') ? [] : [configFile])], { env });
  const pidFile = join(dataDir, 'zookeeper_server.pid');
  t.after(() => zkServer('stop'));
  return { configFile, dataDir, port, pidFile, zkServer };
}

test('zkServer.sh starts, tells its status, and stops', async (t) => {
  const { configFile, port, pidFile, zkServer } = await place(t);
  const head = `ZooKeeper JMX enabled by default\nUsing config: ${configFile}\n`;
  const found = `Client port found: ${port}. Client address: localhost. Client SSL: false.\n`;
  assert.deepEqual(await zkServer('status'), {
    ...{ code: 1, stderr: head, stdout: `${found}Error contacting service. It is probably not running.\n` },
  });
  assert.deepEqual(await zkServer('start'), { code: 0, stderr: head, stdout: 'Starting zookeeper ... STARTED\n' });
  const pid = readFileSync(pidFile, 'latin1');
  assert.match(pid, /^\d+$/);
  assert.deepEqual(await zkServer('start'), {
    ...{ code: 1, stderr: head, stdout: `Starting zookeeper ... already running as process ${pid}.\n` },
  });
  assert.deepEqual(await zkServer('status'), { code: 0, stderr: head, stdout: `${found}Mode: standalone\n` });

  // Apache's and our command line see the same server
  const theirs = await zkCli('3.9.4', `127.0.0.1:${port}`, ['create', '/from-apache', 'x']);
  assert.match(theirs.stderr, /Created \/from-apache/);
  const ours = await run(join(bin, 'zkCli.sh'), ['-server', `127.0.0.1:${port}`, 'get', '/from-apache']);
  assert.match(ours.stdout, /\nx\n$/);
  const shell = await run(join(bin, 'zookeeper-shell.sh'), [`127.0.0.1:${port}`], { stdin: 'ls /\n' });
  assert.match(shell.stdout, /Welcome to ZooKeeper!\nJLine support is disabled\n\[from-apache, zookeeper\]\n$/);

  assert.deepEqual(await zkServer('stop'), { code: 0, stderr: head, stdout: 'Stopping zookeeper ... STOPPED\n' });
  assert.equal(existsSync(pidFile), false);
  assert.deepEqual(await zkServer('stop'), {
    ...{ code: 0, stderr: head },
    stdout: `Stopping zookeeper ... no zookeeper to stop (could not find file ${pidFile})\n`,
  });
});

test("a daemon's log is a file that rotates, and its output file stays small", async (t) => {
  const { configFile, zkServer } = await place(t);
  const dir = join(configFile, '..', 'logs');
  const env = {
    ZOO_LOG_DIR: dir,
    ZOO_LOG_FILE: 'zk.log',
    SERVER_JVMFLAGS: '-Dzookeeper.log.maxfilesize=100 -Dzookeeper.log.maxbackupindex=2',
  };
  const started = await run(join(bin, 'zkServer.sh'), ['start', configFile], { env });
  assert.equal(started.code, 0, started.stderr);
  await zkServer('stop');
  const names = readdirSync(dir).sort();
  const output = names.find((name) => name.endsWith('.out')) ?? '';
  assert.deepEqual(
    names.filter((name) => name !== output),
    ['zk.log', 'zk.log.1', 'zk.log.2'],
  );
  assert.match(readFileSync(join(dir, 'zk.log'), 'utf8'), /INFO stopping signal=SIGTERM \(zookeeper\)\n/);
  assert.equal(readFileSync(join(dir, output), 'utf8'), `The log is ${join(dir, 'zk.log')}\n`);
  const refused = await run(join(bin, 'zkServer.sh'), ['start', configFile], {
    env: { ...env, SERVER_JVMFLAGS: '-Dzookeeper.log.maxfilesize=much' },
  });
  assert.match(refused.stderr, /zookeeper\.log\.maxfilesize=much is refused: write a size such as 256MB\n$/);
});

test('the audit log may have a file of its own', async (t) => {
  const { configFile, port, zkServer } = await place(t, ['audit.enable=true']);
  const dir = join(configFile, '..', 'logs');
  const env = { ZOO_LOG_DIR: dir, ZOO_LOG_FILE: 'zk.log', SERVER_JVMFLAGS: '-Dzookeeper.auditlog.file=audit.log' };
  writeFileSync(join(configFile, '..', 'logback.xml'), '<configuration/>');
  await run(join(bin, 'zkServer.sh'), ['start', configFile], { env });
  await run(join(bin, 'zkCli.sh'), ['-server', `127.0.0.1:${port}`, 'create', '/audited']);
  await zkServer('stop');
  const audit = readFileSync(join(dir, 'audit.log'), 'utf8');
  assert.match(audit, /\toperation=create\tznode=\/audited\tznode_type=persistent\tresult=success /);
  const log = readFileSync(join(dir, 'zk.log'), 'utf8');
  assert.doesNotMatch(log, /operation=/);
  assert.match(log, /WARN logback\.xml is not read: /);
});

test('zkServer.sh restart keeps the data', async (t) => {
  const { port, pidFile, zkServer } = await place(t);
  await zkServer('start');
  const connect = ['-server', `127.0.0.1:${port}`];
  await run(join(bin, 'zkCli.sh'), [...connect, 'create', '/kept', 'value']);
  const before = readFileSync(pidFile, 'latin1');
  const { code, stdout } = await zkServer('restart');
  assert.equal(stdout, 'Stopping zookeeper ... STOPPED\nStarting zookeeper ... STARTED\n');
  assert.equal(code, 0);
  assert.notEqual(readFileSync(pidFile, 'latin1'), before);
  assert.match((await run(join(bin, 'zkCli.sh'), [...connect, 'get', '/kept'])).stdout, /\nvalue\n$/);
});

test('zkServer.sh says how it is used', async (t) => {
  const { zkServer, configFile } = await place(t);
  for (const word of ['dance', 'upgrade', '']) {
    const { code, stdout, stderr } = await zkServer(word);
    assert.deepEqual([code, stdout], [0, ''], word);
    assert.match(
      stderr,
      /\nUsage: zkServer\.sh \[--config <conf-dir>\] \{start\|start-foreground\|stop\|version\|restart\|status\|print-cmd\}\n$/,
    );
  }
  const version = await zkServer('version');
  assert.match(version.stdout, /^Apache ZooKeeper, version 3\.9\.\d[\w.-]* 20\d\d-\d\d-\d\d \d\d:\d\d UTC\n$/);
  const printed = await zkServer('print-cmd');
  assert.match(printed.stdout, /org\.apache\.zookeeper\.server\.quorum\.QuorumPeerMain odradek '.*zoo\.cfg'\n$/);
  const byDirectory = await run(join(bin, 'zkServer.sh'), ['--config', join(configFile, '..'), 'status']);
  assert.match(byDirectory.stderr, new RegExp(`Using config: ${configFile}\n`));
});

test('zookeeper-env.sh and java.env of the configuration directory count as in Apache’s scripts', async (t) => {
  const { zkServer, configFile } = await place(t);
  const dir = join(configFile, '..');
  writeFileSync(join(dir, 'zookeeper-env.sh'), 'ZOO_LOG_DIR=/from/env\n');
  writeFileSync(join(dir, 'java.env'), 'ZOO_LOG_FILE=from.log\nSERVER_JVMFLAGS=-Djute.maxbuffer=much\nJMXPORT=9999\n');
  const printed = await zkServer('--config', dir, 'print-cmd');
  assert.match(printed.stdout, / -Dzookeeper\.log\.dir=\/from\/env -Dzookeeper\.log\.file=from\.log /);
  assert.match(printed.stderr, /\nJMXPORT=9999 is ignored: no JVM runs here\nUsing config: /);
  const refused = await zkServer('--config', dir, 'start-foreground');
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /\nInvalid config, exiting abnormally: jute\.maxbuffer=much is refused: /);
  writeFileSync(
    join(dir, 'java.env'),
    'CLIENT_JVMFLAGS="-Dzookeeper.client.secure=maybe -Dzookeeper.ssl.clientAuth=no"\n',
  );
  const asked = await run(join(bin, 'zkCli.sh'), ['--config', dir, 'version']);
  assert.equal(asked.code, 0, asked.stderr);
});

test('a launcher is found through symbolic links', async (t) => {
  const { zkServer } = await place(t);
  const dir = tempDir();
  symlinkSync(join(bin, 'zkServer.sh'), join(dir, 'first link'));
  symlinkSync('first link', join(dir, 'second'));
  assert.equal((await run(join(dir, 'second'), ['version'])).stdout, (await zkServer('version')).stdout);
});

test('a bad configuration is refused in one line, with exit code 2', async (t) => {
  const { zkServer } = await place(t, ['tickTime=0']);
  const foreground = await zkServer('start-foreground');
  assert.equal(foreground.code, 2);
  assert.match(foreground.stderr, /\nInvalid config, exiting abnormally: tickTime=0 is refused: .*\n$/);
  const daemon = await zkServer('start');
  assert.equal(daemon.code, 1);
  assert.equal(daemon.stdout, 'Starting zookeeper ... FAILED TO START\n');
  assert.match(daemon.stderr, /\nInvalid config, exiting abnormally: tickTime=0 is refused: .*\n$/);
  assert.equal((await zkServer('stop')).code, 0);
});

test('a taken port is refused in one line, with exit code 1', async (t) => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  t.after(() => taken.close());
  const { port } = taken.address() as { port: number };
  const { zkServer } = await place(t, [`clientPort=${port}`, 'clientPortAddress=127.0.0.1']);
  const { code, stderr, stdout } = await zkServer('start-foreground');
  assert.equal(code, 1);
  assert.match(stderr, /\n.*EADDRINUSE.*\n$/);
  assert.doesNotMatch(stdout + stderr, /\n\s+at /);
});

test('a taken election port is refused in one line, with exit code 14', async (t) => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  t.after(() => taken.close());
  const { port } = taken.address() as { port: number };
  const members = [1, 2].map((id) => `server.${id}=127.0.0.1:${10 + id}:${id === 1 ? port : 9}`);
  const limits = ['initLimit=5', 'syncLimit=2', 'electionPortBindRetry=1'];
  const { zkServer, dataDir } = await place(t, [...members, ...limits]);
  mkdirSync(dataDir);
  writeFileSync(join(dataDir, 'myid'), '1');
  const { code, stderr, stdout } = await zkServer('start-foreground');
  assert.equal(code, 14, stderr);
  assert.match(stderr, /\nthe election port cannot be opened: .*EADDRINUSE.*\n$/);
  assert.doesNotMatch(stdout + stderr, /\n\s+at /);
});

test('a data directory in use is refused in one line, with exit code 1', async (t) => {
  const first = await place(t);
  await first.zkServer('start');
  const second = await place(t, [`dataDir=${first.dataDir}`]);
  const refused = await second.zkServer('start-foreground');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /\n[^\n]*EBUSY[^\n]*\n$/);
  await first.zkServer('stop');
});

test('stop never ends a process that is not ours', async (t) => {
  const { zkServer, pidFile, dataDir } = await place(t);
  const jvm = await startApacheZookeeper({ version: '3.9.4', dataDir: tempDir() });
  t.after(() => jvm.stop());
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(pidFile, String(jvm.pid));
  const refused = await zkServer('stop');
  assert.equal(refused.code, 1);
  assert.ok(jvm.alive());
  writeFileSync(pidFile, String(process.pid));
  assert.equal((await zkServer('stop')).stdout, 'Stopping zookeeper ... STOPPED\n');
  assert.equal(existsSync(pidFile), false);
});

test("Kafka's script starts the server in the foreground, and a signal ends it", async (t) => {
  const { configFile, port } = await place(t);
  const usage = await run(join(bin, 'zookeeper-server-start.sh'), []);
  assert.deepEqual(usage, {
    ...{ code: 1, stderr: '', stdout: 'USAGE: zookeeper-server-start.sh [-daemon] zookeeper.properties\n' },
  });
  const running = run(join(bin, 'zookeeper-server-start.sh'), [configFile]);
  const answer = await until('server', async () => {
    const asked = await run(join(bin, 'zkCli.sh'), ['-server', `127.0.0.1:${port}`, 'ls', '/']);
    return asked.code === 0 ? asked.stdout : undefined;
  });
  assert.match(answer, /\[zookeeper\]\n$/);
  const found = await run('pgrep', ['-f', `QuorumPeerMain odradek ${configFile}`]);
  process.kill(Number(found.stdout.trim().split('\n').at(-1)), 'SIGTERM');
  assert.equal((await running).code, 143);
});
