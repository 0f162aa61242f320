import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TurnEnd } from './turn-end.ts';

/** A loop that turns when told to. */
function loop(): { soon(callback: () => void): void; turn(): number } {
  let due: (() => void)[] = [];
  return {
    soon: (callback) => void due.push(callback),
    turn() {
      const now = due;
      due = [];
      for (const callback of now) callback();
      return now.length;
    },
  };
}

const noError = (error: unknown): void => assert.fail(String(error));

test('writes of a turn go before its replies, each in its order, in one callback', () => {
  const clock = loop();
  const end = new TurnEnd(clock, noError);
  const seen: string[] = [];
  end.afterWrites(() => seen.push('reply 1'));
  end.afterInput(() => seen.push('write 1'));
  end.afterInput(() => seen.push('write 2'));
  end.afterWrites(() => seen.push('reply 2'));
  assert.deepEqual(seen, []);
  assert.equal(clock.turn(), 1);
  assert.deepEqual(seen, ['write 1', 'write 2', 'reply 1', 'reply 2']);
  assert.equal(clock.turn(), 0);
});

test('a reply that a write sets free leaves in the same turn', () => {
  const clock = loop();
  const end = new TurnEnd(clock, noError);
  const seen: string[] = [];
  end.afterInput(() => end.afterWrites(() => seen.push('reply')));
  clock.turn();
  assert.deepEqual(seen, ['reply']);
  assert.equal(clock.turn(), 0);
});

test('what comes while replies leave waits for the next turn', () => {
  const clock = loop();
  const end = new TurnEnd(clock, noError);
  const seen: string[] = [];
  end.afterWrites(() => {
    end.afterInput(() => seen.push('write'));
    end.afterWrites(() => seen.push('reply'));
  });
  end.afterInput(() => end.afterInput(() => seen.push('write of a write')));
  clock.turn();
  assert.deepEqual(seen, []);
  clock.turn();
  assert.deepEqual(seen, ['write of a write', 'write', 'reply']);
  assert.equal(clock.turn(), 0);
});

test('work that throws is reported, and the rest runs', () => {
  const clock = loop();
  const errors: unknown[] = [];
  const end = new TurnEnd(clock, (error) => errors.push(error));
  const seen: string[] = [];
  end.afterInput(() => {
    throw new RangeError('broken');
  });
  end.afterInput(() => seen.push('write'));
  end.afterWrites(() => seen.push('reply'));
  clock.turn();
  assert.deepEqual(seen, ['write', 'reply']);
  assert.deepEqual(errors.map(String), ['RangeError: broken']);
});
