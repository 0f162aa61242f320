import assert from 'node:assert/strict';
import test from 'node:test';
import { encodeCredential, iterationsOf, scramMechanism } from './scram-credential.ts';

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
