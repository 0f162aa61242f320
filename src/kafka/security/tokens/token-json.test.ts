import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { DelegationToken } from './delegation-token.ts';
import { DamagedTokenError, decodeToken, encodeToken } from './token-json.ts';

const plain = { noNullPrototype: true };
const principal = fc.record({ type: fc.stringMatching(/^[^:]*$/), name: fc.string({ unit: 'grapheme' }) }, plain);
const timestamp = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const token: fc.Arbitrary<DelegationToken> = fc.record(
  {
    tokenId: fc.string(),
    owner: principal,
    requester: principal,
    renewers: fc.array(principal, { maxLength: 3 }),
    issueTimestampMs: timestamp,
    maxTimestampMs: timestamp,
    expiryTimestampMs: timestamp,
  },
  plain,
);

test('a token comes back from its znode as it was', () => {
  fc.assert(fc.property(token, (one) => assert.deepEqual(decodeToken(encodeToken(one)), one)));
});

const text = (fields: object): Buffer =>
  Buffer.from(
    JSON.stringify({
      version: 3,
      owner: 'User%3Aann',
      tokenRequester: 'User%3Abob',
      renewers: ['User%3Aeve'],
      issueTimestamp: 1,
      maxTimestamp: 3,
      expiryTimestamp: 2,
      tokenId: 'id',
      ...fields,
    }),
  );

test('before version 3 whoever asked for a token was its owner', () => {
  for (const version of [1, 2]) {
    assert.deepEqual(decodeToken(text({ version, tokenRequester: undefined }))?.requester, {
      type: 'User',
      name: 'ann',
    });
  }
  assert.deepEqual(decodeToken(text({}))?.requester, { type: 'User', name: 'bob' });
});

test('nothing, and what is no JSON, is no token', () => {
  for (const bytes of [null, Buffer.alloc(0), Buffer.from('id'), Buffer.from('[1]')]) {
    assert.equal(decodeToken(bytes), undefined);
  }
});

const damages: Record<string, object> = {
  'of a version to come': { version: 4 },
  'of version 0': { version: 0 },
  'without a version': { version: undefined },
  'whose owner has no type': { owner: 'ann' },
  'whose renewer has no type': { renewers: ['ann'] },
  'without renewers': { renewers: null },
  'without an id': { tokenId: 7 },
  'without an end': { maxTimestamp: '3' },
};
for (const [name, fields] of Object.entries(damages)) {
  test(`a token ${name} cannot be read`, () => {
    assert.throws(() => decodeToken(text(fields)), DamagedTokenError);
  });
}
