/** Clients of other makers come to our listeners with TLS and SASL: what one of them sends it reads. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';
import { nodeScript, python } from './peers/tools.ts';
import { type SecureBroker, startSecureBroker, stores } from './security/listeners.ts';
import { SaslWire, scramFirst } from './security/sasl-wire.ts';
import { makeScramUser } from './security/scram-user.ts';

const CA = `${stores}ca.pem`;

let broker: SecureBroker;
const closing: (() => unknown)[] = [];

before(async () => {
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
});

test('confluent-kafka comes with SCRAM-SHA-512 over TLS', async () => {
  const script = `
import sys
from confluent_kafka import Producer, Consumer
common = {'bootstrap.servers': sys.argv[1], 'security.protocol': 'SASL_SSL', 'ssl.ca.location': sys.argv[2],
          'sasl.mechanism': 'SCRAM-SHA-512', 'sasl.username': 'carol', 'sasl.password': 'carol-secret'}
p = Producer(common)
p.produce('confluent', b'hello')
assert p.flush(10) == 0
c = Consumer({**common, 'group.id': 'confluent', 'auto.offset.reset': 'earliest'})
c.subscribe(['confluent'])
m = c.poll(10)
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
for _ in range(50):
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
p.send('python', b'hello').get(10)
c = KafkaConsumer('python', auto_offset_reset='earliest', consumer_timeout_ms=45000, **common)
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
