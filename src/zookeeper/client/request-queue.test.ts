import assert from 'node:assert/strict';
import test from 'node:test';
import { Reader } from '../../wire/reader.ts';
import { ErrorCode, type KeeperError } from '../jute/errors.ts';
import { type Packet, type Request, RequestQueue } from './request-queue.ts';

const roomy = { requestsMax: 10_000, requestBytesMax: 1_000_000 };

/** A request that notes its end under a name. */
function noting(ends: string[], name: string): Request {
  return {
    type: 9,
    path: `/${name}`,
    replied: () => void ends.push(`${name} replied`),
    failed: ({ code, cause }: KeeperError) =>
      void ends.push(`${name} ${code}${cause instanceof Error ? ' with cause' : ''}`),
  };
}

const xidsOf = (frames: readonly Uint8Array[]): number[] =>
  frames.map((frame) => new Reader({ chunks: [frame.subarray(4)], size: frame.length - 4 }).int32());

test('a request that was not sent can be taken back, one that was sent cannot', () => {
  const queue = new RequestQueue(roomy);
  const ends: string[] = [];
  const [a, b, c] = ['a', 'b', 'c'].map((name) => queue.add(noting(ends, name), 0) as Packet) as [
    Packet,
    Packet,
    Packet,
  ];
  assert.deepEqual(xidsOf(queue.takeWaiting(1)), [1]);
  assert.equal(queue.withdraw(a), false);
  assert.equal(queue.withdraw(b), true);
  assert.equal(queue.withdraw(b), false);
  assert.equal(queue.size, 2);
  assert.deepEqual(xidsOf(queue.takeWaiting(1000)), [3]);
  assert.equal(queue.takeAnswered(3), undefined);
  assert.equal(queue.takeAnswered(1), a);
  assert.equal(queue.takeAnswered(3), c);
  assert.equal(queue.size, 0);
  assert.deepEqual(ends, []);
});

test('what was taken back makes room at once, and is swept out', () => {
  const queue = new RequestQueue({ requestsMax: 200, requestBytesMax: 200 * 12 });
  const ends: string[] = [];
  for (let round = 0; round < 50; round += 1) {
    const packets = Array.from({ length: 200 }, () => queue.add(noting(ends, 'x'), 0) as Packet);
    for (const packet of packets) assert.equal(queue.withdraw(packet), true);
    assert.equal(queue.hasWaiting, false);
  }
  queue.add(noting(ends, 'last'), 0);
  assert.deepEqual(xidsOf(queue.takeWaiting(10_000)), [10_001]);
  assert.deepEqual(ends, []);
});

test('numbers go from 2^31 - 2 to 1, as in Apache’s client', () => {
  const queue = new RequestQueue({ ...roomy, firstXid: 0x7fff_fffd });
  for (const name of ['a', 'b', 'c', 'd']) queue.add(noting([], name), 0);
  assert.deepEqual(xidsOf(queue.takeWaiting(10_000)), [0x7fff_fffd, 0x7fff_fffe, 1, 2]);
  for (const xid of [0x7fff_fffd, 0x7fff_fffe, 1, 2]) assert.equal(queue.takeAnswered(xid)?.xid, xid);
});

test('the oldest requests can fail before the others', () => {
  const queue = new RequestQueue({ requestsMax: 3, requestBytesMax: 1000 });
  const ends: string[] = [];
  queue.add(noting(ends, 'a'), 10);
  queue.takeWaiting(1);
  queue.add(noting(ends, 'b'), 20);
  queue.add(noting(ends, 'c'), 30);
  queue.add(noting(ends, 'refused'), 40);
  assert.equal(queue.oldestSinceMs(), 10);
  queue.failOlderThan(20, ErrorCode.REQUESTTIMEOUT);
  assert.equal(queue.oldestSinceMs(), 30);
  queue.add(noting(ends, 'd'), 40);
  queue.failAll(ErrorCode.CONNECTIONLOSS, new TypeError('why'));
  assert.equal(queue.oldestSinceMs(), undefined);
  assert.equal(queue.size, 0);
  assert.deepEqual(ends, ['refused -127', 'a -122', 'b -122', 'c -4 with cause', 'd -4 with cause']);
});
