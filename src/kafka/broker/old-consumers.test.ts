/** What a fetch of an old client costs the others. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { noSlices } from '../../base/slices.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { ProduceRequest, ProduceResponse } from '../protocol/messages/00-produce.ts';
import { FetchRequest, FetchResponse } from '../protocol/messages/01-fetch.ts';
import { ApiVersionsRequest, ApiVersionsResponse } from '../protocol/messages/18-api-versions.ts';
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
  const records = answer.responses[0]?.partitions[0]?.records ?? noSlices;
  assert.deepEqual(
    [...allRecordsOf(records)].map(({ offset }) => offset),
    VALUES.map((_, index) => index),
  );
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
