// Twenty records through @platformatic/kafka, consumed in a group; prints their values, sorted.
import { Consumer, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka';

const bootstrapBrokers = [process.argv[2]];
const producer = new Producer({
  clientId: 'roundtrip',
  bootstrapBrokers,
  serializers: stringSerializers,
  autocreateTopics: true,
});
const messages = Array.from({ length: 20 }, (_, index) => ({
  topic: 'platformatic',
  key: `k${index}`,
  value: `v${index}`,
}));
await producer.send({ messages });
await producer.close();
const consumer = new Consumer({
  groupId: 'platformatic-group',
  clientId: 'roundtrip',
  bootstrapBrokers,
  deserializers: stringDeserializers,
});
const stream = await consumer.consume({
  topics: ['platformatic'],
  mode: 'earliest',
  sessionTimeout: 10_000,
  heartbeatInterval: 500,
});
const seen = [];
for await (const message of stream) {
  seen.push(message.value);
  if (seen.length === messages.length) break;
}
await consumer.close(true);
console.log(seen.sort().join(','));
process.exit(0);
