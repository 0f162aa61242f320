import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { readLines } from './lines.ts';
import { parseRecordLine, RecordLineError, recordLineOptions } from './record-line.ts';

const options = (properties: Record<string, string>, isOldTool = false) =>
  recordLineOptions(new Map(Object.entries(properties)), isOldTool);
const bytes = (text: string): Uint8Array => Buffer.from(text);

test('a line is a value unless keys and headers are wanted', () => {
  assert.deepEqual(parseRecordLine('a\tb', 1, options({})), { key: null, value: 'a\tb', headers: [] });
});

test('headers, key and value in that order', () => {
  const parsed = parseRecordLine('h:1,i:2\tk\tv\tw', 1, options({ 'parse.key': 'true', 'parse.headers': 'true' }));
  assert.deepEqual(parsed, {
    key: 'k',
    value: 'v\tw',
    headers: [
      { key: 'h', value: bytes('1') },
      { key: 'i', value: bytes('2') },
    ],
  });
});

test('the null marker is null wherever it stands', () => {
  const marked = options({ 'parse.key': 'true', 'parse.headers': 'true', 'null.marker': 'N' });
  assert.deepEqual(parseRecordLine('N\tN\tN', 1, marked), { key: null, value: null, headers: [] });
  assert.deepEqual(parseRecordLine('h:N\tk\tv', 1, marked).headers, [{ key: 'h', value: null }]);
});

const faults: readonly { name: string; line: string; properties: Record<string, string>; want: string }[] = [
  {
    name: 'no key',
    line: 'nokey',
    properties: { 'parse.key': 'true', 'key.separator': ':' },
    want: "No key separator found on line number 3: 'nokey'",
  },
  {
    name: 'no headers',
    line: 'k2:v2',
    properties: { 'parse.headers': 'true' },
    want: "No headers delimiter found on line number 3: 'k2:v2'",
  },
  {
    name: 'a header without a separator',
    line: 'bad\tv',
    properties: { 'parse.headers': 'true' },
    want: "No header key separator found in pair 'bad' on line number 3",
  },
];
for (const { name, line, properties, want } of faults) {
  test(`${name}: refused in Apache's words`, () => {
    assert.throws(() => parseRecordLine(line, 3, options(properties)), { name: 'RecordLineError', message: want });
  });
}

test('the old tool words a missing key otherwise, and may ignore it', () => {
  assert.throws(() => parseRecordLine('nokey', 2, options({ 'parse.key': 'true' }, true)), {
    message: 'No key found on line 2: nokey',
  });
  const ignoring = options({ 'parse.key': 'true', 'ignore.error': 'true' }, true);
  assert.deepEqual(parseRecordLine('nokey', 2, ignoring), { key: null, value: 'nokey', headers: [] });
});

test('separators that cannot be told apart are refused', () => {
  assert.throws(() => options({ 'parse.headers': 'true', 'headers.separator': ':' }), RecordLineError);
});

async function linesOf(chunks: readonly Uint8Array[]): Promise<string[]> {
  const lines: string[] = [];
  async function* input(): AsyncGenerator<Uint8Array> {
    yield* chunks;
  }
  for await (const line of readLines(input())) lines.push(line);
  return lines;
}

test('lines end with \\n, \\r\\n or \\r; the last needs no end', async () => {
  assert.deepEqual(await linesOf([bytes('a\nb\r\nc\rd')]), ['a', 'b', 'c', 'd']);
  assert.deepEqual(await linesOf([bytes('a\n\n')]), ['a', '']);
  assert.deepEqual(await linesOf([bytes('a\r')]), ['a']);
  assert.deepEqual(await linesOf([]), []);
});

test('lines are the same wherever the input is cut', async () => {
  const text = bytes('eins\r\nzwei\rdrei\n\nfünf\r\n\r\nend');
  const whole = await linesOf([text]);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(text.length), { maxLength: 6 }), async (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), text.length];
      const chunks = at.slice(1).map((end, index) => text.subarray(at[index], end));
      assert.deepEqual(await linesOf(chunks), whole);
    }),
  );
});
