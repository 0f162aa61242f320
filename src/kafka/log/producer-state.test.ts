import assert from 'node:assert/strict';
import test from 'node:test';
import { CorruptionError } from '../../runtime/disk.ts';
import type { ErrorName, KafkaError } from '../protocol/errors.ts';
import { type BatchHeader, readBatchHeader } from '../records/batch.ts';
import { type BatchOptions, buildBatch } from '../records/builder.ts';
import { decodeProducerSnapshot, encodeProducerSnapshot } from './producer-snapshot.ts';
import { ProducerState } from './producer-state.ts';

function header(options: BatchOptions & { count?: number }): BatchHeader {
  const { count = 1, ...batch } = options;
  const records = Array.from({ length: count }, () => ({ timestamp: 100, value: null }));
  return readBatchHeader(buildBatch({ producerId: 1, producerEpoch: 0, baseSequence: 0, ...batch, records }))!;
}

function stateAfter(...batches: (BatchOptions & { count?: number })[]): ProducerState {
  const state = new ProducerState();
  for (const batch of batches) state.update(header(batch));
  return state;
}

const MAX = 2_147_483_647;
const cases: readonly {
  name: string;
  given: (BatchOptions & { count?: number })[];
  when: BatchOptions & { count?: number };
  want: ErrorName | 'append' | 'duplicate';
}[] = [
  { name: 'a first batch may begin anywhere', given: [], when: { baseSequence: 17 }, want: 'append' },
  { name: 'the next sequence follows', given: [{ count: 3 }], when: { baseSequence: 3 }, want: 'append' },
  {
    name: 'a gap is out of order',
    given: [{ count: 3 }],
    when: { baseSequence: 4 },
    want: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
  },
  { name: 'a repeated batch is a duplicate', given: [{ count: 3 }], when: { count: 3 }, want: 'duplicate' },
  {
    name: 'half a repeated batch is out of order',
    given: [{ count: 3 }],
    when: { count: 2 },
    want: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
  },
  { name: 'sequences wrap to 0', given: [{ baseSequence: MAX }], when: { baseSequence: 0, count: 2 }, want: 'append' },
  {
    name: 'an older epoch is fenced',
    given: [{ producerEpoch: 2 }],
    when: { producerEpoch: 1, baseSequence: 1 },
    want: 'INVALID_PRODUCER_EPOCH',
  },
  { name: 'a newer epoch begins at 0', given: [{ count: 3 }], when: { producerEpoch: 1 }, want: 'append' },
  {
    name: 'a newer epoch begins nowhere else',
    given: [{ count: 3 }],
    when: { producerEpoch: 1, baseSequence: 3 },
    want: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
  },
  {
    name: 'plain data inside a transaction is refused',
    given: [{ isTransactional: true }],
    when: { baseSequence: 1 },
    want: 'INVALID_TXN_STATE',
  },
];
for (const { name, given, when, want } of cases) {
  test(name, () => {
    const state = stateAfter(...given);
    const outcome = (): string => {
      try {
        return state.check(header(when), 'client') === undefined ? 'append' : 'duplicate';
      } catch (error) {
        return (error as KafkaError).name;
      }
    };
    assert.equal(outcome(), want);
    assert.equal(state.check(header(when), 'replication'), undefined, 'a follower takes what its leader took');
  });
}

test('the last five batches are recognised, the sixth is not', () => {
  const batches = Array.from({ length: 6 }, (_, index) => ({ baseSequence: index, baseOffset: index }));
  const state = stateAfter(...batches);
  assert.equal(state.check(header({ baseSequence: 1 }), 'client')?.lastOffset, 1);
  assert.throws(() => state.check(header({ baseSequence: 0 }), 'client'), { name: 'OUT_OF_ORDER_SEQUENCE_NUMBER' });
});

test('an open transaction holds the stable offset until its marker is replicated', () => {
  const state = stateAfter(
    { baseOffset: 5, isTransactional: true },
    { baseOffset: 6, producerId: 2, isTransactional: true },
  );
  assert.equal(state.firstUnstableOffset, 5);
  const marker = { committed: false, coordinatorEpoch: 4 };
  const ended = state.endTransaction(
    header({ baseOffset: 7, baseSequence: -1, isControl: true, isTransactional: true }),
    marker,
  );
  assert.deepEqual(ended, { producerId: 1, firstOffset: 5, lastOffset: 7, aborted: true, lastStableOffset: 6 });
  assert.equal(state.firstUnstableOffset, 5, 'the marker is not below the high watermark yet');
  state.onHighWatermark(7);
  assert.equal(state.firstUnstableOffset, 5);
  state.onHighWatermark(8);
  assert.equal(state.firstUnstableOffset, 6);
  const stale = header({ baseOffset: 8, baseSequence: -1, isControl: true });
  assert.throws(() => state.checkMarker(stale, { committed: true, coordinatorEpoch: 3 }), {
    name: 'TRANSACTION_COORDINATOR_FENCED',
  });
});

/** Of producer 1, which has written in epoch 3. */
const markers: readonly { name: string; isOpen: boolean; epoch: number; version: number; isRefused: boolean }[] = [
  { name: 'an older epoch', isOpen: true, epoch: 2, version: 1, isRefused: true },
  { name: 'the same epoch', isOpen: true, epoch: 3, version: 1, isRefused: false },
  { name: 'the same epoch where it should be above', isOpen: true, epoch: 3, version: 2, isRefused: true },
  { name: 'an older epoch where it should be above', isOpen: false, epoch: 2, version: 2, isRefused: true },
  { name: 'the next epoch', isOpen: true, epoch: 4, version: 2, isRefused: false },
  { name: 'the same epoch again, with nothing open', isOpen: false, epoch: 3, version: 2, isRefused: false },
];
for (const { name, isOpen, epoch, version, isRefused } of markers) {
  test(`a marker of ${name}, of transactions of version ${version}, is ${isRefused ? 'refused' : 'taken'}`, () => {
    const state = stateAfter({ producerEpoch: 3, isTransactional: isOpen });
    const marker = header({ producerEpoch: epoch, baseSequence: -1, isControl: true, isTransactional: true });
    const check = (): void => state.checkMarker(marker, { committed: true, coordinatorEpoch: 0 }, version);
    if (isRefused) assert.throws(check, { name: 'INVALID_PRODUCER_EPOCH' });
    else check();
  });
}

test('the last of all epochs ends with a marker of its own', () => {
  const state = stateAfter({ producerEpoch: 32_767, isTransactional: true });
  const marker = header({ producerEpoch: 32_767, baseSequence: -1, isControl: true, isTransactional: true });
  state.checkMarker(marker, { committed: true, coordinatorEpoch: 0 }, 2);
});

test('producers that wrote nothing for a day go, unless a transaction is open', () => {
  const state = stateAfter({ baseOffset: 0 }, { producerId: 2, baseOffset: 1, isTransactional: true });
  assert.equal(state.removeExpired(100 + 86_399_999, 86_400_000), 0);
  assert.equal(state.removeExpired(100 + 86_400_000, 86_400_000), 1);
  assert.equal(state.get(1), undefined);
  assert.equal(state.get(2)?.currentTxnFirstOffset, 1);
});

/** Written by Apache 3.9.1: an open transaction at offset 4. */
const APACHE =
  '00016282b4c30000000100000000000000040000000000020000000000000004000000000000' +
  '01a20804666a000000000000000000000004';

test('a snapshot is Apache’s byte for byte', () => {
  const entries = decodeProducerSnapshot('x', Buffer.from(APACHE, 'hex'));
  assert.equal(entries[0]?.producerId, 4);
  assert.equal(entries[0]?.batches[0]?.lastSequence, 2);
  assert.equal(entries[0]?.currentTxnFirstOffset, 4);
  assert.equal(Buffer.from(encodeProducerSnapshot(entries)).toString('hex'), APACHE);
  assert.equal(encodeProducerSnapshot([]).length, 10);
});

test('a snapshot that differs in any bit, or ends early, is corrupt', () => {
  const bytes = Buffer.from(APACHE, 'hex');
  for (let index = 0; index < bytes.length; index += 1) {
    const changed = Buffer.from(bytes);
    changed[index]! ^= 1;
    assert.throws(() => decodeProducerSnapshot('x', changed), CorruptionError, `byte ${index}`);
    assert.throws(() => decodeProducerSnapshot('x', bytes.subarray(0, index)), CorruptionError, `${index} bytes`);
  }
});
