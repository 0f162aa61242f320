import assert from 'node:assert/strict';
import test from 'node:test';
import { javaDouble } from './java-double.ts';

test('doubles are written as Java writes them', () => {
  const rows: readonly (readonly [number, string])[] = [
    [1024, '1024.0'],
    [10.5, '10.5'],
    [0, '0.0'],
    [-2, '-2.0'],
    [9_999_999, '9999999.0'],
    [10_000_000, '1.0E7'],
    [10_485_760, '1.048576E7'],
    [0.001, '0.001'],
    [0.0005, '5.0E-4'],
    [1.25e-7, '1.25E-7'],
    [2 ** 63, '9.223372036854776E18'],
    [Infinity, 'Infinity'],
    [Number.NaN, 'NaN'],
  ];
  for (const [value, text] of rows) assert.equal(javaDouble(value), text);
});
