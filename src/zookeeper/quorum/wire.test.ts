import assert from 'node:assert/strict';
import test from 'node:test';
import { MalformedError } from '../../wire/errors.ts';
import { decodeHello, encodeHello, OBSERVER_WITHOUT_ID } from './hello.ts';
import { decodeNotification, encodeNotification } from './notification.ts';

const bytes = (hex: string): Uint8Array => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const head = '00000001 0000000000000003 0000000200000005 0000000000000007';

test('notifications of every age are read', () => {
  const vote = { state: 'FOLLOWING', leader: 3, zxid: 0x200000005n, electionEpoch: 7n } as const;
  const none = { version: 0, config: undefined };
  assert.deepEqual(decodeNotification(bytes(head)), { ...vote, peerEpoch: 2n, ...none });
  assert.deepEqual(decodeNotification(bytes(`${head} 0000000000000004`)), { ...vote, peerEpoch: 4n, ...none });
  assert.deepEqual(decodeNotification(bytes(`${head} 0000000000000004 00000001`)), { ...vote, peerEpoch: 4n, ...none });
  const config = `${head} 0000000000000004 00000002 00000009 ${Buffer.from('version=0').toString('hex')}`;
  const newest = { ...vote, peerEpoch: 4n, version: 2, config: 'version=0' };
  assert.deepEqual(decodeNotification(bytes(config)), newest);
  assert.deepEqual(Buffer.from(encodeNotification(newest)).toString('hex'), config.replaceAll(' ', ''));
});

test('who may not be elected votes for the least numbers, and they come through', () => {
  const nobody = {
    ...{
      state: 'LOOKING' as const,
      leader: Number(-(2n ** 63n)),
      zxid: -(2n ** 63n),
      electionEpoch: 1n,
      peerEpoch: -(2n ** 63n),
    },
    ...{ version: 2, config: '' },
  } as const;
  assert.deepEqual(decodeNotification(encodeNotification(nobody)), nobody);
});

test('a notification that is none is refused', () => {
  for (const hex of [
    head.slice(0, -2),
    `0000000f${head.slice(8)}`,
    `${head} 0000000000000004 00000002 7fffffff`,
    `${head} 0000000000000004 00000002 00000009 00`,
  ]) {
    assert.throws(() => decodeNotification(bytes(hex)), MalformedError, hex);
  }
});

test('a hello is read at whatever byte it is cut, in its three forms', () => {
  const addresses = ['[::1]:3888', 'b:3889'];
  const [one, many] = [encodeHello({ server: 7, addresses }, false), encodeHello({ server: 7, addresses }, true)];
  for (let size = 0; size < one.length; size += 1) assert.equal(decodeHello(one.subarray(0, size)), undefined);
  assert.deepEqual(decodeHello(Buffer.concat([one, bytes('00')])), {
    hello: { server: 7, addresses: ['[::1]:3888'] },
    size: one.length,
  });
  assert.deepEqual(decodeHello(many)?.hello, { server: 7, addresses });
  assert.deepEqual(decodeHello(bytes('0000000000000005 00')), { hello: { server: 5, addresses: [] }, size: 8 });
  const wildcard = encodeHello({ server: OBSERVER_WITHOUT_ID, addresses: ['0.0.0.0:3888'] }, false);
  assert.deepEqual(decodeHello(wildcard)?.hello, { server: OBSERVER_WITHOUT_ID, addresses: [] });
});

test('a hello of an unknown version, or with an address too long, is refused', () => {
  for (const hex of [
    'fffffffffffffffe',
    'ffffffffffff0000 0000000000000001 00000000',
    'ffffffffffff0000 0000000000000001 00000801',
  ]) {
    assert.throws(() => decodeHello(bytes(hex)), MalformedError, hex);
  }
});
