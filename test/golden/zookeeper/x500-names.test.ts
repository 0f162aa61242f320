/** Distinguished names as Java prints and takes them (scripts/golden/x500-names.ts). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { certificateSubject } from '../../../src/config/x509/certificate-subject.ts';
import { DerError, readDer } from '../../../src/config/x509/der.ts';
import { printX500Name } from '../../../src/config/x509/x500-name.ts';
import { isX500Name } from '../../../src/zookeeper/server/auth/x500-name-text.ts';

interface Golden {
  readonly certificate: { readonly der: string; readonly subject: string };
  readonly printed: readonly { readonly der: string; readonly name: string }[];
  readonly taken: readonly { readonly text: string; readonly isName: boolean }[];
}
const golden = JSON.parse(readFileSync(join(import.meta.dirname, 'x500-names.json'), 'utf8')) as Golden;

test('names are printed as Java 17 prints them', () => {
  assert.ok(golden.printed.length > 40);
  for (const { der, name } of golden.printed) {
    const [value] = readDer(Buffer.from(der, 'base64'));
    assert.ok(value !== undefined);
    assert.equal(printX500Name(value), name);
  }
});

test('a text is a name where it is one for Java 17', () => {
  assert.ok(golden.taken.length > 400);
  const wrong = golden.taken.filter(({ text, isName }) => isX500Name(text) !== isName);
  assert.deepEqual(wrong, []);
});

test('the subject of a certificate is found, and no piece of one is taken for a whole', () => {
  const bytes = Buffer.from(golden.certificate.der, 'base64');
  assert.equal(certificateSubject(bytes), golden.certificate.subject);
  assert.equal(golden.certificate.subject, 'CN=Bob \\#1,OU=R\\+D,O=Acme\\, Inc.,C=DE');
  for (let length = 0; length < bytes.length; length += 1) {
    assert.throws(() => certificateSubject(bytes.subarray(0, length)), DerError);
  }
});
