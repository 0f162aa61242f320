import assert from 'node:assert/strict';
import test from 'node:test';
import { MalformedError, UnsupportedVersionError } from '../../../wire/errors.ts';
import { noPartitions, partitionSet } from './partition-set.ts';
import type { TransactionMetadata } from './transaction.ts';
import { decodeRecord, encodeRecord } from './transaction-records.ts';

const empty: TransactionMetadata = {
  producerId: 4,
  previousProducerId: 4,
  nextProducerId: -1,
  producerEpoch: 0,
  lastProducerEpoch: -1,
  timeoutMs: 60_000,
  state: 'Empty',
  partitions: noPartitions,
  startMs: -1,
  lastUpdateMs: 0x1a208046606,
  clientVersion: 0,
};
const ongoing: TransactionMetadata = {
  ...empty,
  state: 'Ongoing',
  partitions: partitionSet([{ topic: 'txt', partitions: [0] }]),
  startMs: 0x1a208046624,
  lastUpdateMs: 0x1a208046624,
};

const hex = (value: Uint8Array | null): string => (value === null ? '' : Buffer.from(value).toString('hex'));
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));

/** Captured from a broker of Apache's, 3.9.1, for transactional id `tx1`. */
const KEY = '0000 0003 747831';
const captured = [
  {
    name: 'an id without a transaction',
    metadata: empty,
    value: '0000 0000000000000004 0000 0000ea60 00 ffffffff 000001a208046606 ffffffffffffffff',
  },
  {
    name: 'an open transaction',
    metadata: ongoing,
    value: `0000 0000000000000004 0000 0000ea60 01 00000001 0003 747874 00000001 00000000
      000001a208046624 000001a208046624`.replaceAll(/\s+/g, ''),
  },
];

for (const { name, metadata, value } of captured) {
  test(`${name} is written as Apache writes it`, () => {
    const record = encodeRecord({ id: 'tx1', metadata }, 0);
    assert.equal(hex(record.key), hex(bytes(KEY)));
    assert.equal(hex(record.value), hex(bytes(value)));
    // Of the id before, records of version 0 say nothing.
    const read = { ...metadata, previousProducerId: -1 };
    assert.deepEqual(decodeRecord(record.key, record.value), { id: 'tx1', metadata: read });
  });
}

test('a transaction that is over has no partitions, which is not the same as none at all', () => {
  const { value } = encodeRecord(
    { id: 'tx1', metadata: { ...ongoing, state: 'CompleteCommit', partitions: noPartitions } },
    0,
  );
  assert.match(hex(value), /ea600400000000/);
});

test('version 1 has the producer ids around, and the protocol of the client', () => {
  const metadata = { ...ongoing, previousProducerId: 3, nextProducerId: 5, clientVersion: 2 };
  const { key, value } = encodeRecord({ id: 'tx1', metadata }, 1);
  assert.deepEqual(decodeRecord(key, value), { id: 'tx1', metadata });
});

test('a tombstone forgets, and keys of another type are passed over', () => {
  const { key, value } = encodeRecord({ id: 'tx1', metadata: null }, 0);
  assert.equal(value, null);
  assert.deepEqual(decodeRecord(key, null), { id: 'tx1', metadata: null });
  assert.equal(decodeRecord(bytes('0001 0003 747831'), null), undefined);
});

test('what nobody can have written is damage', () => {
  const value = bytes(captured[0]!.value);
  value[16] = 9;
  assert.throws(() => decodeRecord(bytes(KEY), value), MalformedError);
  value[1] = 7;
  assert.throws(() => decodeRecord(bytes(KEY), value), UnsupportedVersionError);
});
