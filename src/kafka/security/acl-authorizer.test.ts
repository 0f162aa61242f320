import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type Log, silent } from '../../runtime/log.ts';
import { ApiKey } from '../protocol/api-keys.ts';
import {
  type AclBinding,
  type AclEntry,
  AclOperation,
  AclPermission,
  AclResource,
  isSameEntry,
  PatternType,
} from './acl.ts';
import { AclAuthorizer } from './acl-authorizer.ts';
import { filtered, onlyTold } from './authorizer.ts';

const { topic, group } = AclResource;
const { allow, deny } = AclPermission;
const { literal, prefixed } = PatternType;
const { all, read, write, create, describe, describeConfigs, alterConfigs } = AclOperation;

const alice = { principal: 'alice', clientAddress: '10.0.0.1' };

function authorizer(
  bindings: readonly AclBinding[],
  { superUsers = new Set<string>(), allowsWithoutAcl = false, log = silent } = {},
): AclAuthorizer {
  const made = new AclAuthorizer({ superUsers, allowsWithoutAcl, log });
  const patterns = new Map(bindings.map(({ pattern }) => [JSON.stringify(pattern), pattern]));
  for (const [key, pattern] of patterns) {
    made.set(
      pattern,
      bindings.filter((one) => JSON.stringify(one.pattern) === key).map(({ entry }) => entry),
    );
  }
  return made;
}

const acl = (name: string, entry: Partial<AclEntry> = {}, patternType: number = literal): AclBinding => ({
  pattern: { resourceType: topic, patternType, name },
  entry: { principal: 'User:alice', host: '*', operation: read, permission: allow, ...entry },
});

const cases: readonly {
  readonly name: string;
  readonly acls: readonly AclBinding[];
  readonly operation?: number;
  readonly resource?: string;
  readonly want: boolean;
}[] = [
  { name: 'without any ACL nobody may do anything', acls: [], want: false },
  { name: 'an ACL allows what it names', acls: [acl('t')], want: true },
  { name: 'and nothing else', acls: [acl('t')], operation: write, want: false },
  { name: 'an ACL of another resource allows nothing', acls: [acl('u')], want: false },
  { name: 'nor does one of another user', acls: [acl('t', { principal: 'User:bob' })], want: false },
  { name: 'nor one of another host', acls: [acl('t', { host: '10.0.0.2' })], want: false },
  { name: 'a host counts', acls: [acl('t', { host: '10.0.0.1' })], want: true },
  { name: 'everybody is the user, too', acls: [acl('t', { principal: 'User:*' })], want: true },
  { name: 'a star of another type of principals is nobody', acls: [acl('t', { principal: 'Group:*' })], want: false },
  { name: 'the star is every resource', acls: [acl('*')], want: true },
  { name: 'a prefix is all that begins with it', acls: [acl('or', {}, prefixed)], resource: 'orders', want: true },
  { name: 'a prefix may be the whole name', acls: [acl('orders', {}, prefixed)], resource: 'orders', want: true },
  { name: 'a prefix does not match what is shorter', acls: [acl('orders', {}, prefixed)], resource: 'or', want: false },
  { name: 'a star as a prefix is but a character', acls: [acl('*', {}, prefixed)], resource: 'orders', want: false },
  {
    name: 'a denial counts more than an allowance',
    acls: [acl('t'), acl('t', { permission: deny, host: '10.0.0.1' })],
    want: false,
  },
  { name: 'wherever it stands', acls: [acl('t'), acl('*', { permission: deny })], want: false },
  { name: 'also for a prefix', acls: [acl('t'), acl('t', { permission: deny }, prefixed)], want: false },
  { name: 'ALL is every operation', acls: [acl('t', { operation: all })], operation: create, want: true },
  {
    name: 'ALL denies every operation',
    acls: [acl('t'), acl('t', { operation: all, permission: deny })],
    want: false,
  },
  { name: 'who may read may describe', acls: [acl('t')], operation: describe, want: true },
  { name: 'who may create may not', acls: [acl('t', { operation: create })], operation: describe, want: false },
  {
    name: 'who may alter configuration may see it',
    acls: [acl('t', { operation: alterConfigs })],
    operation: describeConfigs,
    want: true,
  },
  {
    name: 'whom reading is denied may describe nevertheless',
    acls: [acl('t', { operation: write }), acl('t', { permission: deny })],
    operation: describe,
    want: true,
  },
];
for (const { name, acls, operation = read, resource = 't', want } of cases) {
  test(name, () => assert.equal(authorizer(acls).isAllowed(alice, operation, topic, resource), want));
}

test('super users need no ACL and fear none', () => {
  const superUsers = new Set(['User:alice']);
  const made = authorizer([acl('t', { permission: deny })], { superUsers });
  assert.equal(made.isAllowed(alice, read, topic, 't'), true);
  assert.equal(made.isAllowedSomewhere(alice, write, topic), true);
  assert.equal(made.isAllowed({ ...alice, principal: 'bob' }, read, topic, 't'), false);
});

test('everybody may do what no ACL is about, if that is configured', () => {
  const made = authorizer([acl('t', { principal: 'User:bob' })], { allowsWithoutAcl: true });
  assert.equal(made.isAllowed(alice, read, topic, 'u'), true);
  assert.equal(made.isAllowed(alice, read, group, 't'), true);
  assert.equal(made.isAllowed(alice, read, topic, 't'), false);
  assert.equal(made.isAllowedSomewhere(alice, write, topic), true);
  made.set(acl('*').pattern, [acl('*', { permission: deny, operation: write }).entry]);
  assert.equal(made.isAllowedSomewhere(alice, write, topic), false);
});

test('the broker itself may do everything', () => {
  assert.equal(authorizer([]).isAllowed({ clientAddress: 'local' }, read, topic, 't'), true);
  assert.equal(authorizer([]).isAllowedSomewhere({ clientAddress: 'local' }, read, topic), true);
});

test('hosts of ACLs are addresses as Java writes them', () => {
  const made = authorizer([acl('t', { host: '0:0:0:0:0:0:0:1' })]);
  assert.equal(made.isAllowed({ ...alice, clientAddress: '::1' }, read, topic, 't'), true);
  assert.equal(made.isAllowed({ ...alice, clientAddress: '::2' }, read, topic, 't'), false);
});

test('ACLs that are gone allow nothing any more', () => {
  const made = authorizer([acl('t'), acl('t', {}, prefixed)]);
  made.set(acl('t').pattern, []);
  assert.equal([...made.bindings()].length, 1);
  made.set(acl('t', {}, prefixed).pattern, []);
  assert.deepEqual([...made.bindings()], []);
  assert.equal(made.isAllowed(alice, read, topic, 't'), false);
});

test('what is decided is logged in the words of Apache, unless nobody asked for it', () => {
  const lines: string[] = [];
  const log: Log = {
    ...silent,
    info: (line) => void lines.push(`INFO ${line}`),
    debug: (line) => void lines.push(`DEBUG ${typeof line === 'string' ? line : line()}`),
  };
  const made = authorizer([acl('t')], { log });
  const client = { ...alice, apiKey: ApiKey.Fetch };
  made.isAllowed(client, read, topic, 't');
  made.isAllowed(client, write, topic, 't', filtered);
  made.isAllowed(client, read, topic, 't', onlyTold);
  made.isAllowed(client, describeConfigs, topic, 'u', { logsAllowed: true, logsDenied: true, references: 3 });
  made.isAllowedSomewhere({ ...alice, apiKey: ApiKey.InitProducerId }, write, topic);
  assert.deepEqual(lines, [
    'DEBUG Principal = User:alice is Allowed Operation = Read from host = 10.0.0.1 on resource = Topic:LITERAL:t for request = Fetch with resourceRefCount = 1',
    'INFO Principal = User:alice is Denied Operation = DescribeConfigs from host = 10.0.0.1 on resource = Topic:LITERAL:u for request = Fetch with resourceRefCount = 3',
    'INFO Principal = User:alice is Denied Operation = Write from host = 10.0.0.1 on resource = Topic:UNKNOWN:NONE for request = InitProducerId with resourceRefCount = 0',
  ]);
});

// ---- beside a model that looks at every ACL

const names = ['*', 'a', 'ab', 'abc', 'b'];
const binding = fc.record({
  pattern: fc.record({
    resourceType: fc.constantFrom<number>(topic, group),
    patternType: fc.constantFrom<number>(literal, prefixed),
    name: fc.constantFrom(...names),
  }),
  entry: fc.record({
    principal: fc.constantFrom('User:alice', 'User:bob', 'User:*', 'Role:alice'),
    host: fc.constantFrom('*', '10.0.0.1', '10.0.0.2'),
    operation: fc.constantFrom<number>(all, read, write, describe, describeConfigs, alterConfigs),
    permission: fc.constantFrom<number>(allow, deny),
  }),
});

interface Question {
  readonly principal: string;
  readonly clientAddress: string;
  readonly operation: number;
  readonly resourceType: number;
  readonly name: string;
}
const question: fc.Arbitrary<Question> = fc.record({
  principal: fc.constantFrom('alice', 'bob', 'carol'),
  clientAddress: fc.constantFrom('10.0.0.1', '10.0.0.2'),
  operation: fc.constantFrom<number>(read, write, describe, describeConfigs, alterConfigs),
  resourceType: fc.constantFrom<number>(topic, group),
  name: fc.constantFrom(...names, 'c'),
});

function about({ resourceType, name }: Question, { pattern }: AclBinding): boolean {
  if (pattern.resourceType !== resourceType) return false;
  if (pattern.patternType === prefixed) return name.startsWith(pattern.name);
  return pattern.name === '*' || pattern.name === name;
}

function model(bindings: readonly AclBinding[], asked: Question, allowsWithoutAcl: boolean, implies = true): boolean {
  const found = bindings.filter((one) => about(asked, one)).map(({ entry }) => entry);
  if (found.length === 0) return allowsWithoutAcl;
  const sayings = found.filter(
    ({ principal, host }) =>
      ['User:*', `User:${asked.principal}`].includes(principal) && ['*', asked.clientAddress].includes(host),
  );
  const covers = (operation: number, wanted: number) => operation === all || operation === wanted;
  if (sayings.some((one) => one.permission === deny && covers(one.operation, asked.operation))) return false;
  return sayings.some(
    (one) =>
      one.permission === allow &&
      (covers(one.operation, asked.operation) ||
        (implies && asked.operation === describe && [read, write].includes(one.operation as 3)) ||
        (implies && asked.operation === describeConfigs && one.operation === alterConfigs)),
  );
}

test('whatever the ACLs, the answer is that of a model that looks at each of them', () => {
  fc.assert(
    fc.property(fc.array(binding, { maxLength: 12 }), question, fc.boolean(), (bindings, asked, allowsWithoutAcl) => {
      const distinct = bindings.filter(
        (one, index) =>
          !bindings
            .slice(0, index)
            .some(
              (other) =>
                JSON.stringify(other.pattern) === JSON.stringify(one.pattern) && isSameEntry(other.entry, one.entry),
            ),
      );
      const made = authorizer(distinct, { allowsWithoutAcl });
      assert.equal(
        made.isAllowed(asked, asked.operation, asked.resourceType, asked.name),
        model(distinct, asked, allowsWithoutAcl),
      );
      assert.equal([...made.bindings()].length, distinct.length);
    }),
    { numRuns: 3000 },
  );
});

test('a right somewhere is a right to one of the names that there could be', () => {
  fc.assert(
    fc.property(fc.array(binding, { maxLength: 8 }), question, (bindings, asked) => {
      // A name that is in no pattern but the prefix, and one that is in none at all.
      const candidates = ['fresh', ...names, ...names.map((name) => `${name}-fresh`)];
      const want = candidates.some((name) => model(bindings, { ...asked, name }, false, false));
      const made = authorizer(bindings);
      assert.equal(made.isAllowedSomewhere(asked, asked.operation, asked.resourceType), want);
    }),
    { numRuns: 3000 },
  );
});
