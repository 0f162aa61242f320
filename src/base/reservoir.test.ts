import assert from 'node:assert/strict';
import test from 'node:test';
import { Reservoir, SampleDraw } from './reservoir.ts';

/** A small generator with a seed. */
function chanceOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}

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

test('one by one the same values are drawn as many at once', () => {
  const reservoir = new Reservoir(chanceOf(3), 10);
  const draw = new SampleDraw(chanceOf(3), 10);
  const drawn: number[] = [];
  for (let value = 0; value < 1000; value += 1) {
    reservoir.add(value, 1);
    const place = draw.next();
    if (place >= 0) drawn[place] = value;
  }
  assert.deepEqual(drawn, reservoir.values);
});
