import assert from 'node:assert/strict';
import test from 'node:test';
import { MalformedError } from '../../wire/errors.ts';
import {
  readAckEpoch,
  readDesignatedLeader,
  readInformedActivation,
  readLeaderInfo,
  readLearnerInfo,
  readLearnerRequest,
  readRevalidation,
  readRevalidationAnswer,
  readTouches,
  writeAckEpoch,
  writeDesignatedLeader,
  writeInformedActivation,
  writeLeaderInfo,
  writeLearnerInfo,
  writeLearnerRequest,
  writeRevalidation,
  writeRevalidationAnswer,
  writeTouches,
} from './packet-data.ts';

const bytes = (hex: string): Uint8Array => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const hexOf = (data: Uint8Array): string => Buffer.from(data).toString('hex');
const session = 0x2000_0000_0000_0001n;

/** Reader, writer, and what stands for what. */
interface Case<T> {
  readonly name: string;
  readonly read: (data: Uint8Array | null) => T;
  readonly write: (value: T) => Uint8Array;
  readonly hex: string;
  readonly value: T;
}
const entry = <T>(each: Case<T>): Case<unknown> => each as Case<unknown>;

const cases = [
  entry({
    name: 'a LearnerInfo',
    read: readLearnerInfo,
    write: writeLearnerInfo,
    hex: '0000000000000003 00010000 0000000100000002',
    value: { server: 3, protocolVersion: 0x10000, configVersion: 0x1_0000_0002n },
  }),
  entry({ name: 'LEADERINFO', read: readLeaderInfo, write: writeLeaderInfo, hex: '00010000', value: 0x10000 }),
  entry({ name: 'ACKEPOCH', read: readAckEpoch, write: writeAckEpoch, hex: 'ffffffff', value: -1 }),
  entry({
    name: 'a REQUEST',
    read: readLearnerRequest,
    write: writeLearnerRequest,
    hex: '2000000000000001 00000007 fffffff6 00007530',
    value: { sessionId: session, cxid: 7, opCode: -10, body: bytes('00007530') },
  }),
  entry({
    name: 'a REQUEST without a body',
    read: readLearnerRequest,
    write: writeLearnerRequest,
    hex: '2000000000000001 00000000 fffffff5',
    value: { sessionId: session, cxid: 0, opCode: -11, body: bytes('') },
  }),
  entry({
    name: 'a REVALIDATE of a learner',
    read: readRevalidation,
    write: writeRevalidation,
    hex: '2000000000000001 00007530',
    value: { sessionId: session, timeoutMs: 30_000 },
  }),
  entry({
    name: 'a REVALIDATE of the leader',
    read: readRevalidationAnswer,
    write: writeRevalidationAnswer,
    hex: '2000000000000001 01',
    value: { sessionId: session, isValid: true },
  }),
  entry({
    name: 'an answer to a PING',
    read: readTouches,
    write: writeTouches,
    hex: '2000000000000001 00007530 2000000000000002 00000fa0',
    value: [
      { sessionId: session, timeoutMs: 30_000 },
      { sessionId: session + 1n, timeoutMs: 4000 },
    ],
  }),
  entry({ name: 'an answer to a PING without sessions', read: readTouches, write: writeTouches, hex: '', value: [] }),
  entry({
    name: 'COMMITANDACTIVATE',
    read: readDesignatedLeader,
    write: writeDesignatedLeader,
    hex: '0000000000000002',
    value: 2,
  }),
  entry({
    name: 'INFORMANDACTIVATE',
    read: readInformedActivation,
    write: writeInformedActivation,
    hex: '0000000000000002 aabb',
    value: { designatedLeader: 2, proposal: bytes('aabb') },
  }),
];

for (const { name, read, write, hex, value } of cases) {
  test(`${name} is written and read byte for byte`, () => {
    assert.equal(hexOf(write(value)), hex.replaceAll(' ', ''));
    assert.deepEqual(read(bytes(hex)), value);
  });
}

test('a LearnerInfo of an older server is shorter', () => {
  const older = { server: 3, configVersion: 0n };
  assert.deepEqual(readLearnerInfo(bytes('0000000000000003')), { ...older, protocolVersion: 1 });
  assert.deepEqual(readLearnerInfo(bytes('0000000000000003 00010000')), { ...older, protocolVersion: 0x10000 });
});

test('an old leader sends a PING without data', () => {
  assert.deepEqual(readTouches(null), []);
});

test('data that is too short, or missing, is refused', () => {
  for (const { name, read, hex } of cases) {
    if (read === (readTouches as unknown)) continue;
    assert.throws(() => read(null), MalformedError, name);
    const shortest = name.includes('LearnerInfo') ? 8 : Math.min(bytes(hex).length, name.includes('INFORM') ? 8 : 16);
    assert.throws(() => read(bytes(hex).subarray(0, shortest - 1)), MalformedError, name);
  }
  assert.throws(() => readTouches(bytes('2000000000000001 00007530 20')), MalformedError);
});
