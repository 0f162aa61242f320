/** Clients of other makers: twenty records through a topic of their own, consumed in a group. */
import { join } from 'node:path';
import type { Outcome } from '../peers/process.ts';
import { nodeScript, python } from '../peers/tools.ts';

export interface Roundtrip {
  readonly name: string;
  run(bootstrap: string): Promise<Outcome>;
  /** What it prints, between commas. */
  readonly want: readonly string[];
}

const values = Array.from({ length: 20 }, (_, index) => `v${index}`).sort();

export const roundtrips: readonly Roundtrip[] = [
  {
    name: 'kafka-python',
    run: (bootstrap: string) =>
      python('-c', [
        `
import sys
from kafka import KafkaProducer, KafkaConsumer
p = KafkaProducer(bootstrap_servers=sys.argv[1], acks='all')
for i in range(20): p.send('python', key=b'k%d' % i, value=b'v%d' % i)
p.flush()
c = KafkaConsumer('python', bootstrap_servers=sys.argv[1], group_id='python-group', auto_offset_reset='earliest', consumer_timeout_ms=100000)
seen = []
for m in c:
    seen.append(m.value.decode())
    if len(seen) == 20: break
c.commit()
c.close()
print(','.join(sorted(seen)))
`,
        bootstrap,
      ]),
    want: values,
  },
  {
    name: 'confluent-kafka',
    run: (bootstrap: string) =>
      python('-c', [
        `
import sys
from confluent_kafka import Producer, Consumer
p = Producer({'bootstrap.servers': sys.argv[1], 'enable.idempotence': True, 'compression.type': 'lz4'})
for i in range(20): p.produce('confluent', key=str(i), value='v%d' % i)
p.flush()
c = Consumer({'bootstrap.servers': sys.argv[1], 'group.id': 'confluent-group', 'auto.offset.reset': 'earliest'})
c.subscribe(['confluent'])
seen = []
for _ in range(1000):
    m = c.poll(0.1)
    if m is not None and m.error() is None: seen.append(m.value().decode())
    if len(seen) == 20: break
c.close()
print(','.join(sorted(seen)))
`,
        bootstrap,
      ]),
    want: values,
  },
  {
    name: 'aiokafka',
    run: (bootstrap: string) =>
      python('-c', [
        `
import sys, asyncio
from aiokafka import AIOKafkaProducer, AIOKafkaConsumer
async def main():
    p = AIOKafkaProducer(bootstrap_servers=sys.argv[1]); await p.start()
    for i in range(20): await p.send_and_wait('aio', b'v%d' % i)
    await p.stop()
    c = AIOKafkaConsumer('aio', bootstrap_servers=sys.argv[1], group_id='aio-group', auto_offset_reset='earliest'); await c.start()
    seen = []
    while len(seen) < 20:
        for _, messages in (await c.getmany(timeout_ms=1000)).items(): seen += [m.value.decode() for m in messages]
    await c.stop()
    print(','.join(sorted(seen)))
asyncio.run(asyncio.wait_for(main(), 100))
`,
        bootstrap,
      ]),
    want: values,
  },
  {
    name: 'kafkajs',
    run: (bootstrap: string) => nodeScript(join(import.meta.dirname, 'kafkajs-roundtrip.mjs'), [bootstrap]),
    want: values,
  },
  {
    name: '@platformatic/kafka',
    run: (bootstrap: string) => nodeScript(join(import.meta.dirname, 'platformatic-roundtrip.mjs'), [bootstrap]),
    want: values,
  },
];
