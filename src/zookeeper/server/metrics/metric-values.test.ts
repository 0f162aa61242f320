import assert from 'node:assert/strict';
import test from 'node:test';
import { javaDouble } from '../../../base/java-double.ts';
import { Metrics } from '../../../base/metrics.ts';
import { metricValues } from './metric-values.ts';
import { NamespaceBytes, namespaceOf } from './namespaces.ts';

const doubles: readonly [number, string][] = [
  [0, '0.0'],
  [1.5, '1.5'],
  [-1, '-1.0'],
  [0.001, '0.001'],
  [0.0001, '1.0E-4'],
  [9_999_999, '9999999.0'],
  [1e7, '1.0E7'],
  [44_253_008, '4.4253008E7'],
  [1.795828333969e9, '1.795828333969E9'],
  [Number.NaN, 'NaN'],
];
for (const [value, text] of doubles) {
  test(`Java prints ${value} as ${text}`, () => assert.equal(javaDouble(value), text));
}

test('values are named as the default provider of Apache names them', () => {
  const metrics = new Metrics({ chance: () => 0.5 });
  metrics.summary('readlatency', 'advanced').add(3);
  metrics.summarySet('read_per_namespace').of('app').add(7, 2);
  metrics.counterSet('errors').of('app').add();
  metrics.gauge('avg_latency', () => 2);
  metrics.gaugeSet('limit', () => new Map([['app', 9]]));
  assert.deepEqual(
    [...metricValues(metrics)].map(([key, value]) => `${key} ${value}`),
    [
      'avg_latency 2.0',
      'app_limit 9',
      'app_errors 1',
      'avg_readlatency 3.0',
      'min_readlatency 3',
      'max_readlatency 3',
      'cnt_readlatency 1',
      'sum_readlatency 3',
      'p50_readlatency 3',
      'p95_readlatency 3',
      'p99_readlatency 3',
      'p999_readlatency 3',
      'avg_app_read_per_namespace 7.0',
      'min_app_read_per_namespace 7',
      'max_app_read_per_namespace 7',
      'cnt_app_read_per_namespace 2',
      'sum_app_read_per_namespace 14',
    ],
  );
});

test('bytes go to the first name of a path, also where one name begins with another', () => {
  const summaries = new Metrics({ chance: () => 0.5 }).summarySet('x');
  const bytes = new NamespaceBytes(summaries);
  for (const path of ['/', '/app', '/app/a', '/apple', '/app', '/apple/b', '']) bytes.add(path, 1);
  assert.deepEqual(
    [...summaries.summaries].map(([key, { count }]) => [key, count]),
    [
      ['app', 3],
      ['apple', 2],
    ],
  );
  assert.equal(namespaceOf('/a/b/c'), 'a');
  assert.equal(namespaceOf('/'), undefined);
});
