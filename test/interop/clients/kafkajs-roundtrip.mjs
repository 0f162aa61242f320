// Twenty records through kafkajs, consumed in a group; prints their values, sorted.
import kafkajs from 'kafkajs';

const { Kafka, logLevel } = kafkajs;
const kafka = new Kafka({ clientId: 'roundtrip', brokers: [process.argv[2]], logLevel: logLevel.NOTHING });
const admin = kafka.admin();
await admin.connect();
await admin.createTopics({ topics: [{ topic: 'kafkajs', numPartitions: 2 }], waitForLeaders: true });
await admin.disconnect();
const producer = kafka.producer({ idempotent: true });
await producer.connect();
const messages = Array.from({ length: 20 }, (_, index) => ({ key: `k${index}`, value: `v${index}` }));
await producer.send({ topic: 'kafkajs', messages });
await producer.disconnect();
const consumer = kafka.consumer({ groupId: 'kafkajs-group' });
await consumer.connect();
await consumer.subscribe({ topics: ['kafkajs'], fromBeginning: true });
const seen = [];
await new Promise((resolve) => {
  consumer.run({
    eachMessage: async ({ message }) => {
      seen.push(message.value.toString());
      if (seen.length === messages.length) resolve();
    },
  });
});
await consumer.disconnect();
console.log(seen.sort().join(','));
