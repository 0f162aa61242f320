import assert from 'node:assert/strict';
import test from 'node:test';
import { copiedTableSize, javaHashOf, longMapOrder, propertiesOrder, stringMapOrder } from './java-order.ts';

test('hashes of strings are those of Java', () => {
  assert.equal(javaHashOf(''), 0);
  assert.equal(javaHashOf('tickTime'), 1_936_851_466);
});

test('the keys of a configuration come as Java 17 gave them, through two doublings of the table', () => {
  const keys =
    'tickTime initLimit syncLimit dataDir clientPort server.1 server.2 server.3 admin.enableServer 4lw.commands.whitelist ' +
    'reconfigEnabled standaloneEnabled skipACL autopurge.purgeInterval autopurge.snapRetainCount maxClientCnxns peerType ' +
    'weight.1 group.1 group.2 server.17 server.33 server.49 snapCount preAllocSize';
  const wanted =
    'dataDir 4lw.commands.whitelist syncLimit server.17 server.33 standaloneEnabled admin.enableServer initLimit clientPort ' +
    'snapCount peerType autopurge.purgeInterval server.49 reconfigEnabled weight.1 server.2 server.1 skipACL ' +
    'autopurge.snapRetainCount tickTime server.3 preAllocSize group.2 maxClientCnxns group.1';
  assert.equal(propertiesOrder(keys.split(' ')).join(' '), wanted);
});

test('a table of longs goes by the number modulo the size of the table', () => {
  assert.deepEqual(longMapOrder([17, 3, 1]), [17, 1, 3]);
  assert.deepEqual(longMapOrder([9, 8, 1], copiedTableSize(3)), [8, 9, 1]);
  assert.deepEqual([0, 3, 5, 6, 12, 24].map(copiedTableSize), [1, 8, 8, 16, 32, 64]);
});

test('a table of strings goes by their hashes, and doubles beyond three quarters', () => {
  // The hashes of one character are its code: a 97, p 112, q 113.
  assert.deepEqual(stringMapOrder(['q', 'a', 'p', 'q']), ['p', 'q', 'a']);
  const thirteen = [...'abcdefghijklm'];
  assert.deepEqual(stringMapOrder(['A', ...thirteen.slice(1)]), ['A', ...thirteen.slice(1)]);
  assert.deepEqual(stringMapOrder(['p', 'A', ...thirteen.slice(1)]), ['A', ...thirteen.slice(1), 'p']);
});
