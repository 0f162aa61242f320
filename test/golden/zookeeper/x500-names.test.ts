/** Distinguished names as Java prints and takes them (scripts/golden/x500-names.ts). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { readDer } from '../../../src/zookeeper/server/auth/der.ts';
import { printX500Name } from '../../../src/zookeeper/server/auth/x500-name.ts';
import { isX500Name } from '../../../src/zookeeper/server/auth/x500-name-text.ts';

interface Golden {
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
