import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidPathError, nodeName, parentPath, pathFault, validatePath } from './path.ts';

for (const path of ['/', '/a', '/a/b', '/...', '/a.b/..c/.d', '/ü/日本', '/a b']) {
  test(`"${path}" is a path`, () => assert.equal(pathFault(path), undefined));
}

const invalid = [
  { path: '', fault: 'Path length must be > 0' },
  { path: 'a', fault: 'Path must start with / character' },
  { path: '/a/', fault: 'Path must not end with / character' },
  { path: '/a//b', fault: 'Invalid path string "/a//b" caused by empty node name specified @3' },
  { path: '/a/./b', fault: 'Invalid path string "/a/./b" caused by relative paths not allowed @3' },
  { path: '/a/..', fault: 'Invalid path string "/a/.." caused by relative paths not allowed @4' },
  { path: '/a\0', fault: 'Invalid path string "/a\0" caused by null character not allowed @2' },
  { path: '/a\u0001', fault: 'Invalid path string "/a\u0001" caused by invalid character @2' },
  { path: '/\u007f', fault: 'Invalid path string "/\u007f" caused by invalid character @1' },
  { path: '/😀', fault: 'Invalid path string "/😀" caused by invalid character @1' },
  { path: '/\ufff0', fault: 'Invalid path string "/\ufff0" caused by invalid character @1' },
];
for (const { path, fault } of invalid) {
  test(`${JSON.stringify(path)} is refused`, () => {
    assert.equal(pathFault(path), fault);
    assert.throws(() => validatePath(path), InvalidPathError);
  });
}

test('a sequential path may end in a slash', () => {
  validatePath('/q/', true);
  assert.throws(() => validatePath('/q//', true), InvalidPathError);
});

test('parents and names', () => {
  assert.deepEqual(['/a/b', '/a', '/'].map(parentPath), ['/a', '/', '']);
  assert.deepEqual(['/a/b', '/a', '/'].map(nodeName), ['b', 'a', '']);
});
