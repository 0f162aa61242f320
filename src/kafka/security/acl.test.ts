import assert from 'node:assert/strict';
import test from 'node:test';
import {
  AclOperation,
  AclPermission,
  AclResource,
  decodeAcls,
  decodeExtendedChange,
  decodeLiteralChange,
  encodeAcls,
  encodeExtendedChange,
  encodeLiteralChange,
  operationName,
  PatternType,
  resourceTypeName,
  showPattern,
} from './acl.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const entry = {
  principal: 'User:Bob',
  host: '*',
  operation: AclOperation.describeConfigs,
  permission: AclPermission.allow,
};
const id = { resourceType: AclResource.transactionalId, patternType: PatternType.literal, name: 'a:b' };
const prefix = { resourceType: AclResource.topic, patternType: PatternType.prefixed, name: 'pre' };

test("a resource's znode is that of Apache", () => {
  const text =
    '{"acls":[{"principal":"User:Bob","permissionType":"Allow","host":"*","operation":"DescribeConfigs"}],"version":1}';
  assert.equal(Buffer.from(encodeAcls([entry])).toString(), text);
  assert.deepEqual(decodeAcls(bytes(text)), [entry]);
});

test('names of older versions are read, too, and the same ACL twice is one', () => {
  const one = '{"host":"*","operation":"DESCRIBECONFIGS","permissionType":"ALLOW","principal":"User:Bob"}';
  assert.deepEqual(decodeAcls(bytes(`{"acls":[${one},${one}],"version":1}`)), [entry]);
});

test('what cannot be read allows nothing', () => {
  for (const text of ['', '{', '{"version":2,"acls":[]}', '{"version":1}'])
    assert.deepEqual(decodeAcls(bytes(text)), []);
  assert.deepEqual(decodeAcls(null), []);
});

test('a change of a literal resource is told as text, whose name may have colons', () => {
  assert.equal(Buffer.from(encodeLiteralChange(id)).toString(), 'TRANSACTIONAL_ID:a:b');
  for (const text of ['TRANSACTIONAL_ID:a:b', 'TransactionalId:a:b']) {
    assert.deepEqual(decodeLiteralChange(bytes(text)), id);
  }
  for (const text of ['', 'Topic', 'Nothing:a']) assert.equal(decodeLiteralChange(bytes(text)), undefined);
});

test('a change of a prefixed one is told as JSON', () => {
  const text = '{"version":1,"resourceType":"TOPIC","name":"pre","patternType":"PREFIXED"}';
  assert.equal(Buffer.from(encodeExtendedChange(prefix)).toString(), text);
  assert.deepEqual(decodeExtendedChange(bytes(text)), prefix);
  assert.deepEqual(decodeExtendedChange(bytes(text.replace('TOPIC', 'Topic'))), prefix);
  for (const bad of [text.replace('PREFIXED', 'MATCH'), text.replace('TOPIC', 'ANY'), text.replace('1', '2'), '[]']) {
    assert.equal(decodeExtendedChange(bytes(bad)), undefined);
  }
});

test('patterns are shown as Java shows them', () => {
  assert.equal(showPattern(id), 'ResourcePattern(resourceType=TRANSACTIONAL_ID, name=a:b, patternType=LITERAL)');
  assert.deepEqual(
    [operationName(14), operationName(99), resourceTypeName(6)],
    ['DescribeTokens', 'Unknown', 'DelegationToken'],
  );
});
