import assert from 'node:assert/strict';
import test from 'node:test';
import { canonicalText } from '../../../config/canonical-text.ts';
import { brokerKeys } from './broker-keys.ts';
import { keyDocumentation } from './documentation/key-documentation.ts';
import { keyLimits } from './key-limits.ts';

test('every key is documented in a sentence of its own, and nothing else is', () => {
  assert.deepEqual([...keyDocumentation.keys()].sort(), [...brokerKeys.keys()].sort());
  for (const [name, text] of keyDocumentation) assert.match(text, /^[A-Z`].*\.$/, name);
});

test('limits are those of keys, and every default keeps within them', () => {
  for (const name of keyLimits.keys()) assert.ok(brokerKeys.has(name), name);
  for (const { name, default: value, min, max, allowed } of brokerKeys.values()) {
    if (value === null || value === '') continue;
    assert.ok(min === undefined || Number(value) >= min, name);
    assert.ok(max === undefined || Number(value) <= max, name);
    assert.ok(allowed === undefined || value.split(',').every((item) => allowed.includes(item)), name);
  }
});

test('values are told as Java tells them', () => {
  const cases = [
    ['double', '2', '2.0'],
    ['double', '0.5', '0.5'],
    ['double', '1.7976931348623157E308', '1.7976931348623157E308'],
    ['double', '1e7', '1.0E7'],
    ['double', '0.0001', '1.0E-4'],
    ['long', ' +05 ', '5'],
    ['boolean', 'TRUE ', 'true'],
    ['list', 'a, b ,', 'a,b'],
    ['string', ' as it is ', ' as it is '],
  ] as const;
  for (const [type, text, want] of cases) assert.equal(canonicalText(type, text), want, `${type} ${text}`);
});
