import assert from 'node:assert/strict';
import test from 'node:test';
import type { Random } from '../../../runtime/random.ts';
import { clientKeyOf, saltPassword, serverKeyOf, storedKeyOf } from '../scram.ts';
import { scramMechanisms } from '../scram-credential.ts';
import { tokenHmac } from './delegation-token.ts';
import { TokenCache } from './token-cache.ts';

/** From a broker of Apache Kafka 3.9.1 with `delegation.token.secret.key=the key of the cluster`. */
const golden = {
  secretKey: 'the key of the cluster',
  tokenId: 'Bh2QuFDUStmQz9cqBjcaXw',
  hmac: 'k/EoE7JqF8JvJk9HqTuaNdvVQqahbfQmRIHgLibEmmd1BtSx2iK5ZyOZrAcMRUND54wqr1Yzp+A7IcNnWvEojQ==',
};

let salts = 0;
const random: Random = { uint32: () => 0, bytes: (count) => Buffer.alloc(count, ++salts) };
const ann = { type: 'User', name: 'ann' };
const bob = { type: 'User', name: 'bob' };
const token = {
  tokenId: golden.tokenId,
  owner: ann,
  requester: bob,
  renewers: [],
  issueTimestampMs: 1,
  expiryTimestampMs: 2,
  maxTimestampMs: 3,
};

test('the secret of a token is the one that Apache’s broker makes', () => {
  assert.equal(tokenHmac(golden.tokenId, golden.secretKey).toString('base64'), golden.hmac);
});

for (const mechanism of scramMechanisms) {
  test(`who says a token’s secret as base64 knows the password of its ${mechanism.name} credential`, () => {
    const cache = new TokenCache(golden.secretKey, random);
    cache.put(token);
    const credential = cache.find(golden.tokenId, mechanism.name)?.credential;
    assert.ok(credential);
    assert.equal(credential.iterations, 4096);
    const salted = saltPassword(mechanism, golden.hmac, credential.salt, credential.iterations);
    assert.deepEqual(credential.storedKey, storedKeyOf(mechanism, clientKeyOf(mechanism, salted)));
    assert.deepEqual(credential.serverKey, serverKeyOf(mechanism, salted));
  });
}

test('a token that lives on keeps its credential, and one that went is found by nobody', () => {
  const cache = new TokenCache(golden.secretKey, random);
  cache.put(token);
  const before = cache.find(golden.tokenId, 'SCRAM-SHA-256');
  cache.put({ ...token, expiryTimestampMs: 9 });
  const after = cache.find(golden.tokenId, 'SCRAM-SHA-256');
  assert.deepEqual([before?.expiresAtMs, after?.expiresAtMs], [2, 9]);
  assert.equal(after?.credential, before?.credential);
  const hmac = cache.hmacOf(golden.tokenId);
  assert.equal(cache.ofHmac(hmac)?.expiryTimestampMs, 9);
  cache.remove(golden.tokenId);
  assert.equal(cache.find(golden.tokenId, 'SCRAM-SHA-256'), undefined);
  assert.equal(cache.ofHmac(hmac), undefined);
  assert.deepEqual(cache.tokens, []);
});

test('the owner of a token is whom its holder is, whoever asked for it', () => {
  const cache = new TokenCache(golden.secretKey, random);
  cache.put(token);
  assert.equal(cache.find(golden.tokenId, 'SCRAM-SHA-512')?.owner, 'ann');
});
