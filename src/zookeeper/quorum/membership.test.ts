import assert from 'node:assert/strict';
import test from 'node:test';
import { type ZooCfg, zooCfg } from '../../config/zoo-cfg.ts';
import { isEnsemble, makeMembership, membershipOf, parseMembership, withVersion } from './membership.ts';

const THREE = {
  'server.1': 'a:2888:3888',
  'server.2': 'b:2888:3888:participant;2181',
  'server.3': '[::1]:2888:3888:OBSERVER;[::1]:2182',
};

function config(keys: Readonly<Record<string, string | number | boolean>>): ZooCfg {
  return zooCfg({ dataDir: '/d', ...keys });
}

test('a static membership prints as Apache prints it, version 0 and no newline at the end', () => {
  const membership = membershipOf(config(THREE));
  assert.equal(
    membership.text,
    'server.1=a:2888:3888:participant\nserver.2=b:2888:3888:participant;0.0.0.0:2181\n' +
      'server.3=[0:0:0:0:0:0:0:1]:2888:3888:observer;[0:0:0:0:0:0:0:1]:2182\nversion=0',
  );
  assert.deepEqual([...membership.verifier.voters], [1, 2]);
  assert.equal(membership.version, 0n);
});

test('what was printed is read again, with its version in hexadecimal', () => {
  const membership = withVersion(membershipOf(config(THREE)), 0x1_0000_00abn);
  assert.ok(membership.text.endsWith('\nversion=1000000ab'));
  const again = parseMembership(membership.text);
  assert.deepEqual(again.text, membership.text);
  assert.equal(again.version, 0x1_0000_00abn);
  assert.equal(again.verifier.version, 0x1_0000_00abn);
});

test('servers come in the order of a Java table: ids modulo its size, which grows at the thirteenth', () => {
  const line = (id: number): [string, string] => [`server.${id}`, `h${id}:1:2`];
  const order = (ids: readonly number[]): number[] => [
    ...membershipOf(config(Object.fromEntries(ids.map(line)))).servers.keys(),
  ];
  assert.deepEqual(order([3, 2, 1]), [1, 2, 3]);
  assert.deepEqual(order([100, 18, 5]), [18, 100, 5]);
  assert.deepEqual(
    order(Array.from({ length: 13 }, (_, index) => 20 - index)),
    [8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20],
  );
});

test('groups and weights are printed, weights of all participants', () => {
  const keys = { ...THREE, 'group.1': '1', 'group.2': '2', 'weight.2': '3' };
  const { text, verifier } = membershipOf(config(keys));
  assert.equal(text.split('\n').slice(3).join(' '), 'group.1=1 group.2=2 weight.1=1 weight.2=3 version=0');
  assert.equal(verifier.weightOf(2), 3);
  assert.equal(parseMembership(text).text, text);
});

test('several addresses are sorted by host and need multiAddress.enabled', () => {
  const keys = { ...THREE, 'server.1': 'z:1:2|a:3:4:participant', 'multiAddress.enabled': true };
  const { text } = membershipOf(config(keys));
  assert.ok(text.startsWith('server.1=a:3:4|z:1:2:participant\n'));
  assert.throws(() => parseMembership(text), /several addresses need multiAddress\.enabled=true/);
  const rules = { standaloneEnabled: true, multiAddressEnabled: true };
  assert.equal(parseMembership(text, rules).text, text);
  assert.throws(
    () => parseMembership('server.1=a:1:2:participant|b:1:2:observer', rules),
    /addresses of a server have one/,
  );
});

const refused: readonly { readonly text: string; readonly says: RegExp }[] = [
  { text: 'server.1=a:1:2\nclientPort=2181', says: /clientPort=2181 is refused: a membership has lines/ },
  { text: 'server.x=a:1:2', says: /server\.x=a:1:2 is refused: a number follows/ },
  { text: 'server.1=a:1:1', says: /must be different/ },
  { text: 'server.1=a:1:2; 2181', says: / 2181 is no port/ },
  { text: 'server.1=a:1:2:king', says: /the role is participant or observer/ },
  { text: 'server.1=a:1:2:observer', says: /0 participants and 1 observers/ },
  { text: 'server.1=a:1:2\nserver.2=b:1:2:observer', says: /1 participants and 1 observers/ },
  {
    text: 'server.1=a:1:2\nserver.2=b:1:2\nweight.1=1',
    says: /server\.1=participant is refused: it is not in a group/,
  },
  { text: 'server.1=a:1:2\nserver.2=b:1:2\ngroup.1=1:2\ngroup.2=2', says: /server 2 is in several groups/ },
  { text: 'server.1=a:1:2\nserver.2=b:1:2\ngroup.1=1:2:9', says: /group\.1=9 is refused/ },
  { text: 'server.1=a:1:2\nserver.2=b:1:2\ngroup.1=1,2', says: /1,2 is no number/ },
  { text: 'server.1=a:1:2\nversion=g', says: /version=g is refused: expected hexadecimal digits/ },
];
for (const { text, says } of refused) {
  test(`a membership is refused: ${JSON.stringify(text)}`, () => assert.throws(() => parseMembership(text), says));
}

test('one participant is standalone unless standaloneEnabled=false', () => {
  const one = { 'server.1': 'a:1:2' };
  assert.equal(isEnsemble(config({})), false);
  assert.equal(isEnsemble(config(one)), false);
  assert.equal(isEnsemble(config({ ...one, standaloneEnabled: false })), true);
  assert.equal(isEnsemble(config(THREE)), true);
  assert.throws(() => isEnsemble(config({ standaloneEnabled: false })), /there must be participants/);
  const withObserver = { ...one, 'server.2': 'b:1:2:observer' };
  assert.throws(() => isEnsemble(config(withObserver)), /observers need a quorum/);
  assert.equal(isEnsemble(config({ ...withObserver, standaloneEnabled: false })), true);
});

test('lines of members do not stand beside dynamicConfigFile', () => {
  const says = /dynamicConfigFile=\/f is refused: the membership is in that file, so server\.1/;
  assert.throws(() => config({ ...THREE, dynamicConfigFile: '/f' }), says);
});

test('a membership of its parts prints them in the order given', () => {
  const { servers } = membershipOf(config(THREE));
  const turned = new Map([...servers].reverse());
  assert.match(makeMembership({ servers: turned, groups: undefined, version: 5n }).text, /^server\.3.*\nserver\.2/);
});
