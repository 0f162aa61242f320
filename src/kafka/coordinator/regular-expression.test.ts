import assert from 'node:assert/strict';
import test from 'node:test';
import { compilePattern } from './regular-expression.ts';

test('a pattern has to match the whole text', () => {
  const matches = compilePattern('pay-.*|x');
  assert.ok(matches);
  assert.deepEqual(['pay-1', 'x', 'prepay-1', 'xx', ''].map(matches), [true, true, false, false, false]);
});

test('what is no pattern, or needs backtracking, is refused', () => {
  for (const pattern of ['(', '*', '[a', '(?=a)', '(a)\\1', 'a{2,1}'])
    assert.equal(compilePattern(pattern), undefined, pattern);
});

test('a pattern that costs a backtracking engine an age is answered at once', () => {
  const matches = compilePattern('(a+)+(a+)+(a+)+b');
  assert.equal(matches?.('a'.repeat(2000)), false);
});
