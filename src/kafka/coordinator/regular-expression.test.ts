import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { compilePattern, PatternError } from './regular-expression.ts';

const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['orders', ['orders'], ['orders2', 'order', '']],
  ['orders.*', ['orders', 'orders-eu', 'orders.x'], ['my-orders']],
  ['orders\\..+', ['orders.x'], ['orders-x', 'orders.']],
  ['(a|bc)+', ['a', 'bca', 'abc'], ['', 'b', 'ac']],
  ['[a-c_.-]{2,3}', ['ab', 'a-.'], ['a', 'abca', 'ad']],
  ['[^0-9]+', ['abc'], ['ab1']],
  ['[[:digit:]x]+\\d\\w', ['x12', '1x3_'], ['a12']],
  ['(?i)Orders', ['ORDERS', 'orders'], ['0rders']],
  ['(?i:a)b', ['Ab', 'ab'], ['aB']],
  ['(?P<name>a)(?<other>b)(?:c)', ['abc'], ['ab']],
  ['^a$', ['a'], ['aa']],
  ['\\Aa\\z', ['a'], ['ba']],
  ['a\\b-b', ['a-b'], ['ab']],
  ['a{0}b??', ['', 'b'], ['a', 'ab']],
  ['a{,2}', ['a{,2}'], ['a', 'aa']],
  ['\\Qa.b\\E.', ['a.bc'], ['axbc']],
  ['\\x61\\101\\x{62}', ['aAb'], ['aab']],
  ['[]a]', [']', 'a'], ['b']],
  ['[a\\]]', [']', 'a'], ['\\']],
  ['\\pL+\\p{Nd}', ['ab1'], ['ab', '1']],
  ['\\PL', ['1'], ['a']],
  ['', [''], ['a']],
  ['|a', ['', 'a'], ['b']],
];

for (const [source, matching, others] of cases) {
  test(`/${source}/ matches what it should`, () => {
    const matches = compilePattern(source);
    for (const text of matching) assert.equal(matches(text), true, text);
    for (const text of others) assert.equal(matches(text), false, text);
  });
}

const faults: readonly (readonly [string, string])[] = [
  ['(', 'missing closing )'],
  ['a)', 'regexp/syntax: internal error'],
  ['[a', 'missing closing ]'],
  ['[b-a]', 'invalid character class range'],
  ['[[:none:]]', 'invalid character class range'],
  ['*a', 'missing argument to repetition operator'],
  ['a**', 'invalid nested repetition operator'],
  ['a{1001}', 'invalid repeat count'],
  ['a{2,1}', 'invalid repeat count'],
  ['(a{100}){100}', 'invalid repeat count'],
  ['x\\', 'trailing backslash at end of expression'],
  ['\\8', 'invalid escape sequence'],
  ['(?=a)', 'invalid or unsupported Perl syntax'],
  ['(?P<n>a)(?P<n>b)', 'duplicate capture group name'],
  ['(?P<n', 'invalid named capture'],
];

for (const [source, message] of faults) {
  test(`/${source}/ is refused`, () => {
    assert.throws(() => compilePattern(source), { name: 'PatternError', message });
  });
}

test('nothing nests too deeply for the one who reads it', () => {
  const pattern = `${'('.repeat(20_000)}a${')'.repeat(20_000)}`;
  assert.throws(() => compilePattern(pattern), { name: 'PatternError', message: 'expression nests too deeply' });
});

test('a pattern that costs a backtracking engine an age is answered at once', () => {
  assert.equal(compilePattern('(a+)+(a+)+(a+)+b')('a'.repeat(2000)), false);
});

test('what both understand is matched as JavaScript matches it', () => {
  const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\d', '\\w', '(?:a|b)', '(b)', '-', '\\.');
  const piece = fc.tuple(atom, fc.constantFrom('', '*', '+', '?', '{2}', '{1,2}', '*?')).map((parts) => parts.join(''));
  const expression = fc.array(
    fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.join('')),
    { minLength: 1, maxLength: 3 },
  );
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '1', '-', '.'), maxLength: 6 });
  fc.assert(
    fc.property(expression, text, (choices, name) => {
      const source = choices.join('|');
      assert.equal(compilePattern(source)(name), new RegExp(`^(?:${source})$`).test(name), source);
    }),
    { numRuns: 2000, seed: 848 },
  );
});

test('whatever is sent is an expression or is refused', () => {
  const junk = fc.string({ unit: fc.constantFrom(...'ab()[]{}|*+?\\^$.-,12:<>=!PQEpx'), maxLength: 12 });
  fc.assert(
    fc.property(junk, (source) => {
      try {
        compilePattern(source)('ab-1.2');
      } catch (error) {
        assert.ok(error instanceof PatternError, String(error));
      }
    }),
    { numRuns: 5000, seed: 848 },
  );
});
