import assert from 'node:assert/strict';
import test from 'node:test';
import { Scheduler, SimProcess } from '../../runtime/sim/scheduler.ts';
import { SimClock } from '../../runtime/sim/sim-clock.ts';
import { Deadline } from './deadline.ts';
import { clientHost } from './group/client-host.ts';
import { partitionFor } from './partition-for.ts';
import { Turns } from './turns.ts';

test('keys have their partition by Java’s hash', () => {
  assert.equal(partitionFor('test-group', 50), 12);
  assert.equal(partitionFor('tx1', 50), 45);
  assert.equal(partitionFor('', 50), 0);
  assert.equal(partitionFor('polygenelubricants', 50), 0, 'the smallest int has no absolute value');
});

test('hosts are written as Java prints them', () => {
  assert.equal(clientHost('127.0.0.1'), '/127.0.0.1');
  assert.equal(clientHost('::ffff:10.1.2.3'), '/10.1.2.3');
  assert.equal(clientHost('::1'), '/0:0:0:0:0:0:0:1');
  assert.equal(clientHost('fe80::00a1:2%eth0'), '/fe80:0:0:0:0:0:a1:2');
  assert.equal(clientHost('2001:db8:0:0:1:0:0:1'), '/2001:db8:0:0:1:0:0:1');
  assert.equal(clientHost('local'), '/local');
});

test('what a turn sets in motion waits for its end', () => {
  const turns = new Turns();
  const order: string[] = [];
  turns.run(() => {
    turns.run(() => order.push('answer'));
    order.push('change');
  });
  assert.deepEqual(order, ['change', 'answer']);
});

test('a turn that fails does not stop the following', () => {
  const turns = new Turns();
  assert.throws(() =>
    turns.run(() => {
      throw new RangeError('broken');
    }),
  );
  let ran = false;
  turns.run(() => {
    ran = true;
  });
  assert.ok(ran);
});

function deadlineWorld() {
  const scheduler = new Scheduler();
  const process = new SimProcess('broker', 0, () => false);
  const clock = new SimClock(scheduler, process, { offsetMs: 0 });
  const passed: number[] = [];
  const deadline = new Deadline(clock, () => passed.push(Math.floor(scheduler.nowMs)));
  const run = (untilMs: number): void => {
    for (let next = scheduler.nextMs; next !== undefined && next <= untilMs; next = scheduler.nextMs)
      scheduler.runNext();
    scheduler.skipTo(untilMs);
  };
  return { scheduler, process, deadline, passed, run };
}

test('a deadline passes once, and moves both ways', () => {
  const { deadline, passed, run } = deadlineWorld();
  deadline.set(100);
  run(50);
  deadline.set(100);
  run(140);
  assert.deepEqual(passed, []);
  deadline.set(5);
  run(400);
  assert.deepEqual(passed, [145]);
});

test('a deadline that is cancelled does not pass, and can be set again', () => {
  const { deadline, passed, run } = deadlineWorld();
  deadline.set(100);
  deadline.cancel();
  run(200);
  assert.deepEqual(passed, []);
  deadline.set(100);
  run(301);
  assert.deepEqual(passed, [300]);
});

test('after a stall of ours, what waited in the sockets comes before the deadline', () => {
  const { scheduler, process, deadline, passed, run } = deadlineWorld();
  deadline.set(100);
  process.stalled = true;
  run(5000);
  scheduler.after(0, 'data', 0, process, () => deadline.set(100));
  run(5000);
  scheduler.wake(process);
  run(5050);
  assert.deepEqual(passed, []);
  run(5200);
  assert.deepEqual(passed, [5100]);
});
