import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
// biome-ignore lint/style/noRestrictedImports: golden files
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { keyStoreType, readKeyStore, readTrustStore } from './key-store.ts';
import { KeyStoreError } from './key-store-error.ts';
import { pemCertificates, pemIdentity } from './pem.ts';
import { readPkcs12 } from './pkcs12.ts';

/** Made by keytool and OpenSSL (scripts/golden/tls-stores.ts). */
const folder = join(import.meta.dirname, '../../../test/golden/tls');
const file = (name: string): Uint8Array => readFileSync(join(folder, name));
const pem = (name: string): string => readFileSync(join(folder, `${name}.pem`), 'latin1');
const hex = (certificates: readonly Uint8Array[]): string[] =>
  certificates.map((each) => Buffer.from(each).toString('hex'));

const stores = [
  { suffix: 'jks', type: 'JKS' },
  { suffix: 'p12', type: 'PKCS12' },
  { suffix: 'legacy.p12', type: 'PKCS12' },
] as const;

for (const { suffix, type } of stores) {
  for (const name of ['server', 'client']) {
    test(`${name}.${suffix} of keytool gives the key and the chain of ${name}.pem`, () => {
      const found = readKeyStore(file(`${name}.${suffix}`), { type, password: 'password' });
      const want = pemIdentity(pem(name), '');
      assert.deepEqual(hex(found.certificates), hex(want.certificates));
      const [a, b] = [found, want].map(({ privateKey }) =>
        createPrivateKey({ key: Buffer.from(privateKey), format: 'der', type: 'pkcs8' }),
      );
      assert.ok(a!.equals(b!));
      assert.ok(new X509Certificate(found.certificates[0]!).checkPrivateKey(a!));
    });
  }

  test(`trust.${suffix} of keytool gives its two authorities`, () => {
    const trusted = readTrustStore(file(`trust.${suffix}`), { type, password: 'password' });
    const want = [...pemCertificates(pem('ca')), ...pemCertificates(pem('other-ca'))];
    assert.deepEqual(hex(trusted).sort(), hex(want).sort());
  });

  test(`a wrong password for server.${suffix} is refused, and so is a damaged or a short file`, () => {
    const bytes = file(`server.${suffix}`);
    assert.throws(() => readKeyStore(bytes, { type, password: 'wrong' }), /password/);
    const damaged = Uint8Array.from(bytes);
    damaged[bytes.length - 200]! ^= 1;
    assert.throws(() => readKeyStore(damaged, { type, password: 'password' }), KeyStoreError);
    for (let size = 0; size < bytes.length; size += 97) {
      assert.throws(() => readKeyStore(bytes.subarray(0, size), { type, password: 'password' }), KeyStoreError);
    }
  });
}

test('a JKS trust store opens without its password, as in Java', () => {
  assert.equal(readTrustStore(file('trust.jks'), { type: 'JKS', password: '' }).length, 2);
});

test('the certificate beside a key is not trusted by itself', () => {
  assert.equal(readPkcs12(file('server.p12'), 'password').trusted.length, 0);
  assert.throws(() => readTrustStore(file('server.p12'), { type: 'PKCS12', password: 'password' }), /no trusted/);
  assert.throws(() => readKeyStore(file('trust.p12'), { type: 'PKCS12', password: 'password' }), /no private key/);
});

test('an encrypted PEM key needs its password', () => {
  const bytes = file('server.encrypted.pem');
  const found = readKeyStore(bytes, { type: 'PEM', password: 'password' });
  assert.deepEqual(hex([found.privateKey]), hex([pemIdentity(pem('server'), '').privateKey]));
  assert.throws(() => readKeyStore(bytes, { type: 'PEM', password: '' }), /password/);
  assert.throws(() => readKeyStore(bytes, { type: 'PEM', password: 'wrong' }), /password/);
});

test('PEM without a key, or without a certificate, is refused', () => {
  const key = /-----BEGIN PRIVATE KEY[\s\S]*END PRIVATE KEY-----/.exec(pem('server'))![0];
  assert.throws(() => pemIdentity(key, ''), /certificate/);
  assert.throws(() => pemIdentity(pem('server').replace(key, ''), ''), /private key/);
});

test('the type follows from the suffix unless it is named, and what cannot be read is refused by name', () => {
  const cases = [
    [undefined, 'a.jks', 'JKS'],
    [undefined, 'a.p12', 'PKCS12'],
    ['', 'a.pem', 'PEM'],
    ['jks', 'a.pem', 'JKS'],
  ] as const;
  for (const [name, location, want] of cases) assert.equal(keyStoreType(name, location), want);
  assert.throws(() => keyStoreType(undefined, 'a.bcfks'), /BCFKS/);
  assert.throws(() => keyStoreType('BCFKS', 'a.p12'), /BCFKS/);
  assert.throws(() => keyStoreType(undefined, 'a.keystore'), /type/);
  assert.throws(() => keyStoreType('DER', 'a.p12'), /choose/);
});
