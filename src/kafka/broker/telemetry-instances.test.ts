import assert from 'node:assert/strict';
import test from 'node:test';
import { Simulation } from '../../testing/index.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { PUSH_INTERVAL_MS } from './telemetry.ts';
import { TelemetryInstances } from './telemetry-instances.ts';

function newWorld() {
  const sim = new Simulation({ seed: 1 });
  const instances = new TelemetryInstances(sim.machine('broker').runtime.clock);
  return {
    instances,
    wait: (milliseconds: number) => sim.runFor(milliseconds),
    asks: (id = 'a', connection = 'c') => instances.heardOf(id, connection).asks(instances.nowMs),
    pushes: (id = 'a', connection = 'c') => instances.heardOf(id, connection).pushes(instances.nowMs),
  };
}

test('a client asks once in an interval, pushes after it asked, and from then on once in an interval', async () => {
  const { wait, asks, pushes } = newWorld();
  assert.deepEqual([asks(), asks()], [true, false]);
  await wait(1);
  assert.deepEqual([pushes(), pushes(), asks()], [true, false, false]);
  await wait(PUSH_INTERVAL_MS - 1);
  assert.deepEqual([pushes(), asks()], [false, false]);
  await wait(1);
  assert.deepEqual([pushes(), pushes(), asks()], [true, false, false]);
  await wait(PUSH_INTERVAL_MS);
  assert.deepEqual([asks(), asks()], [true, false]);
});

test('who pushed for a subscription that is no more asks at once', () => {
  const { instances, asks, pushes } = newWorld();
  assert.deepEqual([asks(), pushes()], [true, true]);
  instances.heardOf('a', 'c').lastError = ErrorCode.TELEMETRY_TOO_LARGE;
  assert.equal(asks(), false);
  for (const error of [ErrorCode.UNKNOWN_SUBSCRIPTION_ID, ErrorCode.UNSUPPORTED_COMPRESSION_TYPE]) {
    instances.heardOf('a', 'c').lastError = error;
    assert.equal(asks(), true);
  }
});

test('a client is forgotten with the connection that brought it, and after three intervals of silence', async () => {
  const { instances, wait, asks } = newWorld();
  assert.deepEqual([asks('a', 'first'), asks('b', 'first'), asks('a', 'second')], [true, true, false]);
  instances.connectionClosed('second');
  assert.equal(asks('a', 'second'), false);
  instances.connectionClosed('first');
  assert.deepEqual([asks('a', 'second'), asks('b', 'second')], [false, true], 'a connection has one client');
  const before = instances.heardOf('a', 'second');
  await wait(3 * PUSH_INTERVAL_MS - 1);
  assert.equal(instances.heardOf('a', 'second'), before);
  await wait(3 * PUSH_INTERVAL_MS);
  assert.notEqual(instances.heardOf('a', 'second'), before);
});

test('of too many clients the one that was silent longest is forgotten', () => {
  const { asks } = newWorld();
  for (let index = 0; index < 16_384; index += 1) assert.equal(asks(`${index}`, `${index}`), true);
  assert.equal(asks('0'), false);
  assert.equal(asks('one more'), true);
  assert.deepEqual([asks('0'), asks('1')], [false, true]);
});
