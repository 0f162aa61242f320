import assert from 'node:assert/strict';
import test from 'node:test';
import { durationMs } from './iso-duration.ts';

test('durations are read as Java reads them', () => {
  assert.equal(durationMs('PT1H'), 3_600_000);
  assert.equal(durationMs('P1DT2H3M4.5S'), 93_784_500);
  assert.equal(durationMs('pt0.001s'), 1);
  for (const text of ['', 'P', 'PT', 'P1DT', '1h', 'PT-1S', 'P1Y']) assert.equal(durationMs(text), undefined, text);
});
