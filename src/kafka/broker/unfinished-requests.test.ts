/** Requests whose end does not come: what they hold of `queued.max.request.bytes`. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { ProduceRequest } from '../protocol/messages/00-produce.ts';
import { ClusterWorld } from './testkit/cluster-world.ts';
import { encodeRequest } from './testkit/raw-client.ts';
import { batchOf, produceRequest } from './testkit/requests.ts';

const LIMIT_BYTES = 4_000_000;
const CLIENTS = 20;
const REQUEST_BYTES = 1_000_000;
/** On its way in the network of one connection, and in the broker as one chunk of which nothing more was wanted. */
const UNDERWAY_BYTES = 262_144;

async function world() {
  const cluster = await new ClusterWorld({
    kafka: { 'queued.max.request.bytes': LIMIT_BYTES, 'socket.request.max.bytes': LIMIT_BYTES },
  }).start();
  await cluster.createTopic('t', [[0]]);
  const request = encodeRequest(ProduceRequest, 8, produceRequest('t', batchOf(['x'.repeat(REQUEST_BYTES)])));
  const clients = Array.from({ length: CLIENTS }, () => cluster.connectTo(0));
  const requestBytes = (): number => cluster.broker(0).server?.networkLoad.requestBytes ?? Infinity;
  return { cluster, request, clients, requestBytes };
}

test('unfinished requests of all connections hold no more than the limit, and all are answered once they are whole', async () => {
  const { cluster, request, clients, requestBytes } = await world();
  const most = request.subarray(0, -1);
  for (const client of clients) client.write(most);
  await cluster.sim.runFor(5_000);
  const unsent = clients.reduce((sum, client) => sum + client.unsentBytes, 0);
  const taken = CLIENTS * most.length - unsent;
  assert.ok(taken < LIMIT_BYTES + REQUEST_BYTES + CLIENTS * UNDERWAY_BYTES, `${taken} bytes were read`);
  assert.ok(requestBytes() >= LIMIT_BYTES, 'the limit is used');
  assert.ok(requestBytes() < LIMIT_BYTES + REQUEST_BYTES + 1_000, `${requestBytes()} bytes are held`);
  for (const client of clients) client.write(request.subarray(-1));
  for (const client of clients) {
    assert.ok((await cluster.run(client.nextFrame())).size > 20);
  }
  assert.equal(await cluster.count(0, 't'), CLIENTS);
  assert.equal(requestBytes(), 0);
});

test('what a connection held of the limit is free when it goes', async () => {
  const { cluster, request, clients, requestBytes } = await world();
  for (const client of clients) client.write(request.subarray(0, -1));
  await cluster.sim.runFor(5_000);
  for (const client of clients) client.close();
  await cluster.sim.runFor(1_000);
  assert.equal(requestBytes(), 0);
  await cluster.produce(0, 't', 'next');
});
