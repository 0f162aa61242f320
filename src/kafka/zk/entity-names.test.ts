import assert from 'node:assert/strict';
import test from 'node:test';
import { desanitize, sanitize } from './entity-names.ts';

test('names become what Java makes of them, and come back', () => {
  const names = new Map([
    ['b*b +ü/@', 'b%2Ab%20%2B%C3%BC%2F%40'], // as Apache 3.9.1 wrote it
    ["a-b.c_d!'()~", 'a-b.c_d%21%27%28%29%7E'],
    ['CN=x,O=y', 'CN%3Dx%2CO%3Dy'],
  ]);
  for (const [name, sanitized] of names) {
    assert.equal(sanitize(name), sanitized);
    assert.equal(desanitize(sanitized), name);
  }
  assert.equal(desanitize('100%'), '100%');
});
