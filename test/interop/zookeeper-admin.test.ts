/** The AdminServer beside Apache's: every command answers with the same keys, forms and values, as far as they are not a server's own. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { type RequestOptions, get as secureGet } from 'node:https';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { liveThrough, type Side, startBoth } from './operator/both-servers.ts';

const keys = {
  'admin.enableServer': true,
  'admin.serverAddress': '127.0.0.1',
  'admin.rateLimiterIntervalInMS': 0,
  enforceQuota: true,
};

async function start(t: TestContext, more: Record<string, string | number> = {}): Promise<readonly [Side, Side]> {
  const { apache, ours } = await startBoth({ keys: { ...keys, ...more }, portKey: 'admin.serverPort' });
  t.after(() => Promise.all([apache.close(), ours.close()]));
  return [apache, ours];
}

function ask(side: Side, path: string, init?: RequestInit): Promise<Response> {
  return fetch(`http://127.0.0.1:${side.httpPort}${path}`, init);
}

const authorized = (scheme = 'digest me:mine'): RequestInit => ({ headers: { Authorization: scheme } });

/** What differs between two servers that do the same: addresses, sizes of files, times, ids. */
function normalised(body: string): string {
  return (
    body
      .replace(/"127\.0\.0\.1:\d+"/g, '"ADDRESS"')
      .replace(/\b\d{17,19}\b/g, 'SESSION')
      // Apache keeps buckets that nobody is in any more.
      .replace(/ *"\d+" : \[ \],?\n/g, '')
      .replace(/"\d+" : \[ SESSION/g, '"TIME" : [ SESSION')
      .replace(/("(?:version|data_dir|data_log_dir|initial_configuration)") : ".*"/g, '$1 : TEXT')
      .replace(
        /("(?:client_port|datadir_size|logdir_size|data_dir_size|log_dir_size|timestamp|uptime|established|last_response_time)") : \d+/g,
        '$1 : N',
      )
      .replace(
        /("(?:packets_sent|packets_received|last_latency|min_latency|avg_latency|max_latency)") : [\d.]+/g,
        '$1 : N',
      )
      // Apache's order of these is that of a class's methods, which changes with how the JVM was started.
      .replace(/"server_stats" : \{\n.*?\n {2}\}/gs, (stats) => stats.replaceAll(',', '').split('\n').sort().join('\n'))
  );
}

const commands = [
  ...['', '/', '/configuration', '/conf', '/config', '/connections', '/cons', '/dirs', '/dump', '/get_trace_mask'],
  ...['/set_trace_mask', '/set_trace_mask?traceMask=x', '/set_trace_mask?traceMask=307', '/gtmk', '/hash'],
  ...['/initial_configuration', '/is_read_only', '/isro', '/last_snapshot', '/leader', '/lead', '/observers', '/ruok'],
  ...['/observer_connection_stat_reset', '/server_stats', '/srvr', '/stats', '/voting_view', '/watches', '/wchc'],
  ...['/watches_by_path', '/watch_summary', '/zabstate', '/snapshot', '/restore', '/nonsense', '/ruok/x', '/ruok/'],
  ...['/connection_stat_reset', '/crst', '/connections'],
];

test('every command of the AdminServer answers as Apache 3.9.4’s', async (t) => {
  const sides = await start(t);
  const [theirs, mine] = await Promise.all(
    sides.map(async (side) => {
      await liveThrough(await side.client());
      const answers: string[] = [];
      for (const command of commands) {
        const response = await ask(side, `/commands${command}`);
        const type = response.headers.get('content-type');
        answers.push(`${command}: ${response.status} ${type}\n${normalised(await response.text())}`);
      }
      return answers;
    }),
  );
  assert.deepEqual(mine, theirs);
});

test('monitor, environment and system_properties have Apache’s keys and forms', async (t) => {
  const sides = await start(t);
  const [theirs, mine] = await Promise.all(
    sides.map(async (side) => {
      await liveThrough(await side.client());
      const forms: Record<string, string> = {};
      for (const command of ['monitor', 'environment']) {
        const text = await (await ask(side, `/commands/${command}`)).text();
        for (const [, key = '', value = ''] of text.matchAll(/^ {2}"(.*)" : (.*?),?$/gm)) {
          if (/^(java\.(?!io\.tmpdir)|node\.)/.test(key)) continue;
          forms[`${command} ${key}`] = /^-?\d+$/.test(value) ? 'int' : /^-?\d+\.\d+$/.test(value) ? 'decimal' : 'text';
        }
      }
      const properties = (await (await ask(side, '/commands/sysp')).json()) as Record<string, string>;
      for (const [key, value] of Object.entries(properties)) {
        if (key.startsWith('zookeeper.') && !/serverPort|jmx/.test(key)) forms[key] = value;
      }
      return forms;
    }),
  );
  assert.deepEqual(mine, theirs);
});

test('methods and credentials are judged as Apache judges them', async (t) => {
  const sides = await start(t);
  const [theirs, mine] = await Promise.all(
    sides.map(async (side) => {
      const client = await side.client();
      const requests: [string, RequestInit][] = [
        ['/', {}],
        ['/commands/ruok', { method: 'PUT' }],
        ['/commands/ruok', { method: 'DELETE' }],
        ['/commands/ruok', { method: 'POST' }],
        ['/commands/ruok', { method: 'HEAD' }],
        ['/commands/nonsense', { method: 'POST' }],
        ['/commands', { method: 'POST' }],
        ['/commands/restore', authorized()],
        ['/commands/restore', { method: 'POST', body: 'garbage' }],
        ['/commands/restore', { method: 'POST', body: 'garbage', ...authorized('nobody x') }],
        ['/commands/restore', { method: 'POST', body: 'garbage', ...authorized() }],
        ['/commands/snapshot', authorized('digest')],
        ['/commands/snapshot', authorized('digest a b c')],
        ['/commands/snapshot?streaming=false', authorized('ip')],
        ['/commands/snapshot?streaming=false', authorized('ip 1.2.3.4')],
      ];
      const answers: string[] = [];
      for (const [path, init] of requests) {
        const response = await ask(side, path, init);
        const body = await response.text();
        const isJson = response.headers.get('content-type') === 'application/json' && response.status !== 500;
        answers.push(`${path} ${response.status} ${isJson ? body : ''}`);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await client.setACL('/', [{ perms: 1, id: { scheme: 'world', id: 'anyone' } }]);
      answers.push(await (await ask(side, '/commands/snapshot', authorized())).text());
      return answers;
    }),
  );
  assert.deepEqual(mine, theirs);
});

/** What a client sees of an answer: the body of an error without the classes, stacks and advertisement of Jetty. */
function seen(side: Side, method: string, path: string, headers: Record<string, string> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const at = { host: '127.0.0.1', port: side.httpPort, path, method, headers, agent: false };
    const asked = request(at, async (response) => {
      const pieces: string[] = [];
      for await (const piece of response) pieces.push(String(piece));
      const { 'content-type': type, 'cache-control': cache, allow } = response.headers;
      const body = pieces
        .join('')
        .replace(
          /<tr><th>(SERVLET|CAUSED BY):.*<\/tr>\n|<hr\/>.*<hr\/>\n\n|"servlet":.*\n|"cause\d":.*\n|SERVLET: .*\n/g,
          '',
        )
        .replace(/^CAUSED BY .*/ms, '')
        .replace(/<h3>Caused by:<\/h3><pre>.*<\/pre>\n/s, '')
        .replace(/java\.lang\.NullPointerException.*?is null|\w+ takes (GET|POST)/g, 'FAULT')
        .trimEnd();
      resolve(`${response.statusCode} ${response.statusMessage} ${type} ${cache} ${allow}\n${body}`);
    });
    asked.on('error', reject);
    asked.end();
  });
}

const nowhere = ['/', '/nowhere', '/commandsx', '//commands/ruok', "/no'where;a=b/%20?x=<y>"];

test('methods, path parameters and errors are answered as Jetty answers them', async (t) => {
  const [apache, ours] = await start(t);
  const requests: [string, string, Record<string, string>?][] = [];
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH', 'PROPFIND']) {
    for (const path of ['/commands/ruok', '/commands/nonsense', ...nowhere]) requests.push([method, path]);
  }
  for (const path of [
    ...['/commands/ruok;x=y', '/commands/ruok;', '/commands;x=y/ruok?a=b', '/commands/set_trace_mask;a?traceMask=306'],
    ...['/commands/%72uok', '/x/../commands/ruok', '/./commands/ruok', '/commands/ruok/..', '/commands/ruok/.'],
    ...['/commands//ruok', '/commands/ruok%2fx', '/commands/ruok%20', '/commands/%2e%2e', '/commands/%2E%2e/%2e%2e'],
    ...['/commands/ruok%', '/commands/ruok%zz', '/../commands/ruok', '/commands/ruok%00'],
  ]) {
    requests.push(['GET', path]);
  }
  for (const accept of ['application/json', 'text/plain', '*/*', 'image/png', 'text/html;q=0.1, application/json']) {
    for (const path of ['/nowhere', '/commands/restore']) requests.push(['GET', path, { accept }]);
    requests.push(['POST', '/commands/ruok', { accept }]);
  }
  for (const [method, path, headers] of requests) {
    const theirs = await seen(apache, method, path, headers);
    assert.equal(await seen(ours, method, path, headers), theirs, `${method} ${path} ${headers?.accept}`);
  }
});

const stores = fileURLToPath(new URL('../golden/tls/', import.meta.url));
const pem = (name: string): string => readFileSync(join(stores, `${name}.pem`), 'latin1');
const tlsKeys = {
  'ssl.quorum.keyStore.location': `${stores}server.jks`,
  'ssl.quorum.keyStore.password': 'password',
  'ssl.quorum.trustStore.location': `${stores}trust.p12`,
  'ssl.quorum.trustStore.password': 'password',
};

/** Status, what browsers are told, and the body; or that nobody answers. */
function askSecurely(side: Side, path: string, more: RequestOptions = {}): Promise<string> {
  return new Promise((resolve) => {
    const at = { host: '127.0.0.1', port: side.httpPort, path, ca: pem('ca'), checkServerIdentity: () => undefined };
    const asked = secureGet({ ...at, agent: false, ...more }, async (response) => {
      const body: string[] = [];
      for await (const chunk of response) body.push(String(chunk));
      const { 'strict-transport-security': strict, 'content-type': type } = response.headers;
      resolve(`${response.statusCode} ${strict} ${type} ${normalised(body.join(''))}`);
    });
    asked.on('error', () => resolve('nobody answers'));
  });
}

test('TLS of the AdminServer is answered as Apache answers it', async (t) => {
  const key = pem('client');
  const certificate = { key, cert: key.replace(/^[\s\S]*?(?=-+BEGIN CERT)/, '') };
  const x509 = { 'authProvider.1': 'org.apache.zookeeper.server.auth.X509AuthenticationProvider' };
  const trust = { 'ssl.trustStore.location': `${stores}trust.p12`, 'ssl.trustStore.password': 'password' };
  const modes: readonly Record<string, string>[] = [
    { 'admin.portUnification': 'true' },
    { 'admin.forceHttps': 'true', 'admin.needClientAuth': 'true', ...x509, ...trust },
  ];
  const answers = await Promise.all(
    modes.map(async (mode) => {
      const sides = await start(t, { ...tlsKeys, ...mode });
      return Promise.all(
        sides.map(async (side) => {
          const plain = await ask(side, '/commands/ruok').then(
            async (response) => `${response.status} ${await response.text()}`,
            () => 'nobody answers',
          );
          const counted = /"insecure_admin_count" : \d+/.exec(await askSecurely(side, '/commands/mntr', certificate));
          const snapshot = '/commands/snapshot?streaming=false';
          return [
            ...[plain, counted?.[0]],
            await askSecurely(side, '/commands/ruok'),
            await askSecurely(side, '/commands/ruok', certificate),
            await askSecurely(side, '/commands/ruok', { ...certificate, maxVersion: 'TLSv1.2' }),
            await askSecurely(side, snapshot, { ...certificate, headers: { Authorization: 'x509' } }),
            await askSecurely(side, snapshot, { ...certificate, headers: { Authorization: 'digest a:b' } }),
          ];
        }),
      );
    }),
  );
  for (const [theirs, mine] of answers) assert.deepEqual(mine, theirs);
});

test('a snapshot that Apache streams restores ours, and ours restores Apache', async (t) => {
  const [apache, ours] = await start(t);
  for (const [from, to] of [
    [apache, ours],
    [ours, apache],
  ] as const) {
    const source = await from.client();
    const name = `/of-${from.name}`;
    await source.create(name, Buffer.from('kept'));
    const streamed = await ask(from, '/commands/snapshot?streaming=true', authorized());
    assert.equal(streamed.status, 200);
    const zxid = streamed.headers.get('last_zxid');
    const snapshot = Buffer.from(await streamed.arrayBuffer());
    assert.equal(streamed.headers.get('snapshot_size'), String(snapshot.length));
    const restored = await ask(to, '/commands/restore', { method: 'POST', body: snapshot, ...authorized() });
    assert.equal(restored.status, 200, `${to.name} takes it`);
    assert.deepEqual(await restored.json(), { last_zxid: Number(zxid), command: 'restore', error: null });
    const reader = await to.client();
    assert.equal((await reader.getData(name)).data?.toString(), 'kept');
    await reader.create(`${name}/more`, null);
  }
});
