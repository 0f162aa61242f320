import assert from 'node:assert/strict';
import test from 'node:test';
import { type ConfigRule, configDefFault, numberFault, parseBoolean, parseNumber, splitList } from './values.ts';

const judged: readonly (readonly [ConfigRule, string, string | undefined])[] = [
  [{ type: 'int' }, ' 2147483647 ', undefined],
  [{ type: 'int' }, '+5', undefined],
  [{ type: 'int' }, '2147483648', 'Not a number of type INT'],
  [{ type: 'int' }, '1.0', 'Not a number of type INT'],
  [{ type: 'short' }, '-32769', 'Not a number of type SHORT'],
  [{ type: 'long' }, '9223372036854775807', undefined],
  [{ type: 'long' }, '9223372036854775808', 'Not a number of type LONG'],
  [{ type: 'long' }, '0000000000000000000000000000001', undefined],
  [{ type: 'long', min: 1 }, '0', 'Value must be at least 1'],
  [{ type: 'int', max: 9 }, '10', 'Value must be no more than 9'],
  [{ type: 'double' }, '', 'Not a number of type DOUBLE'],
  [{ type: 'double', max: 1 }, '1.1', 'Value must be no more than 1'],
  [{ type: 'boolean' }, ' TRUE', undefined],
  [{ type: 'boolean' }, 'yes', 'Expected value to be either true or false'],
  [{ type: 'string', allowed: ['gzip', 'zstd'] }, 'Gzip', 'String must be one of: gzip, zstd'],
  [{ type: 'list', allowed: ['compact', 'delete'] }, ' delete , compact', undefined],
  [{ type: 'list', allowed: ['compact', 'delete'] }, 'delete,shred', 'String must be one of: compact, delete'],
  [{ type: 'password' }, '', undefined],
];
for (const [rule, value, want] of judged) {
  test(`${JSON.stringify(rule)} ${want === undefined ? 'takes' : 'refuses'} "${value}"`, () => {
    assert.equal(configDefFault(rule, value), want);
  });
}

test('a number of zoo.cfg takes no blanks, and knows which limit it breaks', () => {
  assert.equal(numberFault('int', ' 1', {}), 'not such a number');
  assert.equal(numberFault('int', '1', { min: 2 }), 'too small');
  assert.equal(numberFault('int', '3', { max: 2 }), 'too large');
  assert.equal(numberFault('int', '2', { min: 2, max: 2 }), undefined);
});

test('what is taken is read as Apache reads it', () => {
  assert.equal(parseBoolean(' True '), true);
  assert.equal(parseBoolean('yes'), false);
  assert.equal(parseNumber(' 9223372036854775807'), Infinity);
  assert.equal(parseNumber('-9223372036854775808'), -Infinity);
  assert.equal(parseNumber('-1'), -1);
  assert.deepEqual(splitList(' a, ,b,'), ['a', 'b']);
});
