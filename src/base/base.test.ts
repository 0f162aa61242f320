import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { adler32 } from './adler32.ts';
import { crc32c, crc32cOf, crc32cPortable } from './crc32c.ts';
import { Deque } from './deque.ts';
import { Heap } from './heap.ts';
import { inGroups } from './in-groups.ts';
import { javaAbs, javaStringHash, murmur2 } from './murmur2.ts';
import { copyOf, flatten, slicesOf, subSlices } from './slices.ts';

const text = (value: string): Uint8Array => Buffer.from(value);

test('crc32c gives the check value of the Castagnoli polynomial', () => {
  assert.equal(crc32cPortable(text('123456789')), 0xe3069283);
});

test('the native and the portable crc32c agree on every input and continue each other', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), fc.nat(600), (bytes, cut) => {
      const whole = crc32cPortable(bytes);
      assert.equal(crc32c(bytes), whole);
      const at = Math.min(cut, bytes.length);
      const slices = slicesOf(bytes.subarray(0, at), bytes.subarray(at));
      assert.equal(crc32cOf(slices), whole);
      const from = bytes.length >> 2;
      assert.equal(crc32cOf(slices, from), crc32cPortable(bytes.subarray(from)));
    }),
  );
});

test('adler32 gives the published value and chains', () => {
  assert.equal(adler32(text('Wikipedia')), 0x11e60398);
  assert.equal(adler32(text('pedia'), adler32(text('Wiki'))), 0x11e60398);
});

const murmurCases = [
  { key: 'abc', want: 479_470_107 },
  { key: '', want: 275_646_681 },
  { key: '21', want: -973_932_308 },
  { key: 'foobar', want: -790_332_482 },
];
for (const { key, want } of murmurCases) {
  test(`murmur2 of "${key}" is the Java client's`, () => assert.equal(murmur2(text(key)), want));
}

test('the Java string hash places groups where Kafka does', () => {
  assert.equal(javaAbs(javaStringHash('test-group')) % 50, 12);
  assert.equal(javaAbs(javaStringHash('tx1')) % 50, 45);
  assert.equal(javaAbs(-0x80000000), 0);
});

test('a deque gives back what it took, in order, across growth and wrap', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer())), (steps) => {
      const deque = new Deque<number>();
      const model: number[] = [];
      for (const step of steps) {
        if (step === null) assert.equal(deque.shift(), model.shift());
        else {
          deque.push(step);
          model.push(step);
        }
        assert.equal(deque.size, model.length);
        assert.equal(deque.peek(), model[0]);
      }
      assert.deepEqual([...deque], model);
    }),
  );
});

test('a heap sorts', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (values) => {
      const heap = new Heap<number>((a, b) => a < b);
      for (const value of values) heap.push(value);
      const sorted: number[] = [];
      while (heap.size > 0) sorted.push(heap.pop() as number);
      assert.deepEqual(
        sorted,
        values.slice().sort((a, b) => a - b),
      );
    }),
  );
});

test('any cut of a chunk list equals the cut of the joined bytes', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 9 })), fc.nat(60), fc.nat(60), (chunks, a, b) => {
      const whole = Buffer.concat(chunks);
      const from = Math.min(a, b, whole.length);
      const to = Math.min(Math.max(a, b), whole.length);
      const cut = subSlices(slicesOf(...chunks), from, to);
      assert.equal(cut.size, to - from);
      assert.deepEqual(Buffer.from(flatten(cut)), Buffer.from(whole.subarray(from, to)));
      assert.deepEqual(Buffer.from(copyOf(cut)), Buffer.from(whole.subarray(from, to)));
    }),
  );
});

test('groups of a list are under way one after the other, and answers come in order', async () => {
  let underWay = 0;
  let most = 0;
  const answers = await inGroups([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
    underWay += 1;
    most = Math.max(most, underWay);
    for (let turn = item; turn < 8; turn += 1) await Promise.resolve();
    underWay -= 1;
    return item * 10;
  });
  assert.deepEqual(answers, [10, 20, 30, 40, 50, 60, 70]);
  assert.equal(most, 3);
  await assert.rejects(
    inGroups([1, 2], 1, () => Promise.reject(new Error('no'))),
    /no/,
  );
  assert.deepEqual(await inGroups([], 5, () => Promise.resolve(1)), []);
});
