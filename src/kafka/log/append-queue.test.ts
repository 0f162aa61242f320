import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spanOf } from '../../base/spans.ts';
import { type Completion, DiskError } from '../../runtime/disk.ts';
import { TurnEnd } from '../../runtime/turn-end.ts';
import { AppendQueue, type QueuedWrite } from './append-queue.ts';
import type { Segment } from './segment.ts';

/** A loop that turns when told to, a file whose writes finish when told to, and what was written and settled. */
class Desk {
  readonly writes: number[] = [];
  readonly settled: string[] = [];
  readonly finish: Completion[] = [];
  #due: (() => void)[] = [];
  refusal: DiskError | undefined;
  /** Whether a write finishes before it returns. */
  isQuick = true;
  readonly queue: AppendQueue<QueuedWrite>;

  constructor() {
    const turnEnd = new TurnEnd({ soon: (callback) => void this.#due.push(callback) }, (error) =>
      assert.fail(String(error)),
    );
    this.queue = new AppendQueue(
      turnEnd,
      () => this.refusal,
      (group, error, next) => {
        this.settled.push(`${group.length}${error === undefined ? '' : ` ${error.code}`}`);
        next();
      },
    );
  }

  turn(): void {
    for (const callback of this.#due.splice(0)) callback();
  }

  segment(): Segment {
    const write = (buffers: readonly Uint8Array[], done: Completion): void => {
      this.writes.push(buffers.reduce((sum, { length }) => sum + length, 0));
      if (this.isQuick) done();
      else this.finish.push(done);
    };
    return { write } as Segment;
  }

  push(segment: Segment, sizeInBytes: number): void {
    this.queue.push({ kind: 'write', segment, spans: [spanOf(Buffer.alloc(sizeInBytes))], sizeInBytes });
  }
}

test('what one turn brings is written together when it ends', () => {
  const desk = new Desk();
  const segment = desk.segment();
  for (const size of [100, 200, 300]) desk.push(segment, size);
  assert.deepEqual(desk.writes, []);
  assert.equal(desk.queue.isIdle, false);
  desk.turn();
  assert.deepEqual(desk.writes, [600]);
  assert.deepEqual(desk.settled, ['3']);
  assert.equal(desk.queue.isIdle, true);
  desk.push(segment, 100);
  desk.turn();
  assert.deepEqual(desk.writes, [600, 100]);
});

test('much is written without waiting for the end of the turn, and the rest behind it', () => {
  const desk = new Desk();
  desk.isQuick = false;
  const segment = desk.segment();
  for (let index = 0; index < 5; index += 1) desk.push(segment, 30_000);
  assert.deepEqual(desk.writes, [90_000]);
  desk.turn();
  assert.deepEqual(desk.writes, [90_000], 'one write in flight');
  desk.finish.shift()?.();
  assert.deepEqual(desk.writes, [90_000, 60_000]);
  desk.finish.shift()?.();
  assert.deepEqual(desk.settled, ['3', '2']);
});

test('an action waits for what was queued before it, not for the end of the turn', () => {
  const desk = new Desk();
  const segment = desk.segment();
  const next = desk.segment();
  desk.push(segment, 100);
  desk.queue.run((goOn) => {
    desk.settled.push('rolled');
    goOn();
  });
  desk.push(next, 50);
  desk.push(next, 50);
  assert.deepEqual(desk.settled, ['1', 'rolled']);
  desk.turn();
  assert.deepEqual(desk.settled, ['1', 'rolled', '2']);
  assert.deepEqual(desk.writes, [100, 100]);
});

test('segments do not share a write', () => {
  const desk = new Desk();
  desk.push(desk.segment(), 10);
  desk.push(desk.segment(), 20);
  desk.turn();
  assert.deepEqual(desk.writes, [10, 20]);
  assert.deepEqual(desk.settled, ['1', '1']);
});

test('a refusal that came before the end of the turn reaches all that waited', () => {
  const desk = new Desk();
  const segment = desk.segment();
  desk.push(segment, 10);
  desk.push(segment, 20);
  desk.refusal = new DiskError('EIO', '/data', 'append');
  desk.turn();
  assert.deepEqual(desk.writes, []);
  assert.deepEqual(desk.settled, ['2 EIO']);
});

test('neighbours in one piece of memory are one buffer of the write', () => {
  const desk = new Desk();
  const memory = Buffer.from('abcdef');
  const seen: string[][] = [];
  const segment = {
    write(buffers: readonly Uint8Array[], done: Completion) {
      seen.push(buffers.map((buffer) => Buffer.from(buffer).toString()));
      done();
    },
  } as Segment;
  for (const [start, end] of [
    [0, 2],
    [2, 3],
    [4, 6],
  ] as const) {
    desk.queue.push({ kind: 'write', segment, spans: [{ memory, start, end }], sizeInBytes: end - start });
  }
  desk.turn();
  assert.deepEqual(seen, [['abc', 'ef']]);
});
