import assert from 'node:assert/strict';
import test from 'node:test';
import { Metrics } from '../../../base/metrics.ts';
import { exposition, familiesOf } from '../../../observability/exposition.ts';
import { askHttp } from '../testkit/http-client.ts';
import { create, getData } from '../testkit/requests.ts';
import { ServerWorld } from '../testkit/server-world.ts';

const provider = 'org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider';

test('the text format is that of the Java client', () => {
  const metrics = new Metrics({ chance: () => 0.5, samplesAll: true });
  metrics.counter('a').add(2);
  const latency = metrics.summary('b', 'advanced');
  for (let value = 1; value <= 100; value += 1) latency.add(value);
  metrics.summarySet('c').of('x"y').add(5);
  metrics.counterSet('d');
  metrics.summary('e');
  assert.equal(
    [...exposition(familiesOf(metrics))].join(''),
    [
      ...['# HELP a a', '# TYPE a counter', 'a 2.0'],
      ...['# HELP b b', '# TYPE b summary'],
      ...['b{quantile="0.5",} 50.0', 'b{quantile="0.9",} 90.0', 'b{quantile="0.99",} 99.0'],
      ...['b_count 100.0', 'b_sum 5050.0'],
      ...['# HELP c c', '# TYPE c summary', 'c{key="x\\"y",quantile="0.5",} 5.0'],
      ...['c_count{key="x\\"y",} 1.0', 'c_sum{key="x\\"y",} 5.0'],
      ...['# HELP d d', '# TYPE d counter'],
      ...['# HELP e e', '# TYPE e summary', 'e{quantile="0.5",} NaN', 'e_count 0.0', 'e_sum 0.0', ''],
    ].join('\n'),
  );
});

async function start(more: Record<string, string | number | boolean> = {}): Promise<ServerWorld> {
  return ServerWorld.start({ config: { 'metricsProvider.className': provider, ...more } });
}

async function metricsOf(world: ServerWorld, path = '/metrics', port = 7000): Promise<string> {
  const answer = await askHttp(world.sim, world.clients.runtime, { host: world.machine.host, port }, path);
  assert.equal(answer.status, path.startsWith('/metrics') ? 200 : 404);
  return answer.body.toString();
}

test('/metrics tells what happened, all of it or the names that are asked for', async () => {
  const world = await start();
  const client = await world.open();
  client.sendTogether([create('/app', 'abc'), getData('/app'), getData('/app')]);
  await world.until(() => client.heard.length === 3);
  const text = await metricsOf(world);
  assert.match(text, /\nread_per_namespace_count\{key="app",\} 2\.0\n/);
  assert.match(text, /\nreadlatency_count 2\.0\n/);
  assert.match(text, /\nupdatelatency_count 2\.0\n/, 'a session that comes to be is a write too');
  assert.match(text, /\nsync_processor_queue_and_flush_time_ms_count 2\.0\n/);
  assert.match(text, /\nprocess_open_fds 20\.0\n/);
  assert.equal(
    await metricsOf(world, '/metrics?name[]=znode_count'),
    '# HELP znode_count znode_count\n# TYPE znode_count gauge\nznode_count 6.0\n',
  );
  await metricsOf(world, '/other');
});

test('metricsProvider.httpPort and exportJvmInfo are honoured; a taken port is a warning', async () => {
  const world = await start({ 'metricsProvider.httpPort': 7001, 'metricsProvider.exportJvmInfo': false });
  assert.doesNotMatch(await metricsOf(world, '/metrics', 7001), /^process_/m);
  const taken = await start({ 'metricsProvider.httpPort': 2181 });
  assert.equal(taken.server.metricsAddress, undefined);
  assert.ok(taken.logged.some((line) => line.includes('Cannot start /metrics server')));
  assert.notEqual((await taken.open()).session, undefined);
});

test('quantiles forget what is older than two periods, counts do not', async () => {
  const world = await start();
  const client = await world.open({ timeOut: 20_000 });
  client.sendTogether([create('/app', 'abc')]);
  await world.until(() => client.heard.length === 1);
  assert.doesNotMatch(await metricsOf(world), /\nupdatelatency\{quantile="0.5",\} NaN\n/);
  await world.sim.runFor(601_000);
  const text = await metricsOf(world);
  assert.match(text, /\nupdatelatency\{quantile="0.5",\} NaN\n/);
  assert.match(text, /\nupdatelatency_count 2\.0\n/);
});

test('srst leaves the counters of Prometheus alone, and the null provider shows nothing', async () => {
  const world = await start();
  await world.open();
  world.server.view.resetStats();
  assert.match(await metricsOf(world), /\nconnection_request_count 1\.0\n/);
  const silent = await ServerWorld.start({
    config: { 'metricsProvider.className': 'org.apache.zookeeper.metrics.impl.NullMetricsProvider' },
  });
  const client = await silent.connect();
  client.word('mntr');
  await silent.until(() => client.isClosed);
  assert.match(client.text, /^zk_version\t.*\nzk_server_state\tstandalone\n$/);
});

test('an unknown provider is refused', async () => {
  await assert.rejects(
    ServerWorld.start({ config: { 'metricsProvider.className': 'com.example.Mine' } }),
    /metricsProvider\.className=com\.example\.Mine is refused: choose one of org\.apache/,
  );
});
