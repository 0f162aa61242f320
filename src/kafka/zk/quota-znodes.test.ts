import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { desanitize, sanitize } from './entity-names.ts';
import { type QuotaEntity, quotaEntity, quotaPath } from './quota-znodes.ts';

test('names are quoted as Java quotes them', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['plain-1_2.x', 'plain-1_2.x'],
    ['a b', 'a%20b'],
    ['a+b*', 'a%2Bb%2A'],
    ["!'()~", '%21%27%28%29%7E'],
    ['CN=é,O=Ü', 'CN%3D%C3%A9%2CO%3D%C3%9C'],
    ['<default>', '%3Cdefault%3E'],
    ['::1', '%3A%3A1'],
  ];
  for (const [name, text] of rows) {
    assert.equal(sanitize(name), text);
    assert.equal(desanitize(text), name);
  }
  assert.equal(desanitize('100%'), '100%', 'what is not quoted is taken as it is');
});

test('the path of an entity leads back to it', () => {
  const plain = { noNullPrototype: true };
  const name = fc.option(fc.string({ minLength: 1, unit: 'grapheme' }));
  const entity: fc.Arbitrary<QuotaEntity> = fc.oneof(
    fc.record({ user: name }, plain),
    fc.record({ clientId: name }, plain),
    fc.record({ user: name, clientId: name }, plain),
    fc.record({ ip: name }, plain),
  );
  fc.assert(fc.property(entity, (given) => assert.deepEqual(quotaEntity(quotaPath(given)), given)));
});

test('other paths are no quotas', () => {
  for (const path of [
    'topics/t',
    'users',
    'users/',
    'clients/c/clients/d',
    'users/u/x/c',
    'users/u/clients/c/d',
    'users/u/clients',
  ])
    assert.equal(quotaEntity(path), undefined, path);
});
