import assert from 'node:assert/strict';
import test from 'node:test';
import { ProduceRequest, ProduceResponse } from '../../protocol/messages/00-produce.ts';
import { FetchRequest, FetchResponse } from '../../protocol/messages/01-fetch.ts';
import { ApiVersionsRequest, ApiVersionsResponse } from '../../protocol/messages/18-api-versions.ts';
import { DeleteTopicsRequest, DeleteTopicsResponse } from '../../protocol/messages/20-delete-topics.ts';
import { ClusterWorld } from '../testkit/cluster-world.ts';
import { encodeRequest } from '../testkit/raw-client.ts';
import { batchOf, fetchRequest, produceRequest } from '../testkit/requests.ts';
import { METRICS_PORT, scrape } from '../testkit/scrape.ts';

async function start(kafka: Record<string, string | number | boolean> = {}, brokers = 1): Promise<ClusterWorld> {
  return new ClusterWorld({ brokers, kafka: { 'odradek.metrics.port': METRICS_PORT, ...kafka } }).start();
}

type Topics = Partial<ProduceRequest>;

async function produce(world: ClusterWorld, request: Topics, version = 8): Promise<number | undefined> {
  const answer = await world.ask(0, (client) => client.ask(ProduceRequest, ProduceResponse, version, request));
  return answer.responses[0]?.partitionResponses[0]?.errorCode;
}

/** Samples of one family of topics, by topic; '' for all of them together. */
function ofTopics(samples: ReadonlyMap<string, number>, name: string): Record<string, number> {
  const found: Record<string, number> = {};
  const prefix = `kafka_server_brokertopicmetrics_${name}_total`;
  for (const [sample, value] of samples) {
    if (sample === prefix) found[''] = value;
    else if (sample.startsWith(`${prefix}{`)) found[sample.slice(`${prefix}{topic="`.length, -2)] = value;
  }
  return found;
}

test('what comes into topics and goes out of them is counted, by topic and in all', async () => {
  const world = await start();
  await world.createTopic('a', [[0]]);
  await world.createTopic('b', [[0]]);
  const batch = batchOf(['one', 'two', 'three']);
  await produce(world, produceRequest('a', batch));
  await produce(world, produceRequest('b', batchOf(['x'])));
  await produce(world, produceRequest('b', batchOf(['y'])));
  await world.count(0, 'a');
  const samples = await scrape(world);
  const single = batchOf(['x']).length;
  assert.deepEqual(ofTopics(samples, 'messagesin'), { '': 5, a: 3, b: 2 });
  assert.deepEqual(ofTopics(samples, 'bytesin'), { '': batch.length + 2 * single, a: batch.length, b: 2 * single });
  assert.deepEqual(ofTopics(samples, 'totalproducerequests'), { '': 3, a: 1, b: 2 });
  // The reader found three records, then none.
  assert.deepEqual(ofTopics(samples, 'totalfetchrequests'), { '': 2, a: 2 });
  assert.deepEqual(ofTopics(samples, 'bytesout'), { '': batch.length, a: batch.length });
  assert.deepEqual(ofTopics(samples, 'failedproducerequests'), { '': 0 });
});

test('records that are refused are counted by what is wrong with them', async () => {
  const world = await start({ 'message.max.bytes': 1000, 'min.insync.replicas': 2 });
  await world.createTopic('t', [[0]]);
  const damaged = batchOf(['damaged']);
  damaged[damaged.length - 1]! ^= 1;
  assert.equal(await produce(world, produceRequest('t', damaged)), 2);
  const large = batchOf(['x'.repeat(2000)]);
  assert.equal(await produce(world, produceRequest('t', large)), 10);
  const sequenceless = batchOf(['x'], { producerId: 7, producerEpoch: 0, baseSequence: -2 });
  assert.equal(await produce(world, produceRequest('t', sequenceless)), 87);
  const samples = await scrape(world);
  assert.deepEqual(ofTopics(samples, 'invalidmessagecrcrecords'), { '': 1 });
  assert.deepEqual(ofTopics(samples, 'invalidoffsetorsequencerecords'), { '': 1 });
  assert.deepEqual(ofTopics(samples, 'bytesrejected'), { '': large.length, t: large.length });
  assert.deepEqual(ofTopics(samples, 'failedproducerequests'), { '': 1, t: 1 });
  assert.deepEqual(ofTopics(samples, 'messagesin'), { '': 0 });
});

test('requests and the errors of their answers are counted', async () => {
  const world = await start();
  await world.createTopic('t', [[0]]);
  await produce(world, produceRequest('t', batchOf(['x'])), 8);
  await produce(world, produceRequest('nowhere', batchOf(['x'])), 9);
  await world.ask(0, (client) => client.ask(FetchRequest, FetchResponse, 11, fetchRequest('t', 0)));
  await world.ask(0, (client) => client.ask(FetchRequest, FetchResponse, 11, fetchRequest('t', 99)));
  await world.ask(0, (client) => client.ask(ApiVersionsRequest, ApiVersionsResponse, 0, {}));
  const samples = await scrape(world);
  const requests = (name: string, version: number) =>
    samples.get(`kafka_network_requestmetrics_requests_total{request="${name}",version="${version}"}`);
  const errors = (name: string, error: string) =>
    samples.get(`kafka_network_requestmetrics_errors_total{request="${name}",error="${error}"}`);
  assert.deepEqual([requests('Produce', 8), requests('Produce', 9), requests('ApiVersions', 0)], [1, 1, 1]);
  assert.deepEqual(
    [requests('Fetch', 11), requests('FetchConsumer', 11), requests('FetchFollower', 11)],
    [2, 2, undefined],
  );
  assert.deepEqual([errors('Produce', 'NONE'), errors('Produce', 'UNKNOWN_TOPIC_OR_PARTITION')], [1, 1]);
  // Of each answer and of each partition in it.
  assert.deepEqual([errors('Fetch', 'NONE'), errors('Fetch', 'OFFSET_OUT_OF_RANGE')], [3, 1]);
  for (const name of ['totaltimems', 'localtimems', 'remotetimems', 'requestbytes', 'responsesendtimems']) {
    assert.equal(samples.get(`kafka_network_requestmetrics_${name}_count{request="Produce"}`), 2, name);
  }
  assert.ok(samples.get('kafka_network_requestmetrics_requestbytes{request="Produce",quantile="0.999"}')! > 80);
  assert.equal(samples.get('kafka_network_requestmetrics_totaltimems{request="Heartbeat",quantile="0.5"}'), 0);
});

test('a fetch that waits for records has its time as remote time', async () => {
  const world = await start();
  await world.createTopic('t', [[0]]);
  await world.ask(0, (client) =>
    client.ask(FetchRequest, FetchResponse, 11, { ...fetchRequest('t', 0), maxWaitMs: 400 }),
  );
  const samples = await scrape(world);
  const times = (name: string) =>
    samples.get(`kafka_network_requestmetrics_${name}{request="FetchConsumer",quantile="0.5"}`)!;
  assert.ok(times('remotetimems') >= 400 && times('totaltimems') >= 400, `${times('remotetimems')}`);
  assert.ok(times('localtimems') < 100);
});

test('an append without an answer that fails is counted with its error', async () => {
  const world = await start();
  await world.createTopic('t', [[0]]);
  const client = world.connectTo(0);
  void client
    .ask(ProduceRequest, ProduceResponse, 8, produceRequest('nowhere', batchOf(['x']), 0))
    .catch(() => undefined);
  await world.run(client.closed);
  const samples = await scrape(world);
  const error = 'kafka_network_requestmetrics_errors_total{request="Produce",error="UNKNOWN_TOPIC_OR_PARTITION"}';
  assert.equal(samples.get(error), 1);
  assert.equal(samples.get('kafka_network_requestmetrics_requests_total{request="Produce",version="8"}'), 1);
});

test('an append that wants no answer is counted and timed, without an error code', async () => {
  const world = await start();
  await world.createTopic('t', [[0]]);
  const client = world.connectTo(0);
  client.write(encodeRequest(ProduceRequest, 8, produceRequest('t', batchOf(['x']), 0)));
  await world.run(client.ask(ApiVersionsRequest, ApiVersionsResponse, 0, {}));
  const samples = await scrape(world);
  assert.equal(samples.get('kafka_network_requestmetrics_requests_total{request="Produce",version="8"}'), 1);
  assert.equal(samples.get('kafka_network_requestmetrics_errors_total{request="Produce",error="NONE"}'), undefined);
  assert.ok(samples.get('kafka_network_requestmetrics_requestbytes{request="Produce",quantile="0.5"}')! > 80);
});

test('gauges tell of replicas, logs and the controller what is so now', async () => {
  const world = await start();
  await world.createTopic('a', [[0], [0]]);
  await world.produce(0, 'a', 'x');
  const samples = await scrape(world);
  const expected = {
    kafka_server_replicamanager_leadercount: 2,
    kafka_server_replicamanager_partitioncount: 2,
    kafka_server_replicamanager_underminisrpartitioncount: 0,
    kafka_server_replicamanager_atminisrpartitioncount: 2,
    kafka_controller_kafkacontroller_activecontrollercount: 1,
    kafka_controller_kafkacontroller_globaltopiccount: 1,
    kafka_controller_kafkacontroller_globalpartitioncount: 2,
    kafka_controller_kafkacontroller_offlinepartitionscount: 0,
    kafka_controller_kafkacontroller_activebrokercount: 1,
    kafka_server_kafkaserver_brokerstate: 3,
    'kafka_server_sessionexpirelistener_sessionstate{state="CONNECTED"}': 1,
    kafka_log_logmanager_offlinelogdirectorycount: 0,
    'kafka_log_log_logendoffset{topic="a",partition="0"}': 1,
    'kafka_log_log_logendoffset{topic="a",partition="1"}': 0,
    'kafka_log_log_size{topic="a",partition="0"}': batchOf(['x']).length,
    'kafka_log_log_numlogsegments{topic="a",partition="0"}': 1,
    'kafka_cluster_partition_insyncreplicascount{topic="a",partition="1"}': 1,
    kafka_coordinator_group_groupmetadatamanager_numgroups: 0,
    kafka_server_fetchsessioncache_numincrementalfetchsessions: 0,
    process_open_fds: 20,
  };
  const found = Object.fromEntries(Object.keys(expected).map((name) => [name, samples.get(name)]));
  assert.deepEqual(found, expected);
  assert.ok(samples.get('kafka_controller_controllerstats_topicchangerateandtimems_count')! >= 1);
});

test('a controller counts partitions without a leader; one that does not reign knows of none', async () => {
  const world = await start({ 'auto.leader.rebalance.enable': false }, 2);
  await world.createTopic('a', [[1]]);
  const reigning = await world.controller();
  const other = 1 - reigning;
  const offline = 'kafka_controller_kafkacontroller_offlinepartitionscount';
  assert.equal((await scrape(world, other)).get('kafka_controller_kafkacontroller_globaltopiccount'), 0);
  assert.equal((await scrape(world, reigning)).get(offline), 0);
  assert.equal(reigning, 0);
  await world.broker(1).crash('process');
  await world.until('the partition is offline', async () => (await scrape(world)).get(offline) === 1);
});

test('a deleted topic is forgotten, what it brought to the whole is not', async () => {
  const world = await start();
  await world.createTopic('a', [[0]]);
  await world.produce(0, 'a', 'x');
  await world.ask(0, (client) =>
    client.ask(DeleteTopicsRequest, DeleteTopicsResponse, 4, { topicNames: ['a'], timeoutMs: 5000 }),
  );
  await world.until('the log is gone', async () => !(await world.exists('/kafka/brokers/topics/a')));
  const samples = await scrape(world);
  assert.deepEqual(
    [...samples.keys()].filter((name) => name.includes('"a"')),
    [],
  );
  assert.deepEqual(ofTopics(samples, 'messagesin'), { '': 1 });
});

test('without a port nothing is served, and a port that is taken is a warning', async () => {
  const silent = await new ClusterWorld().start();
  assert.equal(silent.broker(0).server?.metricsAddress, undefined);
  const { host } = silent.broker(0).machine;
  const taken = await new ClusterWorld({
    kafka: { 'odradek.metrics.port': 9092, 'odradek.metrics.host': host },
  }).start();
  assert.equal(taken.broker(0).server?.metricsAddress, undefined);
  assert.ok(taken.logLines.some((line) => line.includes('Cannot start /metrics server')));
  await taken.createTopic('t', [[0]]);
});

/** Looks at the broker's clock while so many appends of one connection are answered. */
async function looksOf(world: ClusterWorld, requests: number): Promise<number> {
  const { clock } = world.broker(0).machine.runtime;
  const read = clock.monotonicMs;
  let looks = 0;
  clock.monotonicMs = () => {
    looks += 1;
    return read.call(clock);
  };
  const client = world.connectTo(0);
  const frame = encodeRequest(ProduceRequest, 8, produceRequest('t', batchOf(['x']), 1));
  client.write(Buffer.concat(new Array<Uint8Array>(requests).fill(frame)));
  for (let index = 0; index < requests; index += 1) await world.run(client.nextFrame());
  client.close();
  clock.monotonicMs = read;
  return looks;
}

test('nobody looks at the clock for a request while no metrics are served', async () => {
  const [silent, served] = [await new ClusterWorld().start(), await start()];
  for (const world of [silent, served]) await world.createTopic('t', [[0]]);
  const looks = await looksOf(silent, 1000);
  assert.ok(looks < 50, `${looks} for 1000 requests`);
  // Whoever times them is seen.
  assert.ok((await looksOf(served, 1000)) > 3000);
});

test('quantiles forget what is older than two periods, counts do not', async () => {
  const world = await start();
  await world.createTopic('t', [[0]]);
  await world.produce(0, 't', 'x');
  const bytes = 'kafka_network_requestmetrics_requestbytes{request="Produce",quantile="0.5"}';
  assert.ok((await scrape(world)).get(bytes)! > 0);
  await world.sim.runFor(601_000);
  const later = await scrape(world);
  assert.equal(later.get(bytes), 0);
  assert.equal(later.get('kafka_network_requestmetrics_requestbytes_count{request="Produce"}'), 1);
});
