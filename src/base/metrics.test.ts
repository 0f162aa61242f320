import assert from 'node:assert/strict';
import test from 'node:test';
import { Metrics, percentile, quantile, Summary } from './metrics.ts';

/** A small generator with a seed. */
function chanceOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}

test('a summary knows count, sum, extremes and mean; nothing is zero everywhere', () => {
  const summary = new Summary('basic', undefined);
  assert.deepEqual([summary.count, summary.sum, summary.min, summary.max, summary.avg], [0, 0, 0, 0, 0]);
  summary.add(3);
  summary.add(8, 2);
  assert.deepEqual([summary.count, summary.sum, summary.min, summary.max], [3, 19, 3, 8]);
  assert.equal(summary.avg, 19 / 3);
  summary.reset();
  assert.deepEqual([summary.count, summary.sum, summary.min, summary.max], [0, 0, 0, 0]);
});

test('only a summary that was given chance keeps a sample', () => {
  const basic = new Summary('basic', undefined);
  const advanced = new Summary('advanced', chanceOf(1));
  for (const summary of [basic, advanced]) for (const value of [5, 1, 3]) summary.add(value);
  assert.deepEqual(basic.sorted(), []);
  assert.deepEqual(advanced.sorted(), [1, 3, 5]);
});

test('percentiles lie between two values as Dropwizard places them, quantiles are values that were seen', () => {
  const sorted = [10, 20, 30, 40];
  assert.equal(percentile(sorted, 0.5), 25);
  assert.equal(percentile(sorted, 0.95), 40);
  assert.equal(percentile(sorted, 0.1), 10);
  assert.equal(percentile([], 0.5), 0);
  assert.equal(quantile(sorted, 0.5), 20);
  assert.equal(quantile(sorted, 0.99), 40);
  assert.ok(Number.isNaN(quantile([], 0.5)));
});

test('a sample stands for the period that runs and the one before', () => {
  const summary = new Summary('advanced', chanceOf(1));
  summary.add(1);
  summary.beginPeriod();
  summary.add(2);
  assert.deepEqual(summary.sorted(), [1, 2]);
  summary.beginPeriod();
  assert.deepEqual(summary.sorted(), [2]);
  summary.beginPeriod();
  assert.deepEqual(summary.sorted(), []);
  assert.equal(summary.count, 2);
});

test('a reset sets back what is counted, seen counters and keyed sets too, but no gauge', () => {
  const metrics = new Metrics({ chance: chanceOf(1) });
  let elsewhere = 7;
  const counter = metrics.counter('a');
  const view = metrics.counterView('b', () => elsewhere);
  const gauge = metrics.gauge('c', () => elsewhere);
  const set = metrics.counterSet('d');
  const summaries = metrics.summarySet('e');
  counter.add(2);
  set.of('x').add();
  summaries.of('x').add(4);
  metrics.reset();
  elsewhere += 1;
  assert.deepEqual([counter.value, view.value, gauge.value, set.of('x').value], [0, 1, 8, 0]);
  assert.equal(summaries.of('x').count, 0);
  assert.deepEqual(
    [...metrics].map(([name, { kind }]) => `${name} ${kind}`),
    ['a counter', 'b counter', 'c gauge', 'd counter-set', 'e summary-set'],
  );
});
