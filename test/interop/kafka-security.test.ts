/** Apache's tools and clients of other makers come to our listeners with TLS and SASL. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from './peers/process.ts';
import { ToolHost } from './peers/tool-host.ts';
import {
  clientKeys,
  type ListenerName,
  oauth,
  propertiesFile,
  type SecureBroker,
  sasl,
  startSecureBroker,
  trust,
} from './security/listeners.ts';
import { credentialsLogin, type Issuer, startIssuer } from './security/oauth-tokens.ts';

let broker: SecureBroker;
let tools: ToolHost;
let issuer: Issuer;
const closing: (() => unknown)[] = [];

before(async () => {
  [broker, tools, issuer] = await Promise.all([
    startSecureBroker({ after: (close) => closing.push(close as () => unknown) }),
    ToolHost.start('3.9.1'),
    startIssuer(),
  ]);
});

after(async () => {
  for (const close of closing) await close();
  await tools?.close();
  await issuer?.close();
});

type Keys = Readonly<Record<string, string>>;

/** What a producer's records are for a consumer that comes the same way. */
async function carried(listener: ListenerName, keys: Keys): Promise<string> {
  const file = propertiesFile(listener, keys);
  const topic = `by-${listener.toLowerCase().replaceAll('_', '-')}-${Object.keys(keys).length}`;
  const there = ['--bootstrap-server', broker.at(listener), '--topic', topic];
  const created = await tools.run('kafka-topics', [...there, '--create', '--command-config', file]);
  assert.equal(created.code, 0, created.stdout + created.stderr);
  const producing = await tools.run('kafka-console-producer', [...there, '--producer.config', file], {
    stdin: 'one\ntwo\n',
  });
  assert.equal(producing.code, 0, producing.stderr);
  const consumer = ['--from-beginning', '--max-messages', '2', '--timeout-ms', '100000', '--consumer.config', file];
  return (await tools.run('kafka-console-consumer', [...there, ...consumer])).stdout;
}

async function listed(listener: ListenerName, keys: Keys): Promise<string> {
  const file = propertiesFile(listener, { 'default.api.timeout.ms': '45000', 'request.timeout.ms': '30000', ...keys });
  const args = ['--bootstrap-server', broker.at(listener), '--list', '--command-config', file];
  const { code, stdout, stderr } = await tools.run('kafka-topics', args);
  return `${code} ${stdout}${stderr}`;
}

test('with TLS records come and go, the client knowing the server alone', async () => {
  assert.equal(await carried('SSL', trust), 'one\ntwo\n');
});

test('with TLS of both sides records come and go', async () => {
  assert.equal(await carried('MUTUAL', clientKeys), 'one\ntwo\n');
});

test('who shows no certificate where one is demanded is not served', async () => {
  assert.match(
    await listed('MUTUAL', trust),
    /^1 .*SslAuthenticationException: Failed to process post-handshake messages/s,
  );
});

test('with PLAIN records come and go', async () => {
  assert.equal(await carried('SASL_PLAINTEXT', sasl('PLAIN', 'alice', 'alice-secret')), 'one\ntwo\n');
});

test('a user whom kafka-configs gives a password comes with SCRAM-SHA-512 over TLS, until the password is another', async () => {
  const alter = (...change: string[]) =>
    tools.run('kafka-configs', [
      ...['--bootstrap-server', broker.at('PLAINTEXT'), '--alter'],
      ...['--entity-type', 'users', '--entity-name', 'carol', ...change],
    ]);
  const carol = { ...trust, ...sasl('SCRAM-SHA-512', 'carol', 'carol-secret') };
  const again = { ...trust, ...sasl('SCRAM-SHA-512', 'carol', 'another') };
  // Brokers hear of a change after it is made.
  const told = (keys: Keys, answer: RegExp) =>
    until(`carol is told ${answer}`, async () => answer.test(await listed('SASL_SSL', keys)) || undefined);
  assert.equal((await alter('--add-config', 'SCRAM-SHA-512=[iterations=4096,password=carol-secret]')).code, 0);
  await told(carol, /^0 /);
  assert.equal(await carried('SASL_SSL', carol), 'one\ntwo\n');
  assert.equal((await alter('--add-config', 'SCRAM-SHA-512=[iterations=4096,password=another]')).code, 0);
  const refusal =
    /Authentication failed during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-512/;
  await told(carol, refusal);
  await told(again, /^0 /);
  assert.equal((await alter('--delete-config', 'SCRAM-SHA-512')).code, 0);
  await told(again, refusal);
});

test('a wrong password is told as Apache tells it', async () => {
  const wrong = await listed('SASL_PLAINTEXT', sasl('PLAIN', 'alice', 'guess'));
  assert.match(wrong, /^1 .*SaslAuthenticationException: Authentication failed: Invalid username or password/s);
});

test('with a token without a signature records come and go', async () => {
  assert.equal(await carried('SASL_PLAINTEXT', { ...oauth('alice'), 'client.id': 'o' }), 'one\ntwo\n');
});

test('with a token of the issuer over TLS records come and go', async () => {
  assert.equal(await carried('SASL_SSL', { ...trust, ...credentialsLogin(issuer) }), 'one\ntwo\n');
});

test('a token that the listener does not believe is told as Apache tells it', async () => {
  const told = await listed('SASL_SSL', { ...trust, ...oauth('alice') });
  assert.match(told, /^1 .*SaslAuthenticationException: {"status":"invalid_token"}/s);
});
