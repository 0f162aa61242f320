import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ACL, Id } from '../jute/data.ts';
import { KeeperError } from '../jute/errors.ts';
import {
  type AclSchemes,
  allows,
  digestScheme,
  generateDigest,
  ipScheme,
  normalizeAcl,
  OPEN_ACL_UNSAFE,
  Perms,
  redactAcl,
} from './acl.ts';
import { AclCache, OPEN_UNSAFE_ACL_ID } from './acl-cache.ts';
import { hostAddress } from './ip-acl.ts';

const schemes: AclSchemes = new Map([
  ['digest', digestScheme],
  ['ip', ipScheme],
]);

const acl = (perms: number, scheme: string, id: string): ACL => ({ perms, id: { scheme, id } });
const id = (scheme: string, name: string): Id => ({ scheme, id: name });
const user = 'user:smGaoVKd/cQkjm7b88GyorAUz20=';

test('digests are those of Apache', () => {
  assert.equal(generateDigest('super:test'), 'super:D/InIHSb7yEEbrWz8b9l71RjZJU=');
  assert.equal(generateDigest('user:pass'), user);
  assert.match(generateDigest('user:pass', 'sha256'), /^user:.{44}$/);
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
    name: 'an address of the other family does not match a range of no bits',
    list: [acl(1, 'ip', '::/0')],
    ids: [id('ip', '127.0.0.1')],
    want: false,
  },
];
for (const { name, list, ids, want } of grants)
  test(name, () => assert.equal(allows(list, Perms.READ, ids, schemes), want));

test('auth stands for the authenticated ids, not for the address', () => {
  const ids = [id('ip', '127.0.0.1'), id('digest', user)];
  assert.deepEqual(normalizeAcl('/x', [acl(31, 'auth', ''), acl(31, 'auth', '')], ids, schemes), [
    acl(31, 'digest', user),
  ]);
  assert.deepEqual(normalizeAcl('/x', OPEN_ACL_UNSAFE, ids, schemes), OPEN_ACL_UNSAFE);
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
      () => normalizeAcl('/x', list, [id('ip', '127.0.0.1')], schemes),
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

const expressions: readonly (readonly [text: string, isValid: boolean])[] = [
  ['10.0.0.1', true],
  ['10.0.0.001', true],
  ['+10.0.0.1/+8', true],
  ['10.0.0.1/', false],
  ['10.0.0.-1', false],
  ['10.0.0.1/-1', false],
  ['10.0.0.1/32', true],
  ['::', true],
  ['::/0', true],
  ['::1/128', true],
  ['::1/129', false],
  ['1:2:3:4:5:6:7:8', true],
  ['1:2:3:4:5:6:7', false],
  ['1::3:4:5:6:7:8', true],
  ['1:2:3:4::5:6:7:8', false],
  ['1::2::3', false],
  [':1', false],
  ['12345::', false],
  ['::g', false],
  ['::ffff:10.0.0.1', false],
  ['fe80::1%eth0', false],
  ['localhost', false],
  ['', false],
];
for (const [text, isValid] of expressions) {
  test(`an ip entry for '${text}' is ${isValid ? 'taken' : 'refused'}, as by Apache 3.9.4`, () => {
    assert.equal(ipScheme.isValid(text), isValid);
  });
}

test('addresses are told as Java prints them', () => {
  assert.equal(hostAddress('::1'), '0:0:0:0:0:0:0:1');
  assert.equal(hostAddress('2001:db8::ff00:42:8329'), '2001:db8:0:0:0:ff00:42:8329');
  assert.equal(hostAddress('fe80::1%eth0'), 'fe80:0:0:0:0:0:0:1%eth0');
  assert.equal(hostAddress('127.0.0.1'), '127.0.0.1');
});
