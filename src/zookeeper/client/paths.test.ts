import assert from 'node:assert/strict';
import test from 'node:test';
import { parseConnectString } from './connect-string.ts';
import { InvalidPathError, underChroot, validatePath, validateSequentialPath, withoutChroot } from './paths.ts';

const refused: readonly { path: string; says: string }[] = [
  { path: '', says: 'Path length must be > 0' },
  { path: 'a', says: 'Path must start with / character' },
  { path: '/a/', says: 'Path must not end with / character' },
  { path: '/a//b', says: 'Invalid path string "/a//b" caused by empty node name specified @3' },
  { path: '/a/./b', says: 'Invalid path string "/a/./b" caused by relative paths not allowed @3' },
  { path: '/a/../b', says: 'Invalid path string "/a/../b" caused by relative paths not allowed @4' },
  { path: '/..', says: 'Invalid path string "/.." caused by relative paths not allowed @2' },
  { path: '/a\0b', says: 'Invalid path string "/a\0b" caused by null character not allowed @2' },
  { path: '/a\u0001', says: 'Invalid path string "/a\u0001" caused by invalid character @2' },
  { path: '/\ud800x', says: 'Invalid path string "/\ud800x" caused by invalid character @1' },
];
for (const { path, says } of refused) {
  test(`the path ${JSON.stringify(path)} is refused`, () =>
    assert.throws(() => validatePath(path), new InvalidPathError(path, says)));
}

for (const path of ['/', '/a', '/...', '/a/.b/c.', '/a..b', '/äöü', '/a b']) {
  test(`the path ${path} is taken`, () => validatePath(path));
}

test('a sequential node may have no name of its own', () => {
  validateSequentialPath('/q/');
  assert.throws(() => validateSequentialPath('/q//'), InvalidPathError);
});

test('a chroot is added and taken away', () => {
  for (const [chroot, client, server] of [
    ['', '/a', '/a'],
    ['/app', '/', '/app'],
    ['/app', '/a/b', '/app/a/b'],
  ] as const) {
    assert.equal(underChroot(chroot, client), server);
    assert.equal(withoutChroot(chroot, server), client);
  }
  assert.equal(withoutChroot('/app', '/apple'), '/apple');
});

const connectStrings = [
  { text: 'a', hosts: ['a 2181'], chroot: '' },
  { text: 'a:1,b:2/app/one', hosts: ['a 1', 'b 2'], chroot: '/app/one' },
  { text: ' a:1 , b ', hosts: ['a 1', 'b 2181'], chroot: '' },
  { text: 'a:1/', hosts: ['a 1'], chroot: '' },
  { text: '[::1]:5,[fe80::2],10.0.0.1:7', hosts: ['::1 5', 'fe80::2 2181', '10.0.0.1 7'], chroot: '' },
  { text: '::1', hosts: ['::1 2181'], chroot: '' },
];
for (const { text, hosts, chroot } of connectStrings) {
  test(`the connect string "${text}"`, () => {
    const parsed = parseConnectString(text);
    assert.deepEqual(
      parsed.hosts.map(({ host, port }) => `${host} ${port}`),
      hosts,
    );
    assert.equal(parsed.chroot, chroot);
  });
}

for (const text of ['', ',', '/app', 'a:x', 'a:0', 'a:99999', 'a/b//c', 'a/b/']) {
  test(`the connect string "${text}" is refused`, () => assert.throws(() => parseConnectString(text)));
}
