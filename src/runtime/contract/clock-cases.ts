import assert from 'node:assert/strict';
import { below, fraction, randomUuid } from '../random.ts';
import { type ContractCase, type ContractWorld, pass } from './contract.ts';
import { connected } from './network-cases.ts';

export const clockCases: readonly ContractCase[] = [
  {
    name: 'timers fire in the order of their deadlines, and equal ones in the order of asking',
    run: async (world) => {
      const { clock } = world.runtime;
      const fired: string[] = [];
      const done = new Promise<void>((resolve) => {
        clock.after(12, () => {
          fired.push('late');
          resolve();
        });
        clock.after(4, () => fired.push('early'));
        clock.after(4, () => fired.push('early too'));
      });
      await world.complete(done);
      assert.deepEqual(fired, ['early', 'early too', 'late']);
    },
  },
  {
    name: 'a timer never fires before its deadline',
    run: async (world) => {
      const { clock } = world.runtime;
      for (const delayMs of [0, 0.3, 1, 1.7, 3.2]) {
        const startMs = clock.monotonicMs();
        const firedMs = await world.complete(
          new Promise<number>((resolve) => void clock.after(delayMs, () => resolve(clock.monotonicMs()))),
        );
        assert.ok(firedMs - startMs >= delayMs, `${firedMs - startMs} of ${delayMs} ms`);
      }
    },
  },
  {
    name: 'a cancelled timer does not fire, and cancelling it again does nothing',
    run: async (world) => {
      let fired = false;
      const timer = world.runtime.clock.after(2, () => {
        fired = true;
      });
      timer.cancel();
      timer.cancel();
      await pass(world, 6);
      assert.equal(fired, false);
    },
  },
  {
    name: 'a deadline of years does not fire at once',
    run: async (world) => {
      let fired = false;
      const timer = world.runtime.clock.after(2 ** 40, () => {
        fired = true;
      });
      await pass(world, 5);
      timer.cancel();
      assert.equal(fired, false);
    },
  },
  {
    name: 'soon calls in the order of asking, never before the caller returns',
    run: async (world) => {
      const { clock } = world.runtime;
      const called: number[] = [];
      const done = new Promise<void>((resolve) => {
        for (let index = 0; index < 3; index += 1) clock.soon(() => called.push(index));
        clock.soon(resolve);
      });
      assert.deepEqual(called, []);
      await world.complete(done);
      assert.deepEqual(called, [0, 1, 2]);
    },
  },
  { name: 'afterPoll lets input be served that was waiting when it was called', run: afterPollServesWaitingInput },
  {
    name: 'wall time is in whole milliseconds, and its text has the fields of the date',
    run: async (world) => {
      const { clock } = world.runtime;
      assert.ok(Number.isSafeInteger(clock.wallMs()));
      assert.match(clock.localTime(clock.wallMs()), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}$/);
    },
  },
  {
    name: 'random numbers fill their range and nothing beyond',
    run: async ({ runtime: { random } }) => {
      const counts = new Array(5).fill(0);
      for (let index = 0; index < 5000; index += 1) counts[below(random, 5)] += 1;
      for (const count of counts) assert.ok(count > 800 && count < 1200, counts.join(' '));
      let [least, most] = [1, 0];
      for (let index = 0; index < 5000; index += 1) {
        const drawn = fraction(random);
        least = Math.min(least, drawn);
        most = Math.max(most, drawn);
      }
      assert.ok(least >= 0 && least < 0.01 && most > 0.99 && most < 1);
    },
  },
  {
    name: 'random bytes are fresh memory of the asked length',
    run: async ({ runtime: { random } }) => {
      const [a, b] = [random.bytes(16), random.bytes(16)];
      assert.equal(random.bytes(5000).length, 5000);
      assert.equal(random.bytes(0).length, 0);
      assert.notDeepEqual(a, b);
      const before = Uint8Array.from(a);
      b.fill(0);
      for (let index = 0; index < 1000; index += 1) random.bytes(64);
      assert.deepEqual(a, before);
      assert.match(randomUuid(random), /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    },
  },
];

/** The process is busy while its peer's bytes come in, a deadline passes, and the bytes must be judged before it. */
async function afterPollServesWaitingInput(world: ContractWorld): Promise<void> {
  const { clock } = world.runtime;
  const pair = await connected(world);
  const order: string[] = [];
  const judged = new Promise<void>((resolve) => {
    pair.server.onData = () => {
      if (pair.server.receivedBytes === 4) order.push('data');
    };
    clock.after(20, () =>
      clock.afterPoll(() => {
        order.push('judged');
        resolve();
      }),
    );
  });
  pair.client.connection.write([Buffer.from('ping')]);
  await world.complete(judged);
  assert.deepEqual(order, ['data', 'judged']);
  pair.close();
}
