import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { BufferPool, type BufferPoolOptions, type Loan } from './buffer-pool.ts';

const pool = (options: Partial<BufferPoolOptions> = {}): BufferPool =>
  new BufferPool({ bufferBytes: 1000, lentFromBytes: 250, freeBytesMax: 3000, ...options });
const memoryOf = ({ buffers }: Loan): ArrayBufferLike[] => [...new Set(buffers.map(({ buffer }) => buffer))];

test('what is given back is lent again, the newest first', () => {
  const buffers = pool();
  const [one, two] = [buffers.lend([1000]), buffers.lend([600])];
  assert.notEqual(memoryOf(one)[0], memoryOf(two)[0]);
  one.giveBack();
  two.giveBack();
  assert.equal(buffers.freeBytes, 2000);
  assert.deepEqual(memoryOf(buffers.lend([300])), memoryOf(two));
  assert.deepEqual(memoryOf(buffers.lend([300])), memoryOf(one));
  assert.equal(buffers.freeBytes, 0);
});

test('what is not given back is not lent again', () => {
  const buffers = pool();
  const first = memoryOf(buffers.lend([1000]))[0];
  for (let count = 0; count < 5; count += 1) assert.notEqual(memoryOf(buffers.lend([1000]))[0], first);
});

test('the pieces of one loan share a buffer as long as it has room', () => {
  const loan = pool().lend([400, 500, 100, 0, 300]);
  assert.deepEqual(
    loan.buffers.map(({ length }) => length),
    [400, 500, 100, 0, 300],
  );
  assert.equal(memoryOf({ ...loan, buffers: loan.buffers.slice(0, 3) }).length, 1);
  assert.equal(memoryOf(loan).length, 2);
});

test('pieces larger than a buffer, and the few that would waste one, are allocated and not kept', () => {
  const buffers = pool();
  for (const sizes of [[1001, 4000], [100, 100], [], [0]]) buffers.lend(sizes).giveBack();
  assert.equal(buffers.freeBytes, 0);
  buffers.lend([2000, 900, 200]).giveBack();
  assert.equal(buffers.freeBytes, 1000, 'the last piece would have had a buffer to itself');
});

test('no more is kept than allowed', () => {
  const buffers = pool();
  const loans = Array.from({ length: 7 }, () => buffers.lend([1000]));
  for (const loan of loans) loan.giveBack();
  assert.equal(buffers.freeBytes, 3000);
});

test('a loan is given back once', () => {
  const loan = pool().lend([1000]);
  loan.giveBack();
  assert.throws(() => loan.giveBack(), { name: 'InvariantError' });
});

test('what is given back is filled where that is asked for, whether it is kept or not', () => {
  const buffers = pool({ fillByte: 0xdb });
  const loan = buffers.lend([1000, 300, 2000, 5]);
  for (const buffer of loan.buffers) buffer.fill(1);
  loan.giveBack();
  for (const buffer of loan.buffers) assert.ok(buffer.every((byte) => byte === 0xdb));
});

test('nobody writes into what another has borrowed', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 1200 }), { maxLength: 6 });
  const steps = fc.array(fc.tuple(fc.boolean(), sizes), { maxLength: 40 });
  fc.assert(
    fc.property(steps, (history) => {
      const buffers = pool({ fillByte: 0xdb });
      const lent: { readonly loan: Loan; readonly mark: number }[] = [];
      history.forEach(([isReturn, wanted], mark) => {
        if (isReturn) lent.shift()?.loan.giveBack();
        else {
          const loan = buffers.lend(wanted);
          assert.deepEqual(
            loan.buffers.map(({ length }) => length),
            wanted,
          );
          for (const buffer of loan.buffers) buffer.fill(mark);
          lent.push({ loan, mark });
        }
        for (const { loan, mark: own } of lent) {
          for (const buffer of loan.buffers) assert.ok(buffer.every((byte) => byte === own));
        }
      });
    }),
  );
});
