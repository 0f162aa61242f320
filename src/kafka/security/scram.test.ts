import assert from 'node:assert/strict';
import test from 'node:test';
import { clientKeyOf, saltPassword, saslName, serverKeyOf, sign, storedKeyOf, userOfSaslName, xor } from './scram.ts';
import { scramMechanism } from './scram-credential.ts';

test('the exchange that RFC 7677 shows has its proof and its signature', () => {
  const sha256 = scramMechanism(1);
  assert.ok(sha256);
  const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
  const authMessage = `n=user,r=rOprNGfwEbeRWgbNEkqO,r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=${nonce}`;
  const salted = saltPassword(sha256, 'pencil', salt, 4096);
  const clientKey = clientKeyOf(sha256, salted);
  const clientSignature = sign(sha256, storedKeyOf(sha256, clientKey), authMessage);
  const proof = xor(clientKey, clientSignature);
  assert.equal(proof.toString('base64'), 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=');
  assert.deepEqual(xor(proof, clientSignature), clientKey, 'a server gets the key back');
  const signature = sign(sha256, serverKeyOf(sha256, salted), authMessage);
  assert.equal(signature.toString('base64'), '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
});

test('names come back from messages, whatever is in them', () => {
  for (const user of ['alice', 'a=b', 'a,b', '=2C', '=3D', ',=,', 'ü']) {
    assert.equal(userOfSaslName(saslName(user)), user);
    assert.doesNotMatch(saslName(user), /,/);
  }
  for (const name of ['a=b', '=', '=2', '=4D']) assert.equal(userOfSaslName(name), undefined, name);
});
