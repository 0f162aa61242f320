import assert from 'node:assert/strict';
import test from 'node:test';
import { decodeCredential, encodeCredential, iterationsOf, scramMechanism } from './scram-credential.ts';

test('a credential is what Apache 3.9.1 wrote for the same salted password', () => {
  const sha256 = scramMechanism(1);
  assert.ok(sha256);
  const given = { salt: Buffer.from('saltsalt'), saltedPassword: Buffer.alloc(32, 7), iterations: 8192 };
  assert.equal(
    encodeCredential(sha256, given),
    'salt=c2FsdHNhbHQ=,stored_key=zgcOxV8WknUpJycREyrG4VaP6SHOrAyNwgF9JkIy93o=,' +
      'server_key=1KPPA5EU8AdxLpjWEsmpLSt2JjKFZtYc/su7LJSD+Ok=,iterations=8192',
  );
});

test('iterations are read from wherever they stand, and from nothing else', () => {
  assert.equal(iterationsOf('salt=a,stored_key=b,server_key=c,iterations=4096'), 4096);
  assert.equal(iterationsOf('iterations=5000,salt=a'), 5000);
  for (const text of ['', 'salt=a', 'xiterations=7', 'iterations=-1', 'iterations=many']) {
    assert.equal(iterationsOf(text), undefined, text);
  }
});

test('a credential that was written is read, and nothing that lacks a field or has one more', () => {
  const sha256 = scramMechanism(1);
  assert.ok(sha256);
  const given = { salt: Buffer.from('saltsalt'), saltedPassword: Buffer.alloc(32, 7), iterations: 8192 };
  const text = encodeCredential(sha256, given);
  const read = decodeCredential(text);
  assert.ok(read);
  assert.deepEqual(read.salt, given.salt);
  assert.equal(read.iterations, 8192);
  assert.equal(Buffer.from(read.storedKey).toString('base64'), 'zgcOxV8WknUpJycREyrG4VaP6SHOrAyNwgF9JkIy93o=');
  assert.equal(Buffer.from(read.serverKey).toString('base64'), '1KPPA5EU8AdxLpjWEsmpLSt2JjKFZtYc/su7LJSD+Ok=');
  for (const wrong of ['', text.replace('salt=', 'pepper='), `${text},more=1`, text.replace('8192', 'x'), 'salt']) {
    assert.equal(decodeCredential(wrong), undefined, wrong);
  }
});
