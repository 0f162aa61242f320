import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IdlePoll } from './idle-poll.ts';

const WINDOW_MS = 0.15;
const TURN_MS = 0.002;

/** An event loop whose turns take TURN_MS, and which would sleep when nothing is due. */
class Loop {
  nowMs = 1000;
  #due: (() => void)[] = [];
  readonly poll = new IdlePoll(
    { monotonicMs: () => this.nowMs, soon: (callback) => void this.#due.push(callback) },
    WINDOW_MS,
  );

  get isAwake(): boolean {
    return this.#due.length > 0;
  }

  /** What is due runs at the end of the turn. */
  turn(sockets = 0): void {
    for (let socket = 0; socket < sockets; socket += 1) this.poll.input();
    this.nowMs += TURN_MS;
    const due = this.#due;
    this.#due = [];
    for (const callback of due) callback();
    assert.ok(this.#due.length <= 1, 'one callback in a turn is enough');
  }

  /** Until the next input, or until nothing is due. Answers how long it stayed awake. */
  idle(untilMs: number): number {
    const fromMs = this.nowMs;
    while (this.isAwake && this.nowMs < untilMs) this.turn();
    const awakeMs = this.nowMs - fromMs;
    this.nowMs = Math.max(this.nowMs, untilMs);
    return awakeMs;
  }

  /** So many requests, each so long after the last was served. */
  requests(count: number, gapMs: number, sockets = 1): number {
    let awakeMs = 0;
    for (let request = 0; request < count; request += 1) {
      awakeMs += this.idle(this.nowMs + gapMs);
      this.turn(sockets);
    }
    return awakeMs;
  }
}

test('input that comes soon after the last keeps the loop awake until the next', () => {
  const loop = new Loop();
  loop.requests(20, 0.05);
  assert.ok(loop.isAwake);
  const awakeMs = loop.requests(100, 0.05);
  assert.ok(Math.abs(awakeMs - 5) < 0.3, `${awakeMs} ms of 5`);
});

test('the loop goes to sleep when the window is over', () => {
  const loop = new Loop();
  loop.requests(20, 0.05);
  const awakeMs = loop.idle(loop.nowMs + 1000);
  assert.ok(!loop.isAwake);
  assert.ok(Math.abs(awakeMs - WINDOW_MS) <= 2 * TURN_MS, `${awakeMs} ms`);
});

test('input that comes late keeps nothing awake', () => {
  const loop = new Loop();
  assert.equal(loop.requests(1000, 0.2), 0);
  loop.requests(20, 0.05);
  loop.requests(20, 0.2);
  assert.ok(!loop.isAwake);
  assert.equal(loop.requests(1000, 0.2), 0);
});

test('one in two that comes late is too many: no more than the first few are waited for', () => {
  const loop = new Loop();
  loop.requests(20, 0.05);
  let awakeMs = 0;
  for (let pair = 0; pair < 1000; pair += 1) awakeMs += loop.requests(1, 1) + loop.requests(1, 0.05);
  assert.ok(awakeMs < 2, `${awakeMs} ms of 1,050`);
});

test('many sockets in one turn count once', () => {
  const loop = new Loop();
  let awakeMs = 0;
  for (let pair = 0; pair < 1000; pair += 1) awakeMs += loop.requests(1, 1) + loop.requests(1, 0.05, 100);
  assert.ok(awakeMs < 2, `${awakeMs} ms of 1,050`);
});

test('a first input after a long silence is not waited after', () => {
  const loop = new Loop();
  loop.turn(1);
  assert.ok(!loop.isAwake);
});
