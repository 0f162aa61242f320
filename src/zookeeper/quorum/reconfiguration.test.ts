import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode, KeeperError } from '../jute/errors.ts';
import type { Zxid } from '../jute/ids.ts';
import type { ReconfigRequest } from '../jute/proto.ts';
import { type Membership, parseMembership } from './membership.ts';
import { type ReconfigState, type Reconfiguration, reconfigure } from './reconfiguration.ts';

const LINES = [
  'server.1=a:1:2:participant;0.0.0.0:3',
  'server.2=b:1:2:participant;10.0.0.2:3',
  'server.3=c:1:2:participant',
];
const THREE = LINES.join('\n');
const VERSION = 0x1_0000_0005n;
const ZXID = 0x1_0000_0009n as Zxid;
const synced = ({ verifier }: Membership): boolean => verifier.isQuorum([1, 2, 3]);

function ask(
  request: Partial<ReconfigRequest>,
  change: Partial<ReconfigState> & { readonly from?: string } = {},
): Reconfiguration {
  const current = parseMembership(`${change.from ?? THREE}\nversion=${VERSION.toString(16)}`);
  const whole = { joiningServers: null, leavingServers: null, newMembers: null, curConfigId: -1n, ...request };
  const rules = { standaloneEnabled: true, multiAddressEnabled: false };
  return reconfigure(whole, { current, lastSeen: current, rules, isQuorumSynced: synced, ...change }, ZXID);
}

function textOf(answer: Reconfiguration): string {
  return answer.kind === 'next' ? answer.membership.text : new KeeperError(answer.code).name;
}

const changes: readonly {
  readonly name: string;
  readonly request: Partial<ReconfigRequest>;
  readonly want: readonly string[];
}[] = [
  {
    name: 'who joins is added, with every part of its line',
    request: { joiningServers: ' server.4 = d:1:2:OBSERVER;4 , ' },
    want: [...LINES, 'server.4=d:1:2:observer;0.0.0.0:4'],
  },
  {
    name: 'who joins again has the new line',
    request: { joiningServers: 'server.3=c:1:2;9', curConfigId: VERSION },
    want: [LINES[0] ?? '', LINES[1] ?? '', 'server.3=c:1:2:participant;0.0.0.0:9'],
  },
  {
    name: 'who leaves is gone, a stranger was never there, and its addresses are free for who joins',
    request: { leavingServers: '2, 77', joiningServers: 'server.4=b:1:2;10.0.0.2:3' },
    want: [LINES[0] ?? '', LINES[2] ?? '', 'server.4=b:1:2:participant;10.0.0.2:3'],
  },
  {
    name: 'servers come in the order of a copied table: of eight bins for three',
    request: { joiningServers: 'server.8=d:1:2:observer;4' },
    want: ['server.8=d:1:2:observer;0.0.0.0:4', ...LINES],
  },
  {
    name: 'the whole membership, with commas or newlines, its own version ignored',
    request: { newMembers: 'server.2=b:1:2,server.1=a:1:2\nversion=5,' },
    want: ['server.1=a:1:2:participant', 'server.2=b:1:2:participant'],
  },
  {
    name: 'the whole membership in groups',
    request: { newMembers: 'server.2=b:1:2,server.1=a:1:2,group.1=1:2,weight.2=0' },
    want: ['server.1=a:1:2:participant', 'server.2=b:1:2:participant', 'group.1=1:2', 'weight.1=1', 'weight.2=0'],
  },
  { name: 'nothing at all is a new version', request: {}, want: LINES },
];
for (const { name, request, want } of changes) {
  test(name, () => assert.equal(textOf(ask(request)), [...want, 'version=100000009'].join('\n')));
}

const refusals: readonly { readonly code: ErrorCode; readonly requests: readonly Partial<ReconfigRequest>[] }[] = [
  { code: ErrorCode.BADVERSION, requests: [{ curConfigId: 1n }, { curConfigId: -2n, joiningServers: 'nonsense' }] },
  {
    code: ErrorCode.BADARGUMENTS,
    requests: [
      { joiningServers: 'nonsense' },
      { joiningServers: 'server.4=d:1:2;3=4' },
      { joiningServers: 'server.4=d:1;3' },
      { joiningServers: 'server.4=d:1:1;3' },
      { joiningServers: 'server.4=d:1:x;3' },
      { joiningServers: 'server.4=d:1:2:king;3' },
      { joiningServers: 'server.4=d:1:2' },
      { joiningServers: 'server.4=d:1:2|e:1:2;3' },
      { joiningServers: 'server.4=c:2:4;3' },
      { joiningServers: 'server.4=d:1:2;B:1' },
      { joiningServers: 'server.4=10.0.0.2:3:4;5' },
      { joiningServers: 'server.4=d:1:2;3,server.5=d:1:4;5' },
      { leavingServers: '2,3' },
      { newMembers: '' },
      { newMembers: 'server.1=a:1:2' },
      { newMembers: `${THREE},clientPort=1` },
      { newMembers: `${THREE},group.1=1:2` },
      { newMembers: `${THREE},group.1=1:2,group.2=3:2` },
    ],
  },
  {
    code: ErrorCode.MARSHALLINGERROR,
    requests: [
      { leavingServers: 'two' },
      { joiningServers: 'server.x=d:1:2;3' },
      { joiningServers: 'server.4=d:1:70000;3' },
      { joiningServers: 'server.4=d:1:2;-3' },
      { newMembers: 'server.1=a:1:2:observer' },
      { newMembers: 'server.1=a:1:2,server.2=b:1:2:observer' },
      { newMembers: `${THREE},version=x` },
      { newMembers: `${THREE},group.1=1:2:3:4` },
      { newMembers: `${THREE},weight.1=x,group.1=1:2:3` },
      { newMembers: `${THREE},server.4=\\u00` },
    ],
  },
  {
    code: ErrorCode.NEWCONFIGNOQUORUM,
    requests: [
      { newMembers: 'server.7=a:1:2,server.8=b:1:2' },
      { joiningServers: 'server.4=d:1:2;3,server.5=e:1:2;3,server.6=f:1:2;3' },
    ],
  },
];
for (const { code, requests } of refusals) {
  for (const request of requests) {
    test(`${new KeeperError(code).name}: ${JSON.stringify(request, (_, value) => (typeof value === 'bigint' ? `${value}` : value))}`, () => {
      assert.equal(textOf(ask(request)), new KeeperError(code).name);
    });
  }
}

test('loopback and wildcard addresses may be those of several servers', () => {
  const from = 'server.1=127.0.0.1:1:2\nserver.2=localhost:1:2\nserver.3=[::1]:1:2;0.0.0.0:4';
  const joiningServers = 'server.4=localhost:1:2;4,server.5=[::1]:1:2;0.0.0.0:4,server.6=127.0.0.1:1:2:observer;4';
  assert.equal(ask({ joiningServers }, { from }).kind, 'next');
});

test('while one is proposed, no other is: that comes before every other check', () => {
  const lastSeen = parseMembership(`${THREE}\nversion=100000007`);
  assert.equal(textOf(ask({ curConfigId: 1n, joiningServers: 'nonsense' }, { lastSeen })), 'ReconfigInProgress');
});

test('a membership with groups is not changed in parts', () => {
  const from = `${THREE}\ngroup.1=1:2:3`;
  assert.equal(textOf(ask({ leavingServers: '3' }, { from })), 'BadArguments');
  assert.equal(ask({ newMembers: THREE }, { from }).kind, 'next');
});

test('with standaloneEnabled=false one participant is enough, none is an error', () => {
  const rules = { standaloneEnabled: false, multiAddressEnabled: false };
  const change = { rules, isQuorumSynced: () => true };
  assert.equal(ask({ leavingServers: '2,3' }, change).kind, 'next');
  assert.equal(ask({ newMembers: 'server.1=a:1:2,server.2=b:1:2:observer' }, change).kind, 'next');
  assert.equal(textOf(ask({ leavingServers: '1,2,3' }, change)), 'BadArguments');
  assert.equal(textOf(ask({ newMembers: '' }, change)), 'MarshallingError');
});

test('several addresses, where they are enabled', () => {
  const rules = { standaloneEnabled: true, multiAddressEnabled: true };
  const joiningServers = 'server.4=e:1:2|d:3:4;5';
  assert.match(textOf(ask({ joiningServers }, { rules })), /^server\.4=d:3:4\|e:1:2:participant;0\.0\.0\.0:5$/m);
});
