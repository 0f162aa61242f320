import assert from 'node:assert/strict';
import test from 'node:test';
import type { Steps } from '../../base/steps.ts';
import { LongWork } from './long-work.ts';

const MIB = 1_048_576;

function world(msPerStep = 0) {
  const turns: (() => void)[] = [];
  const errors: unknown[] = [];
  const events: string[] = [];
  let nowMs = 0;
  const clock = { monotonicMs: () => nowMs, soon: (callback: () => void) => void turns.push(callback) };
  const work = new LongWork(clock, (error) => errors.push(error));
  return {
    work,
    errors,
    events,
    *steps(name: string, count: number, bytes: number): Steps<string> {
      try {
        for (let index = 0; index < count; index += 1) {
          events.push(name);
          nowMs += msPerStep;
          yield bytes;
        }
        return `${name} is done`;
      } finally {
        events.push(`${name} ended`);
      }
    },
    done: (error: unknown, result: string | undefined) => void events.push(result ?? String(error)),
    /** One turn of the loop; false where nothing waits for one. */
    turn(): boolean {
      const [next, ...more] = turns.splice(0);
      assert.equal(more.length, 0, 'one slice a turn, however many tasks there are');
      next?.();
      return next !== undefined;
    },
  };
}

test('tasks are done one after the other, and none is begun before its turn', () => {
  const { work, steps, done, turn, events } = world();
  work.run(steps('one', 3, MIB), done);
  work.run(steps('two', 1, MIB), done);
  assert.deepEqual(events, [], 'nothing is done in the turn that asks for it');
  while (turn());
  assert.deepEqual(events, ['one', 'one', 'one', 'one ended', 'one is done', 'two', 'two ended', 'two is done']);
});

test('a slice ends after a MiB, and after 3 ms', () => {
  const fast = world();
  fast.work.run(fast.steps('a', 64, MIB / 16), fast.done);
  fast.turn();
  assert.equal(fast.events.length, 16);
  const slow = world(1);
  slow.work.run(slow.steps('a', 64, 1), slow.done);
  slow.turn();
  assert.equal(slow.events.length, 3);
});

test('what steps throw is told, and ends nobody else', () => {
  const { work, steps, done, turn, events, errors } = world();
  const broken = (function* (): Steps<string> {
    yield MIB;
    throw new Error('broken');
  })();
  work.run(broken, done);
  work.run(steps('other', 2, MIB), () => {
    throw new Error('nobody listens');
  });
  while (turn());
  assert.deepEqual(events, ['Error: broken', 'other', 'other', 'other ended']);
  assert.deepEqual(errors.map(String), ['Error: nobody listens']);
});

test('at its end what is unfinished lets go of what it holds, and nobody hears of it', () => {
  const { work, steps, done, turn, events } = world();
  work.run(steps('one', 9, MIB), done);
  work.run(steps('two', 9, MIB), done);
  turn();
  turn();
  work.close();
  while (turn());
  assert.deepEqual(events, ['one', 'one', 'one ended'], 'what was not begun holds nothing');
});
