import assert from 'node:assert/strict';
import test from 'node:test';
import { MalformedError, UnsupportedVersionError } from '../../../wire/errors.ts';
import { build } from '../../../wire/schema.ts';
import { ConsumerProtocolSubscription } from './consumer-protocol.ts';
import { GroupMetadataKey, GroupMetadataValue } from './group-metadata.ts';
import { LegacyOffsetCommitKey, OffsetCommitKey, OffsetCommitValue } from './offset-commit.ts';
import { TransactionLogKey, TransactionLogValue } from './transaction-log.ts';
import { keyType, readKey, readVersioned, readVersionedOrNewer, writeKey, writeVersioned } from './versioned.ts';

const unhex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Bytes that Apache 3.9.1 brokers left in their internal topics. */
const offsetKey = unhex('0001 0002 6731 0004 64656d6f 00000000');
const offsetValue = unhex('0003 0000000000000000 ffffffff 0000 000001a208026b0d');
const emptyGroup = unhex('0003 0008 636f6e73756d6572 00000002 ffff ffff 000001a208027733 00000000');
const emptyTransaction = unhex('0000 0000000000000004 0000 0000ea60 00 ffffffff 000001a208046606 ffffffffffffffff');

test('a committed offset of Apache reads and is written back alike', () => {
  assert.equal(keyType(offsetKey), OffsetCommitKey.apiKey);
  const key = readKey(OffsetCommitKey, offsetKey);
  assert.deepEqual(key, { group: 'g1', topic: 'demo', partition: 0 });
  assert.equal(hex(writeKey(OffsetCommitKey, key)), hex(offsetKey));
  const value = readVersioned(OffsetCommitValue, offsetValue);
  assert.equal(value.leaderEpoch, -1);
  assert.equal(value.commitTimestamp, 0x1a208026b0d);
  assert.equal(hex(writeVersioned(OffsetCommitValue, 3, value)), hex(offsetValue));
});

test('an empty group of Apache reads and is written back alike', () => {
  const value = readVersioned(GroupMetadataValue, emptyGroup);
  assert.deepEqual(
    [value.protocolType, value.generation, value.protocol, value.leader, value.members],
    ['consumer', 2, null, null, []],
  );
  assert.equal(hex(writeVersioned(GroupMetadataValue, 3, value)), hex(emptyGroup));
});

test('a transactional id of Apache reads and is written back alike', () => {
  assert.deepEqual(readKey(TransactionLogKey, unhex('0000 0003 747831')), { transactionalId: 'tx1' });
  const value = readVersioned(TransactionLogValue, emptyTransaction);
  assert.deepEqual([value.transactionPartitions, value.transactionStartTimestampMs], [null, -1]);
  assert.equal(hex(writeVersioned(TransactionLogValue, 0, value)), hex(emptyTransaction));
});

test('a value of a version that is not known is refused, a key of another type is malformed', () => {
  assert.throws(() => readVersioned(GroupMetadataValue, unhex('0005')), UnsupportedVersionError);
  assert.throws(() => readKey(GroupMetadataKey, offsetKey), MalformedError);
  assert.throws(() => readKey(LegacyOffsetCommitKey, offsetKey), MalformedError);
  assert.throws(() => keyType(unhex('00')), MalformedError);
});

test('a subscription of a newer client is read as the newest version that is known', () => {
  const subscription = build(ConsumerProtocolSubscription, { topics: ['t'], generationId: 7, rackId: 'r' });
  const bytes = writeVersioned(ConsumerProtocolSubscription, 3, subscription);
  const newer = Buffer.concat([unhex('0009'), bytes.subarray(2), unhex('abcd')]);
  assert.deepEqual(readVersionedOrNewer(ConsumerProtocolSubscription, newer), subscription);
  assert.throws(() => readVersionedOrNewer(ConsumerProtocolSubscription, unhex('ffff')), UnsupportedVersionError);
});
