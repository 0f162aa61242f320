/** A batch that becomes large, and those who ask for something else meanwhile. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { createZstdDecompress } from 'node:zlib';
import { ErrorCode } from '../protocol/errors.ts';
import { ProduceRequest, ProduceResponse } from '../protocol/messages/00-produce.ts';
import { MetadataRequest, MetadataResponse } from '../protocol/messages/03-metadata.ts';
import { ClusterWorld } from './testkit/cluster-world.ts';
import { batchOf, produceRequest } from './testkit/requests.ts';

const RECORDS = 30;
const VALUE_BYTES = 7_000_000;
/** Some KB that become 300 of this, a slice each: more slices than a message takes milliseconds. */
const large = batchOf(
  Array.from({ length: RECORDS }, () => 'x'.repeat(VALUE_BYTES)),
  { codec: 'zstd' },
);

test('others are served while a large batch is unpacked, and what follows it on its connection is not', async () => {
  const cluster = await new ClusterWorld({ kafka: { 'message.max.bytes': 10_000_000 } }).start();
  await cluster.createTopic('t', [[0]]);
  await cluster.createTopic('u', [[0]]);
  const [sender, other] = [cluster.connectTo(0), cluster.connectTo(0)];
  const events: string[] = [];
  const produce = async (name: string, client: typeof sender, topic: string, bytes: Uint8Array) => {
    const answer = await client.ask(ProduceRequest, ProduceResponse, 8, produceRequest(topic, bytes, 1));
    const { errorCode, baseOffset } = answer.responses[0]!.partitionResponses[0]!;
    assert.equal(errorCode, ErrorCode.NONE);
    events.push(`${name} at ${baseOffset}`);
  };
  const ask = async (client: typeof sender): Promise<void> => {
    await client.ask(MetadataRequest, MetadataResponse, 7, { topics: null });
    events.push('metadata');
  };
  await cluster.run(Promise.all([ask(sender), ask(other)]));
  events.length = 0;
  const first = produce('large', sender, 't', large);
  const second = produce('behind it, elsewhere,', sender, 'u', batchOf(['b']));
  await cluster.sim.runUntil(() => (cluster.broker(0).server?.networkLoad.requestBytes ?? 0) > 0, 10_000);
  await cluster.run(Promise.all([ask(other), produce('elsewhere', other, 'u', batchOf(['a'])), first, second]));
  assert.deepEqual(events, ['metadata', 'elsewhere at 0', 'large at 0', 'behind it, elsewhere, at 1']);
  assert.equal(await cluster.produce(0, 't', 'next'), RECORDS);
});

test('a broker that ends while a large batch is unpacked ends at once', async () => {
  const cluster = await new ClusterWorld({ kafka: { 'message.max.bytes': 10_000_000 } }).start();
  await cluster.createTopic('t', [[0]]);
  const client = cluster.connectTo(0);
  const answer = client.ask(ProduceRequest, ProduceResponse, 8, produceRequest('t', large, 1)).catch(() => 'closed');
  await cluster.sim.runUntil(() => (cluster.broker(0).server?.networkLoad.requestBytes ?? 0) > 0, 10_000);
  await cluster.broker(0).stop();
  assert.equal(await cluster.run(answer), 'closed');
  await cluster.broker(0).start();
  await cluster.until('it leads', async () => (await cluster.leaderOf(0, 't')) === 0);
  assert.equal(await cluster.count(0, 't'), 0);
  assert.deepEqual(cluster.failures, []);
});

test('what a broker has not unpacked when it ends it does not go on with', async (t) => {
  // No leadership is moved before, which would take longer than all of the work.
  const kafka = { 'message.max.bytes': 10_000_000, 'controlled.shutdown.enable': 'false' };
  const cluster = await new ClusterWorld({ kafka }).start();
  await cluster.createTopic('t', [[0]]);
  const unpacked = t.mock.method(zstdHandles(), 'writeSync');
  const client = cluster.connectTo(0);
  const answer = client.ask(ProduceRequest, ProduceResponse, 8, produceRequest('t', large, 1)).catch(() => 'closed');
  await cluster.sim.runUntil(() => unpacked.mock.callCount() > 100, 10_000);
  await cluster.broker(0).stop();
  assert.equal(await cluster.run(answer), 'closed');
  await cluster.sim.runFor(1_000);
  const pieces = (RECORDS * VALUE_BYTES) / 65_536;
  assert.ok(unpacked.mock.callCount() < (pieces * 3) / 4, `${unpacked.mock.callCount()} pieces of ${pieces}`);
});

/** What all streams that unpack zstd have in common (`zlib-pieces.ts`). */
function zstdHandles(): { writeSync(): void } {
  const { _handle } = createZstdDecompress() as unknown as { readonly _handle: object };
  return Object.getPrototypeOf(_handle);
}
