import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { throttleTimeMs, toInt, UNLIMITED } from './throttle-time.ts';
import { TokenBucket } from './token-bucket.ts';
import { WindowedRate } from './windowed-rate.ts';

const tenSeconds = { samples: 11, windowMs: 1000 };

test('the first value is divided by all windows but one', () => {
  const rate = new WindowedRate(tenSeconds);
  rate.record(100_000, 5000);
  assert.equal(rate.measure(5000), 10_000);
  assert.equal(throttleTimeMs(rate, 1000, 5000), 90_000);
  assert.equal(throttleTimeMs(rate, 10_000, 5000), 0);
});

test('a part of the window that passed counts, until there are windows enough', () => {
  const rate = new WindowedRate(tenSeconds);
  rate.record(100, 0);
  assert.equal(rate.spanMs(0), 10_000);
  assert.equal(rate.spanMs(700), 10_700);
  assert.equal(rate.spanMs(1700), 10_700);
  assert.equal(rate.spanMs(10_700), 10_700);
});

test('a sample is forgotten when its last value is as old as all windows', () => {
  const rate = new WindowedRate(tenSeconds);
  rate.record(100, 0);
  rate.record(100, 900);
  assert.equal(rate.measure(11_899) > 0, true);
  assert.equal(rate.measure(11_900), 0);
});

test('a sample that is only partly in view counts as a whole, beside all windows', () => {
  const rate = new WindowedRate(tenSeconds);
  for (const atMs of [0, 999]) rate.record(1, atMs);
  for (let atMs = 1000; atMs <= 11_000; atMs += 1000) rate.record(1, atMs);
  assert.equal(rate.spanMs(11_000), 11_000);
  assert.equal(Math.round(rate.measure(11_000) * 11), 13);
});

test('what is taken back was never there', () => {
  const rate = new WindowedRate(tenSeconds);
  rate.record(5000, 100);
  rate.record(-5000, 100);
  assert.equal(rate.measure(100), 0);
});

test('one window alone is at least a millisecond long', () => {
  const rate = new WindowedRate({ samples: 1, windowMs: 1000 });
  rate.record(7, 42);
  assert.equal(rate.measure(42), 7000);
});

/** By the definition: a list of all windows ever, of which those that are not in view are left out. */
function naiveSum(values: readonly (readonly [atMs: number, value: number])[], nowMs: number): number {
  const windows: { startMs: number; lastMs: number; sum: number }[] = [];
  for (const [atMs, value] of values) {
    let last = windows.at(-1);
    if (last === undefined || atMs - last.startMs >= 1000) {
      last = { startMs: atMs, lastMs: atMs, sum: 0 };
      windows.push(last);
    }
    last.sum += value;
    last.lastMs = atMs;
  }
  return windows.filter(({ lastMs }) => nowMs - lastMs < 11_000).reduce((sum, window) => sum + window.sum, 0);
}

test('the ring of samples gives what a list of all windows gives', () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 2500 }), fc.integer({ min: 1, max: 1000 })), {
    minLength: 1,
  });
  fc.assert(
    fc.property(steps, fc.integer({ min: 0, max: 15_000 }), (given, laterMs) => {
      const rate = new WindowedRate(tenSeconds);
      let nowMs = 0;
      const values: [number, number][] = [];
      for (const [stepMs, value] of given) {
        nowMs += stepMs;
        values.push([nowMs, value]);
        rate.record(value, nowMs);
      }
      const seenMs = nowMs + laterMs;
      const sum = (rate.measure(seenMs) * rate.spanMs(seenMs)) / 1000;
      assert.ok(Math.abs(sum - naiveSum(values, seenMs)) < 1e-6);
    }),
  );
});

test('whoever waits as long as he was told is within the bound then', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: 1, max: 1_000_000 }), (bytes, bound) => {
      const rate = new WindowedRate({ samples: 1_000_000, windowMs: 1000 });
      rate.record(bytes, 0);
      const throttleMs = throttleTimeMs(rate, bound, 0);
      assert.ok(bytes / ((rate.spanMs(0) + throttleMs + 1) / 1000) <= bound);
    }),
  );
});

test('times beyond an int are cut as Scala cuts them; a bound of 0 throttles nobody', () => {
  assert.equal(toInt(5), 5);
  assert.equal(toInt(2 ** 31), -(2 ** 31));
  assert.equal(toInt(2 ** 32 + 7), 7);
  assert.equal(toInt(Infinity), -1);
  const rate = new WindowedRate(tenSeconds);
  rate.record(1, 0);
  assert.equal(throttleTimeMs(rate, 0, 0), -1);
  assert.equal(throttleTimeMs(rate, 0, 0, 1000), 1000, 'but a bounded time is the bound');
  assert.equal(throttleTimeMs(rate, UNLIMITED, 0), 0);
});

test('a bucket is full at first, may be overdrawn once, and fills with time up to its size', () => {
  const bucket = new TokenBucket(tenSeconds);
  assert.equal(bucket.measure(5, 100), 55);
  bucket.record(100, 5, 100);
  assert.equal(bucket.measure(5, 100), -45);
  assert.equal(bucket.measure(5, 9100), 0);
  assert.equal(bucket.measure(5, 1_000_000), 55);
  assert.equal(bucket.measure(2, 1_000_000), 22, 'a smaller bound makes it smaller at once');
});
