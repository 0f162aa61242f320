/** The same authentication, right and wrong, to Apache's server and to ours: every reply and every end must be the same. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { readZooCfg } from '../../src/config/zoo-cfg.ts';
import { nodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { Reader } from '../../src/wire/reader.ts';
import type { Writer } from '../../src/wire/writer.ts';
import { startZookeeper } from '../../src/zookeeper/ensemble/start-zookeeper.ts';
import { OpCode, Xid } from '../../src/zookeeper/jute/op-codes.ts';
import {
  AuthPacket,
  CreateRequest,
  GetACLResponse,
  GetSASLRequest,
  SetSASLResponse,
  WhoAmIResponse,
} from '../../src/zookeeper/jute/proto.ts';
import { DigestMd5Client } from '../../src/zookeeper/sasl/digest-md5-client.ts';
import { RawClient, type RawReply } from '../../src/zookeeper/server/testkit/raw-client.ts';
import {
  create,
  exists,
  getData,
  remove,
  setData,
  type TestRequest,
} from '../../src/zookeeper/server/testkit/requests.ts';
import { startApacheZookeeper } from './peers/apache-zookeeper.ts';
import { until } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';

const PROVIDERS = 'org.apache.zookeeper.server.auth';
const JAAS = `
Server {
  ${PROVIDERS}.DigestLoginModule required
    user_super="root"
    user_bob="secret"
    user_alice="wonder \\"land\\", c\u00f4t\u00e9";
};
`;

const runtime = nodeRuntime({ logLevel: 'off' });

interface ServerOptions {
  readonly config?: Readonly<Record<string, string>>;
  readonly jaas?: boolean;
}

/** Apache's and ours on the same configuration; answers their ports. */
async function startBoth(t: TestContext, { config = {}, jaas = true }: ServerOptions): Promise<[number, number]> {
  const dir = tempDir();
  const jaasFile = join(dir, 'jaas.conf');
  writeFileSync(jaasFile, JAAS);
  const properties: Record<string, string> = jaas ? { 'java.security.auth.login.config': jaasFile } : {};
  const apache = await startApacheZookeeper({ version: '3.9.4', dataDir: join(dir, 'apache'), config, properties });
  t.after(() => apache.stop());
  const keys = { dataDir: join(dir, 'ours'), clientPort: 0, clientPortAddress: '127.0.0.1', tickTime: 2000, ...config };
  const text = Object.entries(keys).map(([key, value]) => `${key}=${value}\n`);
  const ours = await startZookeeper(runtime, readZooCfg(text.join(''), properties));
  t.after(() => ours.close());
  return [apache.port, ours.clientAddress.port];
}

// What a client does.

type Step = (client: RawClient) => Promise<unknown>;

const request =
  ({ type, body }: TestRequest, xid?: number): Step =>
  async (client) => {
    const sent = client.send(type, body, xid);
    return told(type, await answer(client, sent));
  };

const auth = (scheme: string, credentials: string | Uint8Array | null): Step => {
  const bytes = typeof credentials === 'string' ? Buffer.from(credentials) : credentials;
  return request({ type: OpCode.auth, body: (to) => AuthPacket.write(to, { type: 0, scheme, auth: bytes }) }, Xid.auth);
};
const sasl = (token: Uint8Array | null): Step =>
  request({ type: OpCode.sasl, body: (to) => GetSASLRequest.write(to, { token }) });
const whoAmI = request({ type: OpCode.whoAmI, body: () => undefined });
const ping = request({ type: OpCode.ping, body: () => undefined }, Xid.ping);
const createFor = (path: string, scheme: string, id: string): Step =>
  request({
    type: OpCode.create,
    body: (to) => CreateRequest.write(to, { path, data: null, acl: [{ perms: 31, id: { scheme, id } }], flags: 0 }),
  });
/** Null where a string is missing. */
const createForRaw = (path: string, scheme: string | null, id: string | null): Step =>
  request({
    type: OpCode.create,
    body: (to) => {
      const text = (value: string | null): void => {
        to.int32(value?.length ?? -1);
        if (value !== null) to.utf8(value);
      };
      text(path);
      text(null);
      to.int32(1);
      to.int32(31);
      text(scheme);
      text(id);
      to.int32(0);
    },
  });
const getAcl = (path: string): Step =>
  request({
    type: OpCode.getACL,
    body: (to: Writer) => {
      to.int32(path.length);
      to.utf8(path);
    },
  });

/** Both steps of SASL; the client's second token may be changed on its way. */
const login =
  (username: string, password: string, change: (response: string) => string = (text) => text): Step =>
  async (client) => {
    const mechanism = new DigestMd5Client({ random: runtime.random, username, password });
    const heard: unknown[] = [];
    let token: Uint8Array | undefined = new Uint8Array(0);
    while (token !== undefined) {
      const text = Buffer.from(token).toString('latin1');
      const bytes = Buffer.from(token.length === 0 ? text : change(text), 'latin1');
      const xid = client.send(OpCode.sasl, (to) => GetSASLRequest.write(to, { token: bytes }));
      const reply = await answer(client, xid);
      heard.push(told(OpCode.sasl, reply));
      const answered = reply === undefined ? null : SetSASLResponse.read(new Reader(reply.body)).token;
      if (answered === null) break;
      token = mechanism.evaluate(answered); // throws if the server does not know the password
    }
    return heard;
  };

async function answer(client: RawClient, xid: number): Promise<RawReply | undefined> {
  const seen = client.heard.length;
  const found = () => client.heard.slice(seen).find((reply) => reply.xid === xid);
  await until(`reply ${xid}`, () => found() ?? (client.isClosed || undefined), { everyMs: 1 });
  return found();
}

/** Authentication is told with its zxid too; what chance and time decide is left out. */
function told(type: number, reply: RawReply | undefined): unknown {
  if (reply === undefined) return undefined;
  const { xid, err, zxid, body } = reply;
  const isAuthentication = type === OpCode.auth || type === OpCode.sasl || err === -124;
  return { xid, err, zxid: isAuthentication ? zxid : undefined, body: comparable(type, err, body) };
}

function comparable(type: number, err: number, body: Uint8Array): unknown {
  const text = Buffer.from(body).toString('latin1');
  if (type === OpCode.sasl) return text.replace(/nonce="[^"]{40}"/, 'NONCE').replace(/rspauth=[0-9a-f]{32}/, 'RSPAUTH');
  if (err !== 0) return text;
  if (type === OpCode.whoAmI) {
    const { clientInfo } = WhoAmIResponse.read(new Reader(body));
    return clientInfo?.map(({ authScheme, user }) => `${authScheme}:${user}`).sort(); // a hash table's order
  }
  if (type === OpCode.getACL) {
    const { acl } = GetACLResponse.read(new Reader(body));
    return acl?.map(({ perms, id }) => `${id.scheme}:${id.id}:${perms}`).sort();
  }
  return body.length;
}

const CLOSED = inspect('closed');

interface Scene {
  readonly name: string;
  readonly steps: readonly Step[];
}

/**
 * A connection of its own; after the steps, whether the server ended it.
 * @param isEnding it will: Apache's may still answer a ping before
 */
async function play(port: number, { steps }: Scene, isEnding = false): Promise<string[]> {
  const client = new RawClient(runtime, { host: '127.0.0.1', port });
  await until('connection', () => client.isConnected || undefined, { everyMs: 1 });
  client.hello({ timeOut: 30_000 });
  await until('session', () => client.session, { everyMs: 1 });
  const heard: unknown[] = [];
  // The ping shows whether the connection lives on: it is answered, or the end comes.
  for (const step of isEnding ? steps : [...steps, ping]) if (!client.isClosed) heard.push(await step(client));
  if (isEnding) await until('the end of the connection', () => client.isClosed || undefined, { everyMs: 1 });
  heard.push(client.isClosed ? 'closed' : 'open');
  client.connection.destroy();
  return heard.filter((told) => told !== undefined).map((told) => inspect(told, { depth: 9, breakLength: Infinity }));
}

async function compare(t: TestContext, options: ServerOptions, scenes: readonly Scene[]): Promise<void> {
  const [apache, ours] = await startBoth(t, options);
  const differences: unknown[] = [];
  for (const scene of scenes) {
    const own = await play(ours, scene);
    const theirs = await play(apache, scene, own.at(-1) === CLOSED);
    if (theirs.join() !== own.join()) differences.push({ scene: scene.name, apache: theirs, ours: own });
  }
  assert.deepEqual(differences, []);
}

const SASL = { 'authProvider.1': `${PROVIDERS}.SASLAuthenticationProvider` };

const responses: readonly (readonly [what: string, change: (text: string) => string])[] = [
  ['another nonce', (text) => text.replace(/nonce="./, 'nonce="_')],
  ['another realm', (text) => text.replace('realm="zk-sasl-md5"', 'realm="other"')],
  ['no realm', (text) => text.replace('realm="zk-sasl-md5",', '')],
  ['another service', (text) => text.replace('zookeeper/', 'kafka/')],
  ['a service in capitals', (text) => text.replace('zookeeper/', 'ZooKeeper/')],
  ['no digest-uri', (text) => text.replace(/digest-uri="[^"]*",/, '')],
  ['integrity', (text) => text.replace('qop=auth', 'qop=auth-int')],
  ['no qop', (text) => text.replace('qop=auth,', '')],
  ['another charset', (text) => text.replace('charset=utf-8', 'charset=latin1')],
  ['no charset', (text) => text.replace('charset=utf-8,', '')],
  ['a name twice', (text) => `${text},username="bob"`],
  ['no name', (text) => text.replace('username="bob",', '')],
  ['no response', (text) => text.replace(/response=[^,]*,/, '')],
  ['no cnonce', (text) => text.replace(/cnonce="[^"]*",/, '')],
  ['another authzid', (text) => text.replace('authzid="bob"', 'authzid="super"')],
  ['no authzid', (text) => text.replace(',authzid="bob"', '')],
  ['unknown words', (text) => `${text}, x=y, x="z"`],
  ['white space', (text) => ` , ${text.replaceAll(',', '  ,\t')}`],
  ['another nc', (text) => text.replace('nc=00000001', 'nc=9')],
  ['a nonce-count', (text) => `${text},nonce-count=2`],
  ['keys in capitals', (text) => text.replace('username=', 'USERNAME=').replace('realm=', 'Realm=')],
  ['a quote that does not end', (text) => `${text},x="`],
  ['a key without value', (text) => `${text},x`],
  ['a key at the end', (text) => `${text},x=`],
  ['no comma behind a quote', (text) => text.replace('"bob",', '"bob"x,')],
  ['escapes', (text) => text.replace('username="bob"', 'username="b\\o\\b"')],
  ['nothing', () => ''],
  ['garbage', () => '\0\u0001\u0002'],
  ['too much', (text) => `${text},x="${'y'.repeat(4096)}"`],
];

test('SASL, right and wrong, is answered as by Apache 3.9.4', (t) =>
  compare(t, { config: { ...SASL, 'superUser.1': 'bob', letAnySaslUserDoX: 'anybody' } }, [
    { name: 'the right password', steps: [login('bob', 'secret'), whoAmI] },
    { name: 'a password of many letters', steps: [login('alice', 'wonder "land", c\u00f4t\u00e9'), whoAmI] },
    { name: 'the wrong password', steps: [login('bob', 'guess')] },
    { name: 'an unknown user', steps: [login('eve', 'secret')] },
    { name: 'a second login', steps: [login('bob', 'secret'), login('bob', 'secret')] },
    { name: 'a first token that is not empty', steps: [sasl(Buffer.from('x')), sasl(new Uint8Array(0))] },
    { name: 'a null token', steps: [sasl(null)] },
    { name: 'a body that is none', steps: [request({ type: OpCode.sasl, body: (to) => to.int32(50) })] },
    ...responses.map(([name, change]) => ({ name, steps: [login('bob', 'secret', change), whoAmI] })),
    { name: 'an auth packet of SASL', steps: [auth('sasl', 'bob')] },
    {
      name: 'ACLs',
      steps: [
        createFor('/before', 'auth', ''),
        createFor('/bob', 'sasl', 'bob'),
        createFor('/anybody', 'sasl', 'anybody'),
        createFor('/bad', 'sasl', 'a@b@c'),
        createFor('/kerberos', 'sasl', 'a/b@C'),
        request(getData('/bob')),
        request(getData('/anybody')),
        login('alice', 'wonder "land", c\u00f4t\u00e9'),
        createFor('/mine', 'auth', ''),
        getAcl('/mine'),
        createForRaw('/null', 'auth', null),
        getAcl('/null'),
        createForRaw('/bad', 'digest', null),
        createForRaw('/bad', 'world', null),
        createForRaw('/bad', null, 'x'),
        createForRaw('/bad', null, null),
        request(getData('/bob')),
        request(getData('/anybody')),
        request(setData('/mine', 'x')),
      ],
    },
    {
      name: 'a super user by superUser.1',
      steps: [
        request(setData('/mine', 'y')),
        login('bob', 'secret'),
        whoAmI,
        request(setData('/mine', 'y')),
        createFor('/both', 'auth', ''),
        getAcl('/both'),
      ],
    },
    {
      name: 'the user super',
      steps: [login('super', 'root'), whoAmI, request(setData('/mine', 'z')), request(remove('/zookeeper/config'))],
    },
  ]));

test('SASL without a JAAS file, and schemes that are not enabled, are answered as by Apache 3.9.4', (t) =>
  compare(t, { jaas: false, config: { 'DigestAuthenticationProvider.enabled': 'false' } }, [
    { name: 'SASL', steps: [sasl(new Uint8Array(0)), sasl(Buffer.from('x'))] },
    { name: 'digest', steps: [auth('digest', 'bob:secret')] },
    ...['digest', 'sasl', 'x509', 'ensemble', 'super', 'auth'].map((scheme) => ({
      name: `an ACL of ${scheme}`,
      steps: [createFor(`/${scheme}`, scheme, 'a:b')],
    })),
    ...[
      '10.0.0.1',
      '+10.0.0.1/+8',
      '10.0.0.1/',
      '10.0.0.-1',
      '::1',
      '::/0',
      '::1/129',
      '1:2:3:4:5:6:7',
      '1:2:3:4::5:6:7:8',
      '::ffff:10.0.0.1',
      'fe80::1%lo',
      '::-1',
      'localhost',
      '',
      '10.0.0.1/8/8',
    ].map((range, index) => ({ name: `an ACL for ${range}`, steps: [createFor(`/ip${index}`, 'ip', range)] })),
    { name: 'a range around us', steps: [createFor('/here', 'ip', '127.0.0.0/8'), request(getData('/here'))] },
  ]));

test('all other schemes are answered as by Apache 3.9.4', (t) =>
  compare(
    t,
    {
      jaas: false,
      config: {
        'authProvider.1': `${PROVIDERS}.X509AuthenticationProvider`,
        'authProvider.2': `${PROVIDERS}.EnsembleAuthenticationProvider`,
        ensembleAuthName: 'blue, green',
        'DigestAuthenticationProvider.digestAlg': 'SHA-256',
        'DigestAuthenticationProvider.superDigest': 'super:wjySwxg860UATFtciuZ1lpzrCHrPeov6SPu/ZD56uig=',
      },
    },
    [
      { name: 'digest', steps: [auth('digest', 'bob:secret'), createFor('/bob', 'auth', ''), getAcl('/bob'), whoAmI] },
      {
        name: 'a digest of several',
        steps: [
          auth('digest', 'bob:secret'),
          auth('digest', 'al:x'),
          createFor('/both', 'auth', ''),
          getAcl('/both'),
          whoAmI,
        ],
      },
      {
        name: 'the super digest',
        steps: [request(getData('/bob')), auth('digest', 'super:test'), whoAmI, request(getData('/bob'))],
      },
      { name: 'no credentials', steps: [auth('digest', null)] },
      { name: 'empty credentials', steps: [auth('digest', ''), whoAmI] },
      { name: 'our ensemble', steps: [auth('ensemble', 'green'), whoAmI] },
      { name: 'any ensemble', steps: [auth('ensemble', ''), auth('ensemble', null), whoAmI] },
      { name: 'another ensemble', steps: [auth('ensemble', 'red')] },
      { name: 'an ACL of the ensemble', steps: [createFor('/ensemble', 'ensemble', 'green')] },
      { name: 'x509 without TLS', steps: [auth('x509', 'CN=bob')] },
      ...['CN=bob', 'CN=bob,O=Acme', 'bob', '', 'CN=a\\,b', 'CN="a', 'XX=y', '1.2.3=#0401'].map((name, index) => ({
        name: `an ACL for ${name}`,
        steps: [createFor(`/x${index}`, 'x509', name), getAcl(`/x${index}`)],
      })),
      { name: 'an unknown scheme', steps: [auth('kerberos', 'x')] },
    ],
  ));

const unauthenticated: readonly Scene[] = [
  ...[
    create('/a'),
    getData('/'),
    exists('/', true),
    { type: OpCode.closeSession, body: () => undefined },
    { type: OpCode.whoAmI, body: () => undefined },
    { type: OpCode.multi, body: () => undefined },
    { type: 999, body: () => undefined },
  ].map((first) => ({ name: `first a request of type ${first.type}`, steps: [request(first)] })),
  { name: 'first a ping', steps: [ping] },
  { name: 'digest', steps: [auth('digest', 'bob:secret'), request(getData('/'))] },
  { name: 'ip', steps: [auth('ip', ''), request(getData('/'))] },
  { name: 'SASL', steps: [login('bob', 'secret'), request(getData('/')), whoAmI] },
  { name: 'SASL that fails', steps: [login('bob', 'guess'), request(getData('/'))] },
  { name: 'SASL that is begun', steps: [sasl(new Uint8Array(0)), request(getData('/'))] },
];

const enforcements: readonly Readonly<Record<string, string>>[] = [
  { sessionRequireClientSASLAuth: 'true' },
  { sessionRequireClientSASLAuth: 'true', allowSaslFailedClients: 'true' },
  { 'enforce.auth.enabled': 'true', 'enforce.auth.schemes': 'digest' },
  { 'enforce.auth.enabled': 'true', 'enforce.auth.schemes': 'sasl, digest' },
  { 'enforce.auth.enabled': 'true', 'enforce.auth.schemes': 'ip' },
  { allowSaslFailedClients: 'true' },
];
for (const config of enforcements) {
  const title = Object.entries(config).map(([key, value]) => `${key}=${value}`);
  test(`who has not authenticated hears what Apache 3.9.4 says: ${title.join(', ')}`, (t) =>
    compare(t, { config: { ...SASL, ...config } }, unauthenticated));
}

test('skipACL serves everybody as Apache 3.9.4 does', (t) =>
  compare(t, { config: { skipACL: 'yes' } }, [
    {
      name: 'a stranger',
      steps: [
        createFor('/foreign', 'ip', '10.0.0.1'),
        createFor('/digest', 'digest', 'bob:hash'),
        createFor('/bad', 'digest', 'nocolon'),
        createFor('/auth', 'auth', ''),
        getAcl('/digest'),
        request(getData('/foreign')),
        request(setData('/foreign', 'x')),
        request(setData('/zookeeper/config', 'x')),
        request(remove('/foreign')),
      ],
    },
  ]));
