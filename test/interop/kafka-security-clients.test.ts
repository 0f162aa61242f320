/** Clients of other makers come to our listeners with TLS and SASL: what one of them sends it reads. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';
import { nodeScript, python } from './peers/tools.ts';
import { type SecureBroker, startSecureBroker, stores } from './security/listeners.ts';
import { claimsOf, type Issuer, startIssuer, unsecured } from './security/oauth-tokens.ts';
import { SaslWire, scramFirst } from './security/sasl-wire.ts';
import { makeScramUser } from './security/scram-user.ts';

const CA = `${stores}ca.pem`;

let broker: SecureBroker;
let issuer: Issuer;
const closing: (() => unknown)[] = [];

before(async () => {
  issuer = await startIssuer();
  broker = await startSecureBroker({ after: (close) => closing.push(close as () => unknown) });
  const port = (listener: 'PLAINTEXT' | 'SASL_PLAINTEXT'): number => Number(broker.at(listener).split(':')[1]);
  await makeScramUser(port('PLAINTEXT'), 'carol', 'carol-secret');
  await until('carol is known', async () => {
    const wire = new SaslWire(port('SASL_PLAINTEXT'));
    await wire.handshake('SCRAM-SHA-512');
    const answer = await wire.authenticate(scramFirst('carol'));
    wire.close();
    return answer !== 'closed' && answer.errorCode === 0 ? true : undefined;
  });
});

after(async () => {
  for (const close of closing) await close();
  await issuer?.close();
});

test('confluent-kafka comes with SCRAM-SHA-512 over TLS', async () => {
  const script = `
import sys
from confluent_kafka import Producer, Consumer
common = {'bootstrap.servers': sys.argv[1], 'security.protocol': 'SASL_SSL', 'ssl.ca.location': sys.argv[2],
          'sasl.mechanism': 'SCRAM-SHA-512', 'sasl.username': 'carol', 'sasl.password': 'carol-secret'}
p = Producer(common)
p.produce('confluent', b'hello')
assert p.flush(60) == 0
c = Consumer({**common, 'group.id': 'confluent', 'auto.offset.reset': 'earliest'})
c.subscribe(['confluent'])
m = c.poll(60)
print(m.value().decode())
c.close()
`;
  const outcome = await python('-c', [script, broker.at('SASL_SSL'), CA]);
  assert.equal(outcome.stdout, 'hello\n', outcome.stderr);
});

test('confluent-kafka hears that its password is wrong', async () => {
  const script = `
import sys
from confluent_kafka.admin import AdminClient
heard = []
a = AdminClient({'bootstrap.servers': sys.argv[1], 'security.protocol': 'SASL_SSL', 'ssl.ca.location': sys.argv[2],
                 'sasl.mechanism': 'PLAIN', 'sasl.username': 'alice', 'sasl.password': 'guess',
                 'error_cb': lambda e: heard.append(e)})
for _ in range(600):
    a.poll(0.1)
    if any(e.name() == '_AUTHENTICATION' for e in heard): break
print([e.str() for e in heard if e.name() == '_AUTHENTICATION'][0])
`;
  const outcome = await python('-c', [script, broker.at('SASL_SSL'), CA]);
  assert.match(outcome.stdout, /Authentication failed: Invalid username or password/, outcome.stderr);
});

test('kafka-python comes with SCRAM-SHA-256', async () => {
  const script = `
import sys
from kafka import KafkaProducer, KafkaConsumer
common = dict(bootstrap_servers=sys.argv[1], security_protocol='SASL_PLAINTEXT', sasl_mechanism='SCRAM-SHA-256',
              sasl_plain_username='carol', sasl_plain_password='carol-secret')
p = KafkaProducer(**common)
p.send('python', b'hello').get(60)
c = KafkaConsumer('python', auto_offset_reset='earliest', consumer_timeout_ms=100000, **common)
print(next(c).value.decode())
`;
  const outcome = await python('-c', [script, broker.at('SASL_PLAINTEXT')]);
  assert.equal(outcome.stdout, 'hello\n', outcome.stderr);
});

test('kafkajs comes with a certificate, and with PLAIN', async () => {
  const script = `
import { readFileSync } from 'node:fs';
import kafkajs from 'kafkajs';
const [mutual, plain, stores] = process.argv.slice(2);
const pem = readFileSync(stores + 'client.pem', 'utf8');
const ssl = { ca: [readFileSync(stores + 'ca.pem')], key: pem, cert: pem.slice(pem.indexOf('-----BEGIN CERT')) };
const sasl = { mechanism: 'plain', username: 'alice', password: 'alice-secret' };
for (const how of [{ brokers: [mutual], ssl }, { brokers: [plain], sasl }]) {
  const kafka = new kafkajs.Kafka({ ...how, logLevel: kafkajs.logLevel.ERROR });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: 'kafkajs', numPartitions: 1 }], waitForLeaders: true });
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic: 'kafkajs', messages: [{ value: 'hello' }] });
  await producer.disconnect();
  console.log((await admin.fetchTopicOffsets('kafkajs'))[0].high);
  await admin.disconnect();
}
`;
  const file = join(tempDir(), 'secure.mjs');
  writeFileSync(file, script);
  const outcome = await nodeScript(file, [broker.at('MUTUAL'), broker.at('SASL_PLAINTEXT'), stores]);
  assert.equal(outcome.stdout, '1\n2\n', outcome.stderr);
});

test('confluent-kafka comes with a token of its own making, and over TLS with one of the issuer', async () => {
  const script = `
import sys
from confluent_kafka import Producer, Consumer
plain, secured, ca, url = sys.argv[1:]
own = {'bootstrap.servers': plain, 'security.protocol': 'SASL_PLAINTEXT', 'enable.sasl.oauthbearer.unsecure.jwt': True,
       'sasl.oauthbearer.config': 'principal=alice extension_host=x'}
issued = {'bootstrap.servers': secured, 'security.protocol': 'SASL_SSL', 'ssl.ca.location': ca,
          'sasl.oauthbearer.method': 'oidc', 'sasl.oauthbearer.client.id': 'client',
          'sasl.oauthbearer.client.secret': 'client-secret', 'sasl.oauthbearer.token.endpoint.url': url}
for how in own, issued:
    common = {**how, 'sasl.mechanism': 'OAUTHBEARER'}
    p = Producer(common)
    p.poll(1)
    p.produce('confluent-oauth', b'hello')
    assert p.flush(60) == 0
c = Consumer({**common, 'group.id': 'oauth', 'auto.offset.reset': 'earliest'})
c.subscribe(['confluent-oauth'])
print([c.poll(60).value().decode() for _ in range(2)])
c.close()
`;
  const args = [broker.at('SASL_PLAINTEXT'), broker.at('SASL_SSL'), CA, issuer.tokenUrl];
  const outcome = await python('-c', [script, ...args]);
  assert.equal(outcome.stdout, "['hello', 'hello']\n", outcome.stderr);
});

test('kafkajs comes with a token, and gets nowhere with one that is refused', async () => {
  const script = `
import kafkajs from 'kafkajs';
const [plain, ...tokens] = process.argv.slice(2);
for (const value of tokens) {
  const sasl = { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value }) };
  const kafka = new kafkajs.Kafka({ brokers: [plain], sasl, logLevel: kafkajs.logLevel.NOTHING, retry: { retries: 0 } });
  const admin = kafka.admin();
  try {
    await admin.connect();
    console.log((await admin.describeCluster()).brokers.length);
  } catch (error) {
    console.log(error.message);
  }
  await admin.disconnect();
}
`;
  const file = join(tempDir(), 'oauth.mjs');
  writeFileSync(file, script);
  const outcome = await nodeScript(file, [broker.at('SASL_PLAINTEXT'), unsecured(claimsOf('alice')), 'abc']);
  const [served, refused] = outcome.stdout.split('\n');
  assert.equal(served, '1', outcome.stderr);
  // It takes the refusal for the end of the exchange, and asks on instead of acknowledging it.
  assert.equal(refused, 'Closed connection');
});
