import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ACL, Id } from '../jute/data.ts';
import { KeeperError } from '../jute/errors.ts';
import { allows, generateDigest, normalizeAcl, OPEN_ACL_UNSAFE, Perms, redactAcl } from './acl.ts';
import { AclCache, OPEN_UNSAFE_ACL_ID } from './acl-cache.ts';

const acl = (perms: number, scheme: string, id: string): ACL => ({ perms, id: { scheme, id } });
const id = (scheme: string, name: string): Id => ({ scheme, id: name });
const user = 'user:smGaoVKd/cQkjm7b88GyorAUz20=';

test('digests are those of Apache', () => {
  assert.equal(generateDigest('super:test'), 'super:D/InIHSb7yEEbrWz8b9l71RjZJU=');
  assert.equal(generateDigest('user:pass'), user);
  assert.match(generateDigest('user:pass', 'SHA-256'), /^user:.{44}$/);
});

const grants = [
  { name: 'an empty list allows everything', list: [], ids: [], want: true },
  { name: 'anyone may what world may', list: [acl(1, 'world', 'anyone')], ids: [], want: true },
  { name: 'another bit does not help', list: [acl(2, 'world', 'anyone')], ids: [], want: false },
  { name: 'the same digest may', list: [acl(1, 'digest', user)], ids: [id('digest', user)], want: true },
  {
    name: 'the same id of another scheme may not',
    list: [acl(1, 'digest', user)],
    ids: [id('sasl', user)],
    want: false,
  },
  { name: 'super may everything', list: [acl(0, 'digest', user)], ids: [id('super', '')], want: true },
  { name: 'an address in the range may', list: [acl(1, 'ip', '10.1.0.0/16')], ids: [id('ip', '10.1.9.9')], want: true },
  { name: 'an address outside may not', list: [acl(1, 'ip', '10.1.0.0/16')], ids: [id('ip', '10.2.0.0')], want: false },
  {
    name: 'bits inside a byte count',
    list: [acl(1, 'ip', '10.1.128.0/17')],
    ids: [id('ip', '10.1.127.1')],
    want: false,
  },
  { name: 'IPv6 matches', list: [acl(1, 'ip', '2001:db8::/32')], ids: [id('ip', '2001:db8:0:1::9')], want: true },
  { name: 'IPv6 outside does not', list: [acl(1, 'ip', '2001:db8::/32')], ids: [id('ip', '2001:db9::')], want: false },
  {
    name: 'a mapped address is its IPv4',
    list: [acl(1, 'ip', '127.0.0.1')],
    ids: [id('ip', '::ffff:127.0.0.1')],
    want: true,
  },
];
for (const { name, list, ids, want } of grants) test(name, () => assert.equal(allows(list, Perms.READ, ids), want));

test('auth stands for the authenticated ids, not for the address', () => {
  const ids = [id('ip', '127.0.0.1'), id('digest', user)];
  assert.deepEqual(normalizeAcl('/x', [acl(31, 'auth', ''), acl(31, 'auth', '')], ids), [acl(31, 'digest', user)]);
  assert.deepEqual(normalizeAcl('/x', OPEN_ACL_UNSAFE, ids), OPEN_ACL_UNSAFE);
});

const invalid: { name: string; list: ACL[] | null }[] = [
  { name: 'null', list: null },
  { name: 'empty', list: [] },
  { name: 'auth without identity', list: [acl(31, 'auth', '')] },
  { name: 'world but not anyone', list: [acl(31, 'world', 'me')] },
  { name: 'an unknown scheme', list: [acl(31, 'foo', 'bar')] },
  { name: 'a digest without password', list: [acl(31, 'digest', 'user:')] },
  { name: 'a digest of three parts', list: [acl(31, 'digest', 'a:b:c')] },
  { name: 'an address that is none', list: [acl(31, 'ip', '10.0.0')] },
  { name: 'a range that is too long', list: [acl(31, 'ip', '10.0.0.0/33')] },
];
for (const { name, list } of invalid) {
  test(`an invalid list is refused: ${name}`, () => {
    assert.throws(
      () => normalizeAcl('/x', list, [id('ip', '127.0.0.1')]),
      (error) => error instanceof KeeperError && error.message === 'KeeperErrorCode = InvalidACL for /x',
    );
  });
}

test('digests are hidden from who may not administer', () => {
  assert.deepEqual(redactAcl([acl(1, 'digest', user), acl(1, 'ip', '::1')]), [
    acl(1, 'digest', 'user:x'),
    acl(1, 'ip', '::1'),
  ]);
});

test('a list lives while a node uses it, and equal lists have one id', () => {
  const cache = new AclCache();
  const list = [acl(1, 'ip', '::1')];
  const first = cache.acquire(list);
  assert.equal(cache.acquire([acl(1, 'ip', '::1')]), first);
  assert.notEqual(cache.acquire([acl(2, 'ip', '::1')]), first);
  cache.release(first);
  assert.deepEqual(cache.get(first), list);
  cache.release(first);
  assert.equal(cache.has(first), false);
  assert.notEqual(cache.acquire(list), first);
  assert.equal(cache.acquire(null), OPEN_UNSAFE_ACL_ID);
  assert.deepEqual(cache.get(OPEN_UNSAFE_ACL_ID), OPEN_ACL_UNSAFE);
});
