/** `/metrics` beside that of Apache's PrometheusMetricsProvider: the same names, types, labels and figures. */
import assert from 'node:assert/strict';
import { type RequestOptions, request } from 'node:http';
import { type TestContext, test } from 'node:test';
import { liveThrough, type Side, startBoth } from './operator/both-servers.ts';

const keys = {
  'metricsProvider.className': 'org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider',
  'metricsProvider.httpHost': '127.0.0.1',
  enforceQuota: true,
};

async function start(t: TestContext): Promise<readonly [Side, Side]> {
  const { apache, ours } = await startBoth({ keys, portKey: 'metricsProvider.httpPort' });
  t.after(() => Promise.all([apache.close(), ours.close()]));
  return [apache, ours];
}

async function metrics(side: Side, query = ''): Promise<string[]> {
  const response = await fetch(`http://127.0.0.1:${side.httpPort}/metrics${query}`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  return (await response.text()).trimEnd().split('\n');
}

/** Only a JVM has threads, pools and classes to tell of. */
const isOfJvm = (line: string): boolean => /^(# (HELP|TYPE) )?jvm_(?!pause)/.test(line);

test('names, types, labels and quantiles are those of Apache’s provider', async (t) => {
  const sides = await start(t);
  const [theirs, mine] = await Promise.all(
    sides.map(async (side) => {
      await liveThrough(await side.client());
      const lines = (await metrics(side)).filter((line) => !isOfJvm(line));
      // The words of help for process_… are the client library's own.
      return lines
        .map((line) => (line.startsWith('# HELP process_') ? '# HELP process' : line.replace(/ \S+$/, '')))
        .sort();
    }),
  );
  assert.deepEqual(mine, theirs);
});

test('figures that do not depend on time are Apache’s, as text', async (t) => {
  const sides = await start(t);
  const [theirs, mine] = await Promise.all(
    sides.map(async (side) => {
      await liveThrough(await side.client());
      const counted =
        /^(znode_count|watch_count|response_bytes|watch_bytes|node_\w+_watch_count|\w+_per_namespace|quota)/;
      // Apache's quantiles are off by up to five percent of the ranks.
      return (await metrics(side)).filter((line) => counted.test(line) && !line.includes('quantile')).sort();
    }),
  );
  assert.deepEqual(mine, theirs);
  const [a, b] = await Promise.all(sides.map((side) => metrics(side, '?name[]=znode_count&name[]=readlatency_count')));
  const withoutValue = (lines: readonly string[] = []): string[] =>
    lines.map((line) => line.replace(/ [\d.]+$/, '')).sort();
  assert.deepEqual(withoutValue(b), withoutValue(a));
});

test('mntr shows the provider’s own names', async (t) => {
  const sides = await start(t);
  const [theirs, mine] = await Promise.all(
    sides.map(async (side) => {
      await liveThrough(await side.client());
      const keys = (await side.ask('mntr'))
        .trimEnd()
        .split('\n')
        .map((line) => line.split('\t')[0] as string);
      return keys.filter((key) => !/^zk_jvm_(?!pause)/.test(key)).sort();
    }),
  );
  assert.deepEqual(mine, theirs);
});

/** As it is written: `fetch` would mend the path. */
function headOf(asked: RequestOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const asking = request(asked, (response) => {
      response.resume();
      const { 'content-type': type, allow } = response.headers;
      resolve(`${response.statusCode} ${type} ${allow}`);
    });
    asking.on('error', reject).end();
  });
}

test('methods, and paths that are not /metrics, have Apache’s status', async (t) => {
  const [apache, ours] = await start(t);
  const paths = [
    '/metrics',
    '/metrics;x=y',
    '/metrics/x',
    '/metricsx',
    '/',
    '/x/../metrics',
    '/%zz',
    '/%2e%2e/metrics',
  ];
  const answers = async ({ httpPort }: Side): Promise<string[]> => {
    const seen: string[] = [];
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      for (const path of paths) {
        seen.push(
          `${method} ${path} ${await headOf({ host: '127.0.0.1', port: httpPort, path, method, agent: false })}`,
        );
      }
    }
    return seen;
  };
  assert.deepEqual(await answers(ours), await answers(apache));
});
