import assert from 'node:assert/strict';
import test from 'node:test';
import { Metrics, percentile, quantile, Summary } from './metrics.ts';
import { Reservoir } from './reservoir.ts';

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

test('a reservoir is bounded, and every value has the same chance to be in it', () => {
  const size = 64;
  const values = 4096;
  const taken = new Array<number>(8).fill(0);
  for (let seed = 1; seed <= 200; seed += 1) {
    const reservoir = new Reservoir(chanceOf(seed), size);
    for (let value = 0; value < values; value += 1) reservoir.add(value, 1);
    assert.equal(reservoir.values.length, size);
    for (const value of reservoir.values) taken[Math.floor(value / (values / 8))]! += 1;
  }
  // 1600 of 12800 are expected in each eighth; six standard deviations are 225.
  for (const count of taken) assert.ok(Math.abs(count - 1600) < 225, `${taken}`);
});

test('many equal values are taken in one step, with the weight that they have', () => {
  const reservoir = new Reservoir(chanceOf(5), 100);
  reservoir.add(1, 1000);
  reservoir.add(2, 3000);
  const twos = reservoir.values.filter((value) => value === 2).length;
  assert.ok(twos > 55 && twos < 92, `${twos} of 100, expected about 75`);
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
