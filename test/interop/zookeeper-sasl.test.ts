/** SASL DIGEST-MD5 between our programs and those of others, in both directions, with the right password and the wrong one. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readZooCfg } from '../../src/config/zoo-cfg.ts';
import { nodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { connectZookeeper, type ZookeeperClient } from '../../src/zookeeper/client/client.ts';
import { startZookeeper } from '../../src/zookeeper/ensemble/start-zookeeper.ts';
import { ErrorCode } from '../../src/zookeeper/jute/errors.ts';
import { startApacheZookeeper } from './peers/apache-zookeeper.ts';
import { type Outcome, run, startService, until } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';
import { python, zkCli } from './peers/tools.ts';

const PROVIDERS = 'org.apache.zookeeper.server.auth';
const runtime = nodeRuntime({ logLevel: 'off' });
const ourCli = fileURLToPath(new URL('../../src/zookeeper/cli/zk-cli.ts', import.meta.url));
const serverMain = fileURLToPath(new URL('../../src/zookeeper/cli/quorum-peer-main.ts', import.meta.url));
const config = { 'authProvider.1': `${PROVIDERS}.SASLAuthenticationProvider`, 'superUser.1': 'admin' };
const JAAS = 'java.security.auth.login.config';

function jaasFile(section: string, options: string): string {
  const file = join(tempDir(), 'jaas.conf');
  writeFileSync(file, `${section} {\n  ${PROVIDERS}.DigestLoginModule required\n  ${options};\n};\n`);
  return file;
}

const serverProperties = (): Record<string, string> => ({
  [JAAS]: jaasFile('Server', 'user_bob="secret" user_admin="root"'),
});
/** Apache's client of 3.9 knows no MD5 unless it is told so. */
const clientProperties = (username: string, password: string): Record<string, string> => ({
  [JAAS]: jaasFile('Client', `username="${username}" password="${password}"`),
  'zookeeper.fips-mode': 'false',
});

async function startOurs(t: TestContext): Promise<string> {
  const text = ['clientPort=0', 'clientPortAddress=127.0.0.1', 'tickTime=2000', `dataDir=${tempDir()}`];
  for (const [key, value] of Object.entries(config)) text.push(`${key}=${value}`);
  const server = await startZookeeper(runtime, readZooCfg(text.join('\n'), serverProperties()));
  t.after(() => server.close());
  return `127.0.0.1:${server.clientAddress.port}`;
}

async function startApache(t: TestContext): Promise<string> {
  const properties = serverProperties();
  const server = await startApacheZookeeper({ version: '3.9.4', dataDir: tempDir(), config, properties });
  t.after(() => server.stop());
  return server.connect;
}

const servers = [
  { whose: 'ours', start: startOurs },
  { whose: 'Apache’s', start: startApache },
];

type Cli = (connect: string, properties: Readonly<Record<string, string>>, lines: string) => Promise<Outcome>;
const apacheCli: Cli = (connect, properties, lines) => zkCli('3.9.4', connect, [], { properties, stdin: lines });
const odradekCli: Cli = (connect, properties, lines) => {
  const flags = Object.entries(properties).map(([key, value]) => `-D${key}=${value}`);
  return run(process.execPath, [ourCli, '-waitforconnection', '-server', connect], {
    env: { CLIENT_JVMFLAGS: flags.join(' ') },
    stdin: lines,
  });
};

const session = `
whoami
create /bob x sasl:bob:cdrwa
getAcl /bob
create /mine x auth::cdrwa
getAcl /mine
create /admin x sasl:admin:cdrwa
get /admin
get /bob
quit
`;

/** Without prompts, events and whatever a JVM says of itself; ports differ. */
function linesOf({ stdout, stderr }: Outcome): string[] {
  const lines = `${stdout}\n${stderr}`.split('\n').map((line) => line.replace(/^\[zk[^\]]*\] ?/, '').trimEnd());
  return lines.filter(
    (line) => line !== '' && !/^\d{4}-|^\[main|^\s+at |^WATCHER|WatchedEvent|Connecting to|JVM/.test(line),
  );
}
const eventsOf = ({ stdout }: Outcome): string[] =>
  [...stdout.matchAll(/WatchedEvent state:(\w+)/g)].map(([, state]) => state as string).filter((s) => s !== 'Closed');

for (const { whose, start } of servers) {
  test(`on ${whose} server our zkCli with a JAAS file prints what Apache’s prints`, async (t) => {
    const connect = await start(t);
    const bob = clientProperties('bob', 'secret');
    const theirs = await apacheCli(connect, bob, session);
    await odradekCli(connect, clientProperties('admin', 'root'), 'delete /bob\ndelete /mine\ndelete /admin\nquit\n');
    const ours = await odradekCli(connect, bob, session);
    assert.deepEqual(linesOf(ours), linesOf(theirs));
    assert.deepEqual(eventsOf(ours), eventsOf(theirs));
    assert.deepEqual(eventsOf(ours), ['SyncConnected', 'SaslAuthenticated']);
    assert.match(ours.stdout, /^sasl: bob$/m);
    assert.match(ours.stderr, /Insufficient permission : \/admin/);
  });

  test(`on ${whose} server both zkClis are refused with a wrong password`, async (t) => {
    const connect = await start(t);
    const wrong = clientProperties('bob', 'guess');
    const outcomes = [
      await apacheCli(connect, wrong, 'ls /\nquit\n'),
      await odradekCli(connect, wrong, 'ls /\nquit\n'),
    ];
    for (const outcome of outcomes) assert.ok(eventsOf(outcome).includes('AuthFailed'), outcome.stdout);
    // Apache's asks before it knows, or not: the refusal is an error of the command, or there is no connection.
    assert.ok(!outcomes.some(({ stdout }) => stdout.includes('[zookeeper]')));
  });

  test(`on ${whose} server kazoo authenticates by SASL, and is refused with a wrong password`, async (t) => {
    const outcome = await python('-c', [kazooScript, await start(t)]);
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.deepEqual(outcome.stdout.trim().split('\n'), ['sasl bob', 'x', 'no auth', 'refused']);
  });

  test(`on ${whose} server our client authenticates by SASL, on every connection`, async (t) => {
    const connect = await start(t);
    const clientOf = (username: string, password: string): ZookeeperClient => {
      const client = connectZookeeper(runtime, { connect, sasl: { username, password } });
      t.after(() => client.close());
      return client;
    };
    const bob = clientOf('bob', 'secret');
    await bob.create('/mine', 'x', { acl: [{ perms: 31, id: { scheme: 'auth', id: '' } }] });
    assert.deepEqual((await bob.getACL('/mine')).acl, [{ perms: 31, id: { scheme: 'sasl', id: 'bob' } }]);
    const stranger = connectZookeeper(runtime, { connect });
    t.after(() => stranger.close());
    await assert.rejects(stranger.getData('/mine'), hasCode(ErrorCode.NOAUTH));
    await clientOf('admin', 'root').setData('/mine', 'y');
    for (const [name, password] of [
      ['bob', 'guess'],
      ['eve', 'secret'],
    ] as const) {
      const refused = clientOf(name, password);
      await assert.rejects(refused.exists('/'), hasCode(ErrorCode.AUTHFAILED));
      await until('the end', () => refused.state === 'authFailed' || undefined);
    }
  });
}

test('our server as a process takes its users from SERVER_JVMFLAGS, and does not start on Kerberos', async (t) => {
  const dir = tempDir();
  const configFile = join(dir, 'zoo.cfg');
  const lines = Object.entries({
    dataDir: join(dir, 'data'),
    clientPort: 0,
    clientPortAddress: '127.0.0.1',
    ...config,
  });
  writeFileSync(configFile, lines.map(([key, value]) => `${key}=${value}\n`).join(''));
  const flags = (file: string) => ({ SERVER_JVMFLAGS: `-Xmx1g -D${JAAS}=${file} -Dzookeeper.superUser=bob` });
  const kerberos = join(dir, 'kerberos.conf');
  writeFileSync(kerberos, 'Server { com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true; };');
  const refused = await run(process.execPath, [serverMain, configFile], { env: flags(kerberos) });
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /Invalid config.*Krb5LoginModule; only .*DigestLoginModule is supported, no Kerberos/);

  const logFile = join(dir, 'server.log');
  const users = serverProperties()[JAAS] as string;
  const server = startService(process.execPath, [serverMain, configFile], { logFile, env: flags(users) });
  t.after(() => server.kill());
  const port = await until('a port', () => /serving.*port=(\d+)/.exec(readFileSync(logFile, 'utf8'))?.[1]);
  const outcome = await odradekCli(`127.0.0.1:${port}`, clientProperties('bob', 'secret'), 'whoami\nquit\n');
  assert.match(outcome.stdout, /^sasl: bob\nsuper: $/m);
});

const hasCode = (code: number) => (error: unknown) => (error as { code?: number }).code === code;

const kazooScript = `
import sys
from kazoo.client import KazooClient
from kazoo.exceptions import AuthFailedError, NoAuthError, ConnectionLoss, SessionExpiredError, ConnectionClosedError
from kazoo.handlers.threading import KazooTimeoutError
from kazoo.security import make_acl

def client(name, password):
    options = {'mechanism': 'DIGEST-MD5', 'username': name, 'password': password}
    return KazooClient(hosts=sys.argv[1], sasl_options=options, connection_retry={'max_tries': 1})

bob = client('bob', 'secret')
bob.start(timeout=60)
bob.create('/kazoo', b'x', acl=[make_acl('auth', '', all=True)])
acl, _ = bob.get_acls('/kazoo')
print(acl[0].id.scheme, acl[0].id.id)
print(bob.get('/kazoo')[0].decode())
bob.stop()
stranger = KazooClient(hosts=sys.argv[1])
stranger.start(timeout=60)
try:
    stranger.get('/kazoo')
except NoAuthError:
    print('no auth')
stranger.stop()
wrong = client('bob', 'guess')
try:
    wrong.start(timeout=5)
    wrong.exists('/')
except (AuthFailedError, KazooTimeoutError, ConnectionLoss, ConnectionClosedError):
    print('refused')
wrong.stop()
`;
