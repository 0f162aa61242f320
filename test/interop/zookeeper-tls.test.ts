/** TLS between our ZooKeeper and Apache's, in both directions, with the stores that keytool makes, and kazoo. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import type { ClientTlsOptions } from '../../src/config/client-tls.ts';
import { zooCfg } from '../../src/config/zoo-cfg.ts';
import { KafkaConfig } from '../../src/kafka/broker/config/kafka-config.ts';
import { startKafka } from '../../src/kafka/broker/kafka-broker.ts';
import { silent } from '../../src/runtime/log.ts';
import { nodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { connectZookeeper, type ZookeeperClient } from '../../src/zookeeper/client/client.ts';
import { startZookeeper } from '../../src/zookeeper/ensemble/start-zookeeper.ts';
import { startApacheZookeeper } from './peers/apache-zookeeper.ts';
import { freePort } from './peers/free-port.ts';
import { type Outcome, PATIENCE_MS, run } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';
import { javaClass, python, zkCli } from './peers/tools.ts';

const stores = fileURLToPath(new URL('../golden/tls/', import.meta.url));
const shellScript = fileURLToPath(new URL('../../bin/zookeeper-shell.sh', import.meta.url));
const pem = (name: string): string => readFileSync(join(stores, `${name}.pem`), 'latin1');
const runtime = nodeRuntime({ log: silent });

/** For both servers. */
const serverKeys = {
  'ssl.keyStore.location': `${stores}server.jks`,
  'ssl.keyStore.password': 'password',
  'ssl.trustStore.location': `${stores}trust.p12`,
  'ssl.trustStore.password': 'password',
};
/** For Apache's client and ours. */
function clientKeys(suffix: 'jks' | 'p12' | 'legacy.p12'): Record<string, string> {
  return {
    'zookeeper.client.secure': 'true',
    'zookeeper.clientCnxnSocket': 'org.apache.zookeeper.ClientCnxnSocketNetty',
    'zookeeper.ssl.keyStore.location': `${stores}client.${suffix}`,
    'zookeeper.ssl.keyStore.password': 'password',
    'zookeeper.ssl.trustStore.location': `${stores}trust.${suffix}`,
    'zookeeper.ssl.trustStore.password': 'password',
  };
}
const tls: ClientTlsOptions = {
  keyStore: { location: `${stores}client.jks`, password: 'password' },
  trustStore: { location: `${stores}trust.jks`, password: 'password' },
};
const anonymous: ClientTlsOptions = { ca: pem('ca') };

interface Server {
  readonly name: string;
  readonly port: number;
  readonly securePort: number;
}

async function startOurs(t: TestContext, config: Record<string, string | number> = {}): Promise<Server> {
  const cfg = zooCfg({
    dataDir: tempDir(),
    clientPort: 0,
    clientPortAddress: '127.0.0.1',
    secureClientPort: 0,
    secureClientPortAddress: '127.0.0.1',
    '4lw.commands.whitelist': '*',
    ...serverKeys,
    ...config,
  });
  const server = await startZookeeper(runtime, cfg);
  t.after(() => server.close());
  return { name: 'ours', port: server.clientAddress.port, securePort: server.secureClientAddress?.port ?? 0 };
}

async function startApache(t: TestContext, config: Record<string, string | number> = {}): Promise<Server> {
  const securePort = await freePort();
  const server = await startApacheZookeeper({
    version: '3.9.4',
    dataDir: tempDir(),
    config: {
      secureClientPort: securePort,
      secureClientPortAddress: '127.0.0.1',
      serverCnxnFactory: 'org.apache.zookeeper.server.NettyServerCnxnFactory',
      ...serverKeys,
      ...config,
    },
  });
  t.after(() => server.kill());
  return { name: "Apache's", port: server.port, securePort };
}

/** A session comes about. */
async function isWelcome(port: number, options?: ClientTlsOptions): Promise<void> {
  const client = clientWith(port, options);
  await client.connected({ timeoutMs: PATIENCE_MS });
  await client.close();
}

/** None comes about in a while. */
async function isRefused(port: number, options?: ClientTlsOptions): Promise<void> {
  const client = clientWith(port, options);
  await assert.rejects(client.connected({ timeoutMs: 3000 }));
  await client.close();
}

function clientWith(port: number, options: ClientTlsOptions | undefined): ZookeeperClient {
  const connect = `127.0.0.1:${port}`;
  return connectZookeeper(runtime, { connect, ...(options === undefined ? {} : { tls: options }) });
}

/** Whether a handshake of TLS 1.2 with this cipher alone succeeds. */
function agreesOn(port: number, ciphers: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTls({ host: '127.0.0.1', port, ca: pem('ca'), ciphers, maxVersion: 'TLSv1.2' });
    socket.once('secureConnect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Four letters over TLS, with the client's certificate. */
function ask(port: number, word: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const key = pem('client');
    const socket = connectTls({
      host: '127.0.0.1',
      port,
      key,
      cert: key.replace(/^[\s\S]*?(?=-+BEGIN CERT)/, ''),
      ca: pem('ca'),
    });
    socket.once('secureConnect', () => socket.write(word));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()));
    socket.on('error', reject);
  });
}

test("Apache's zkCli comes to our secure port with keys from JKS and PKCS#12 stores", async (t) => {
  const server = await startOurs(t);
  for (const [index, suffix] of (['jks', 'p12', 'legacy.p12'] as const).entries()) {
    const outcome = await zkCli('3.9.4', `127.0.0.1:${server.securePort}`, [], {
      stdin: `create /a${index} ${suffix}\nget /a${index}\nquit\n`,
      properties: clientKeys(suffix),
    });
    assert.match(outcome.stdout, new RegExp(`^${suffix.replace('.', '\\.')}$`, 'm'), outcome.stderr);
  }
  await isWelcome(server.securePort, tls);
});

test('zookeeper-shell.sh takes -zk-tls-config-file as that of Kafka 3.9 does', async (t) => {
  const server = await startOurs(t, { 'ssl.enabledProtocols': 'TLSv1.2,TLSv1.3' });
  const secure = `127.0.0.1:${server.securePort}`;
  const file = join(tempDir(), 'tls.properties');
  const keys = {
    'zookeeper.ssl.client.enable': 'true',
    'zookeeper.clientCnxnSocket': 'org.apache.zookeeper.ClientCnxnSocketNetty',
    'zookeeper.ssl.keystore.location': `${stores}client.jks`,
    'zookeeper.ssl.keystore.password': 'password',
    'zookeeper.ssl.truststore.location': `${stores}trust.jks`,
    'zookeeper.ssl.truststore.password': 'password',
    'zookeeper.connect': 'of.no.interest',
  };
  writeFileSync(
    file,
    Object.entries(keys)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  );
  const theirs = (...args: string[]): Promise<Outcome> =>
    javaClass('kafka-3.9.1', 'org.apache.zookeeper.ZooKeeperMainWithTlsSupportForKafka', ['-server', ...args]);
  const ours = (...args: string[]): Promise<Outcome> => run(shellScript, args);
  const told = async (shell: typeof ours): Promise<unknown[]> => {
    const listed = await shell(secure, '-zk-tls-config-file', file, 'ls', '/');
    const listedLate = await shell(secure, '-timeout', '20000', '-zk-tls-config-file', file, 'ls', '/none');
    const unknown = await shell(secure, '-zk-tls-config-file', file, 'dance');
    const nameless = await shell(secure, '-zk-tls-config-file');
    const readOnly = await shell(secure, '-r', '-zk-tls-config-file', file, 'ls', '/');
    const missing = await shell(secure, '-zk-tls-config-file', '/none', 'ls', '/');
    return [
      [listed.code, listed.stdout.match(/^\[.*\]$/m)?.[0]],
      [listedLate.code, /Node does not exist: \/none/.test(listedLate.stderr)],
      [unknown.code, unknown.stderr.match(/^ZooKeeper -server .*|^Command not found.*/gm)],
      [nameless.code, /Error: no filename provided with option -zk-tls-config-file/.test(nameless.stderr)],
      [readOnly.code, /read-only mode \(-r\) is not supported with an explicit TLS config/.test(readOnly.stderr)],
      [missing.code],
    ];
  };
  assert.deepEqual(await told(ours), await told(theirs));
  writeFileSync(file, 'zookeeper.ssl.client.enable=false\n');
  assert.equal((await ours(`127.0.0.1:${server.port}`, '-zk-tls-config-file', file, 'ls', '/')).code, 0);
});

test('kazoo comes to our secure port, and not without a certificate', async (t) => {
  const server = await startOurs(t, { 'ssl.enabledProtocols': 'TLSv1.2,TLSv1.3' });
  const script = `
import sys
from kazoo.client import KazooClient
from kazoo.handlers.threading import KazooTimeoutError
hosts, folder = sys.argv[1:]
c = KazooClient(hosts=hosts, use_ssl=True, ca=folder + 'ca.pem', certfile=folder + 'client.pem', keyfile=folder + 'client.pem')
c.start(timeout=60)
c.create('/kazoo', b'x' * 900000)
assert len(c.get('/kazoo')[0]) == 900000
many = [c.create_async('/many-%d' % i, b'y') for i in range(1000)]
assert [m.get() for m in many] == ['/many-%d' % i for i in range(1000)]
c.stop()
other = KazooClient(hosts=hosts, use_ssl=True, ca=folder + 'ca.pem')
try: other.start(timeout=3); raise SystemExit('welcome without a certificate')
except KazooTimeoutError: pass
print('walked')
`;
  const args = [script, `127.0.0.1:${server.securePort}`, stores];
  const outcome = await python('-c', args);
  assert.equal(outcome.stdout.trim(), 'walked', outcome.stderr);
});

test("our client and our zkCli come to Apache's secure port", async (t) => {
  const server = await startApache(t);
  const connect = `127.0.0.1:${server.securePort}`;
  const client = connectZookeeper(runtime, { connect, tls });
  await client.create('/ours', 'over TLS');
  await client.create('/large', Buffer.alloc(900_000, 7));
  assert.equal((await client.getData('/large')).data?.length, 900_000);
  await client.close();
  const cli = fileURLToPath(new URL('../../src/zookeeper/cli/zk-cli.ts', import.meta.url));
  const file = join(tempDir(), 'client.properties');
  const lines = Object.entries(clientKeys('p12')).map(([key, value]) => `${key}=${value}\n`);
  writeFileSync(file, lines.join(''));
  const flags = Object.entries(clientKeys('jks')).map(([key, value]) => `-D${key}=${value}`);
  for (const [args, env] of [
    [['-client-configuration', file], {}],
    [[], { CLIENT_JVMFLAGS: flags.join(' ') }],
  ] as const) {
    const all = [cli, '-waitforconnection', '-server', connect, ...args, 'get', '/ours'];
    const outcome = await run(process.execPath, all, { env });
    assert.match(outcome.stdout, /^over TLS$/m, outcome.stderr);
  }
});

test('who has no certificate, or one of a stranger, is refused by both alike', async (t) => {
  const trust = { 'ssl.trustStore.location': `${stores}ca.pem` };
  for (const server of [await startOurs(t, trust), await startApache(t, trust)]) {
    const stranger = { key: pem('stranger'), cert: pem('stranger'), ca: pem('ca') };
    await isWelcome(server.securePort, tls);
    for (const options of [anonymous, stranger, undefined]) await isRefused(server.securePort, options);
  }
});

test('clientAuth=want takes who has no certificate, and refuses a stranger and weak ciphers, on both sides', async (t) => {
  const keys = {
    'ssl.clientAuth': 'want',
    'ssl.trustStore.location': `${stores}ca.pem`,
    'ssl.enabledProtocols': 'TLSv1.2,TLSv1.3',
  };
  for (const server of [await startOurs(t, keys), await startApache(t, keys)]) {
    const offered = ['ECDHE-RSA-AES128-SHA', 'AES128-GCM-SHA256', 'ECDHE-RSA-CHACHA20-POLY1305'];
    const taken: string[] = [];
    for (const cipher of offered) if (await agreesOn(server.securePort, cipher)) taken.push(cipher);
    assert.deepEqual(taken, ['ECDHE-RSA-AES128-SHA'], server.name);
    const stranger = { key: pem('stranger'), cert: pem('stranger'), ca: pem('ca') };
    for (const options of [tls, anonymous]) await isWelcome(server.securePort, options);
    await isRefused(server.securePort, stranger);
  }
});

test('client.portUnification: plain and TLS clients by one port, here and there', async (t) => {
  const keys = { 'client.portUnification': 'true' };
  const [ours, apache] = [await startOurs(t, keys), await startApache(t, keys)];
  for (const { port } of [ours, apache]) for (const options of [undefined, tls]) await isWelcome(port, options);
  for (const properties of [clientKeys('jks'), {}]) {
    const outcome = await zkCli('3.9.4', `127.0.0.1:${ours.port}`, ['ls', '/'], { properties });
    assert.match(outcome.stdout, /^\[zookeeper\]$/m, outcome.stderr);
  }
});

test('four-letter words over the secure port say the same', async (t) => {
  const [ours, apache] = [await startOurs(t), await startApache(t)];
  const answers: string[][] = [];
  for (const { port, securePort } of [ours, apache]) {
    const plain = (text: string): string =>
      text
        .replaceAll(String(port), 'PORT')
        .replaceAll(String(securePort), 'SECURE')
        .replaceAll(/127\.0\.0\.1:\d+/g, 'CLIENT');
    const conf = plain(await ask(securePort, 'conf'))
      .split('\n')
      .slice(0, 2)
      .join('\n');
    answers.push([await ask(securePort, 'ruok'), conf, plain(await ask(securePort, 'cons'))]);
  }
  assert.deepEqual(answers[0], answers[1]);
});

test('zkServer.sh status asks a server that has a secure port alone', async (t) => {
  const dataDir = tempDir();
  const config = zooCfg({ dataDir, secureClientPort: 0, secureClientPortAddress: '127.0.0.1', ...serverKeys });
  const server = await startZookeeper(runtime, config);
  t.after(() => server.close());
  const file = join(dataDir, 'zoo.cfg');
  const port = server.secureClientAddress?.port;
  writeFileSync(file, `dataDir=${dataDir}\nsecureClientPort=${port}\nsecureClientPortAddress=127.0.0.1\n`);
  const script = fileURLToPath(new URL('../../bin/zkServer.sh', import.meta.url));
  const flags = Object.entries(clientKeys('jks')).map(([key, value]) => `-D${key}=${value}`);
  const status = (CLIENT_JVMFLAGS: string) => run(script, ['status', file], { env: { CLIENT_JVMFLAGS } });
  const right = await status(flags.join(' '));
  assert.match(
    right.stdout,
    new RegExp(`Client port found: ${port}\\. Client address: 127\\.0\\.0\\.1\\. Client SSL: true\\.`),
  );
  assert.match(right.stdout, /^Mode: standalone$/m);
  const wrong = await status('');
  assert.match(wrong.stdout, /Note: We used secureClientPort \(\d+\) to establish connection, but we failed/);
  assert.match(wrong.stdout, /^Error contacting service\. It is probably not running\.$/m);
});

test("our Kafka broker keeps its znodes on Apache's secure port, and does not start without a certificate", async (t) => {
  // Kafka's client speaks TLSv1.2 unless it is told otherwise, Apache's server 3.9 TLSv1.3.
  const server = await startApache(t, { 'ssl.enabledProtocols': 'TLSv1.2,TLSv1.3' });
  const keys = {
    'log.dirs': tempDir(),
    listeners: 'PLAINTEXT://127.0.0.1:0',
    'zookeeper.connect': `127.0.0.1:${server.securePort}`,
    'zookeeper.connection.timeout.ms': '3000',
    'zookeeper.ssl.client.enable': 'true',
    'zookeeper.ssl.truststore.location': `${stores}trust.p12`,
    'zookeeper.ssl.truststore.password': 'password',
  };
  const start = (given: Record<string, string>) => startKafka(runtime, new KafkaConfig(new Map(Object.entries(given))));
  await assert.rejects(start(keys), /Timed out waiting for connection to ZooKeeper/);
  const store = `${stores}client.jks`;
  const broker = await start({
    ...keys,
    'zookeeper.connection.timeout.ms': '20000',
    'zookeeper.ssl.keystore.location': store,
    'zookeeper.ssl.keystore.password': 'password',
  });
  t.after(() => broker.close());
  const client = connectZookeeper(runtime, { connect: `127.0.0.1:${server.port}` });
  assert.deepEqual((await client.getChildren('/brokers/ids')).length, 1);
  await client.close();
});
