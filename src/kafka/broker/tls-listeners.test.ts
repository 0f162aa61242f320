/** Listeners with TLS in a simulated cluster, their keys given in PEM. */
import assert from 'node:assert/strict';
// biome-ignore lint/style/noRestrictedImports: golden files
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { pemCertificates, pemIdentity } from '../../config/keystores/pem.ts';
import type { TlsMaterial } from '../../runtime/tls.ts';
import type { ConfigKeys } from '../../testing/index.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { ProduceRequest, ProduceResponse } from '../protocol/messages/00-produce.ts';
import {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../protocol/messages/44-incremental-alter-configs.ts';
import { AlterClientQuotasRequest, AlterClientQuotasResponse } from '../protocol/messages/49-alter-client-quotas.ts';
import { AlterOperation, ResourceType } from './config/config-change.ts';
import { ClusterWorld } from './testkit/cluster-world.ts';
import { batchOf, produceRequest } from './testkit/requests.ts';

const TLS_PORT = 9393;
const folder = join(import.meta.dirname, '../../../test/golden/tls');
const pem = (name: string): string => readFileSync(join(folder, `${name}.pem`), 'latin1');
const authorities = pemCertificates(pem('ca'));

/** Keys and certificates as values of properties: in one line. */
function keyAndChain(name: string): { readonly key: string; readonly chain: string } {
  const blocks = [...pem(name).matchAll(/-+BEGIN ([A-Z ]+)-+[^-]+-+END [A-Z ]+-+/g)];
  const inOneLine = (isKey: boolean): string =>
    blocks
      .filter(([, label = '']) => label.endsWith('PRIVATE KEY') === isKey)
      .map(([block]) => block.replaceAll(/\s+/g, ' '))
      .join(' ');
  return { key: inOneLine(true), chain: inOneLine(false) };
}

function keysOf(name: string): Record<string, string> {
  const { key, chain } = keyAndChain(name);
  return {
    'listener.name.tls.ssl.keystore.type': 'PEM',
    'listener.name.tls.ssl.keystore.key': key,
    'listener.name.tls.ssl.keystore.certificate.chain': chain,
  };
}

async function world(more: ConfigKeys = {}): Promise<ClusterWorld> {
  const { host } = new ClusterWorld().broker(0).machine;
  const kafka = {
    listeners: `PLAINTEXT://${host}:9092,TLS://${host}:${TLS_PORT}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,TLS:SSL',
    'password.encoder.secret': 'secret',
    'listener.name.tls.ssl.truststore.type': 'PEM',
    'listener.name.tls.ssl.truststore.certificates': pem('ca').replaceAll(/\s+/g, ' '),
    ...keysOf('server'),
    ...more,
  };
  return new ClusterWorld({ kafka }).start();
}

const identity = (name: string): TlsMaterial => ({ identity: pemIdentity(pem(name), ''), trusted: authorities });

/** The certificate that a new connection is shown, in hex. */
async function shown(cluster: ClusterWorld): Promise<string> {
  const client = cluster.connectTo(0, TLS_PORT, { trusted: authorities });
  await cluster.sim.runFor(100);
  const [certificate] = client.tls?.peerCertificates ?? [];
  client.close();
  return Buffer.from(certificate ?? []).toString('hex');
}

const certificateOf = (name: string): string => Buffer.from(pemCertificates(pem(name))[0] ?? []).toString('hex');

async function alter(cluster: ClusterWorld, values: Readonly<Record<string, string>>): Promise<[number, string]> {
  const configs = Object.entries(values).map(([name, value]) => ({
    name,
    configOperation: AlterOperation.set,
    value,
  }));
  const resources = [{ resourceType: ResourceType.broker, resourceName: '0', configs }];
  const answer = await cluster.ask(0, (client) =>
    client.ask(IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse, 1, { resources, validateOnly: false }),
  );
  await cluster.sim.runFor(1000);
  const [response] = answer.responses;
  return [response?.errorCode ?? -1, response?.errorMessage ?? ''];
}

test('keys that are changed while the broker runs are shown to whoever connects next', async () => {
  const cluster = await world({ 'ssl.allow.dn.changes': 'true', 'ssl.allow.san.changes': 'true' });
  assert.equal(await shown(cluster), certificateOf('server'));
  assert.deepEqual(await alter(cluster, keysOf('client')), [ErrorCode.NONE, '']);
  assert.equal(await shown(cluster), certificateOf('client'));
});

test('a certificate for another name is refused, and one that lacks a name, unless that is allowed', async () => {
  const cases: { name: string; allowed: ConfigKeys; refusal: RegExp }[] = [
    { name: 'client', allowed: {}, refusal: /Keystore DistinguishedName does not match/ },
    {
      name: 'elsewhere',
      allowed: { 'ssl.allow.dn.changes': 'true' },
      refusal: /Keystore SubjectAltNames do not match/,
    },
  ];
  for (const { name, allowed, refusal } of cases) {
    const cluster = await world(allowed);
    const [code, text] = await alter(cluster, keysOf(name));
    assert.equal(code, ErrorCode.INVALID_REQUEST, text);
    assert.match(text, refusal);
    assert.equal(await shown(cluster), certificateOf('server'));
  }
});

test('keys that cannot be used are refused, and the old ones stay', async () => {
  const cluster = await world();
  const [code, text] = await alter(cluster, { 'listener.name.tls.ssl.keystore.key': 'nonsense' });
  assert.equal(code, ErrorCode.INVALID_REQUEST, text);
  assert.match(text, /Validation of dynamic config update failed: .*did not find a private key/);
  assert.doesNotMatch(text, /nonsense/, 'a key is not told');
  assert.equal(await shown(cluster), certificateOf('server'));
});

test('a client with a certificate is whom the rules make of its name, others are anonymous', async () => {
  const cluster = await world({
    'listener.name.tls.ssl.client.auth': 'requested',
    'ssl.principal.mapping.rules': 'RULE:^CN=(.*?),O=odradek$/the-$1/U',
  });
  await cluster.createTopic('t', [[0]]);
  const entity = [{ entityType: 'user', entityName: 'THE-CLIENT' }];
  const entries = [{ entity, ops: [{ key: 'producer_byte_rate', value: 1, remove: false }] }];
  await cluster.ask(0, (client) =>
    client.ask(AlterClientQuotasRequest, AlterClientQuotasResponse, 0, { entries, validateOnly: false }),
  );
  await cluster.sim.runFor(1000);
  const throttledMs = async (material: TlsMaterial): Promise<number> => {
    const client = cluster.connectTo(0, TLS_PORT, material);
    const request = produceRequest('t', batchOf(['x'.repeat(1000)]));
    const { throttleTimeMs } = await cluster.run(client.ask(ProduceRequest, ProduceResponse, 8, request));
    client.close();
    return throttleTimeMs;
  };
  assert.equal(await throttledMs({ trusted: authorities }), 0);
  assert.ok((await throttledMs(identity('client'))) > 0);
});

test('a client whose certificate no rule knows is not served', async () => {
  const cluster = await world({
    'listener.name.tls.ssl.client.auth': 'requested',
    'ssl.principal.mapping.rules': 'RULE:^CN=somebody$/else/',
  });
  const client = cluster.connectTo(0, TLS_PORT, identity('client'));
  await cluster.run(client.closed);
});

test('a client without a certificate is not let in where one is required', async () => {
  const cluster = await world({ 'listener.name.tls.ssl.client.auth': 'required' });
  const client = cluster.connectTo(0, TLS_PORT, { trusted: authorities });
  await cluster.run(client.closed);
});
