/** What a fetch of an old client costs the others. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { noSlices } from '../../base/slices.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { ProduceRequest, ProduceResponse } from '../protocol/messages/00-produce.ts';
import { FetchRequest, FetchResponse } from '../protocol/messages/01-fetch.ts';
import { ApiVersionsRequest, ApiVersionsResponse } from '../protocol/messages/18-api-versions.ts';
import { DeleteTopicsRequest, DeleteTopicsResponse } from '../protocol/messages/20-delete-topics.ts';
import { allRecordsOf } from '../records/iterate.ts';
import { ClusterWorld } from './testkit/cluster-world.ts';
import { batchOf, fetchRequest, produceRequest } from './testkit/requests.ts';

const VALUES = Array.from({ length: 4000 }, () => 'v'.repeat(1000));

async function world(): Promise<ClusterWorld> {
  const cluster = await new ClusterWorld().start();
  await cluster.createTopic('t', [[0]]);
  const request = produceRequest('t', batchOf(VALUES, { codec: 'gzip' }));
  const answer = await cluster.ask(0, (client) => client.ask(ProduceRequest, ProduceResponse, 8, request));
  assert.equal(answer.responses[0]?.partitionResponses[0]?.errorCode, ErrorCode.NONE);
  return cluster;
}

function checkAll({ responses }: FetchResponse): void {
  const records = responses[0]?.partitions[0]?.records ?? noSlices;
  assert.deepEqual(
    [...allRecordsOf(records)].map(({ offset }) => offset),
    VALUES.map((_, index) => index),
  );
}

test('while records are converted for an old client others are served, and it gets them all', async () => {
  const cluster = await world();
  const [old, other] = [cluster.connectTo(0), cluster.connectTo(0)];
  await cluster.run(Promise.all([old, other].map((one) => one.ask(ApiVersionsRequest, ApiVersionsResponse, 2, {}))));
  const order: string[] = [];
  const fetched = old.ask(FetchRequest, FetchResponse, 3, fetchRequest('t', 0));
  void fetched.then(() => order.push('the fetch'));
  const asked = other.ask(ApiVersionsRequest, ApiVersionsResponse, 2, {});
  void asked.then(() => order.push('the other'));
  const [answer] = await cluster.run(Promise.all([fetched, asked]));
  assert.deepEqual(order, ['the other', 'the fetch']);
  checkAll(answer);
});

test('a conversion that is lost is done anew, and the broker tells of it', async () => {
  const cluster = await world();
  cluster.broker(0).machine.loseTasks(1);
  for (const losses of [1, 1]) {
    checkAll(await cluster.ask(0, (old) => old.ask(FetchRequest, FetchResponse, 3, fetchRequest('t', 0))));
    const told = cluster.logLines.filter((line) => line.includes('a conversion for an old client was lost'));
    assert.equal(told.length, losses);
  }
  assert.deepEqual(cluster.failures, []);
});

test('answers of one connection keep their order, whichever conversion is ready first', async () => {
  const cluster = await world();
  for (let index = 0; index < 8; index += 1) await cluster.produce(0, 't', 'small');
  const old = cluster.connectTo(0);
  const order: number[] = [];
  const asked = Array.from({ length: 8 }, async (_, index) => {
    // Large and small ones in turn.
    const offset = VALUES.length * (index % 2) + index;
    const answer = await old.ask(FetchRequest, FetchResponse, 3, fetchRequest('t', offset, { maxBytes: 200_000 }));
    order.push(index);
    assert.equal(answer.responses[0]?.partitions[0]?.errorCode, ErrorCode.NONE);
  });
  await cluster.run(Promise.all(asked));
  assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7]);
});

test('a topic that goes while its records are converted is still answered as it was read', async () => {
  const cluster = await world();
  const [old, admin] = [cluster.connectTo(0), cluster.connectTo(0)];
  const deletion = { topicNames: ['t'], timeoutMs: 5000 };
  const [answer] = await cluster.run(
    Promise.all([
      old.ask(FetchRequest, FetchResponse, 3, fetchRequest('t', 0)),
      admin.ask(DeleteTopicsRequest, DeleteTopicsResponse, 3, deletion),
    ]),
  );
  checkAll(answer);
});

test('a broker that stops while it converts has stopped', async () => {
  const cluster = await world();
  const old = cluster.connectTo(0);
  void old.ask(FetchRequest, FetchResponse, 3, fetchRequest('t', 0)).catch(() => undefined);
  await cluster.sim.runUntil(() => old.unsentBytes === 0, 1000);
  const { server, machine } = cluster.broker(0);
  assert.ok(server);
  assert.equal(machine.openComputeCount, 1);
  await cluster.run(server.close());
  assert.equal(machine.openComputeCount, 0, 'its helpers have ended');
  await cluster.sim.runFor(1000);
  assert.deepEqual(cluster.failures, []);
});

test('an old client that goes while its records are converted takes nothing with it', async () => {
  const cluster = await world();
  const old = cluster.connectTo(0);
  void old.ask(FetchRequest, FetchResponse, 3, fetchRequest('t', 0)).catch(() => undefined);
  await cluster.sim.runUntil(() => old.unsentBytes === 0, 1000);
  old.close();
  await cluster.sim.runFor(1000);
  assert.deepEqual(cluster.failures, []);
  assert.equal(cluster.broker(0).server?.networkLoad.connectionCount, 0);
  assert.equal(await cluster.count(0, 't'), VALUES.length);
});
