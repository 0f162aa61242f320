import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { CorruptionError } from '../../runtime/disk.ts';
import { IndexFile } from './index-file.ts';
import { OffsetIndex } from './offset-index.ts';
import { LogWorld } from './testkit/log-world.ts';
import { TimeIndex } from './time-index.ts';
import { TransactionIndex } from './transaction-index.ts';

const disk = () => {
  const { runtime, machine } = new LogWorld(1);
  runtime.disk.makeDirectory('/i');
  return { disk: runtime.disk, peek: () => machine.disk.peek('/i/x') };
};
const path = (): string => '/i/x';

test('an offset index finds what a list finds, whatever of it is in the file', () => {
  const actions = fc.oneof(
    { arbitrary: fc.record({ kind: fc.constant('append' as const), gap: fc.integer({ min: 1, max: 9 }) }), weight: 9 },
    {
      arbitrary: fc.record({ kind: fc.constant('write' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
      weight: 2,
    },
    {
      arbitrary: fc.record({
        kind: fc.constant('truncate' as const),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      weight: 1,
    },
    { arbitrary: fc.record({ kind: fc.constant('reopen' as const) }), weight: 1 },
  );
  fc.assert(
    fc.property(fc.array(actions, { maxLength: 1500 }), (steps) => {
      const { disk: on } = disk();
      let index = new OffsetIndex(on, path, 1000, 16_000);
      index.create();
      let model: { offset: number; position: number }[] = [];
      for (const step of steps) {
        const at = (share: number): number => 1000 + Math.floor(((model.at(-1)?.offset ?? 1000) - 999) * share);
        if (step.kind === 'append') {
          const offset = (model.at(-1)?.offset ?? 1000) + step.gap;
          index.append(offset, model.length * 10);
          model.push({ offset, position: model.length * 10 });
        } else if (step.kind === 'write') index.writeOut(at(step.share));
        else if (step.kind === 'truncate') {
          const offset = at(step.share);
          index.truncateTo(offset);
          model = model.filter((entry) => entry.offset < offset);
        } else {
          index.trim();
          index.close();
          index = new OffsetIndex(on, path, 1000, 16_000);
          index.sanityCheck();
        }
      }
      assert.equal(index.count, model.length);
      for (const { offset } of model) {
        for (const target of [offset - 1, offset, offset + 1]) {
          const want = model.findLast((entry) => entry.offset <= target) ?? { offset: 1000, position: 0 };
          assert.deepEqual(index.lookup(target), want);
        }
      }
    }),
    { numRuns: 30 },
  );
});

test('an index that grows is as long as it may become, and is cut to its entries when it is done', () => {
  const { disk: on, peek } = disk();
  const index = new OffsetIndex(on, path, 0, 100);
  index.create();
  assert.equal(peek().length, 0);
  index.append(7, 4096);
  index.append(9, 9000);
  index.writeOut(8);
  assert.equal(peek().length, 96, 'rounded down to whole entries');
  assert.equal(Buffer.from(peek().subarray(0, 16)).toString('hex'), '00000007000010000000000000000000');
  index.trim();
  assert.equal(Buffer.from(peek()).toString('hex'), '00000007000010000000000900002328');
});

test('of thousands that wait few are looked at to find those that may be written', () => {
  const { disk: on, peek } = disk();
  const index = new IndexFile(on, path, 8, 80_000);
  index.create();
  for (let entry = 0; entry < 5_000; entry += 1) index.push().setUint32(0, entry);
  let looks = 0;
  index.writeOut((entry) => {
    looks += 1;
    return entry.getUint32(0) < 3;
  });
  assert.equal(index.waiting, 4_997);
  assert.equal(Buffer.from(peek()).readUInt32BE(16), 2);
  assert.ok(looks <= 13, `${looks} entries`);
});

test('a time index takes rising timestamps only, in Apache’s bytes', () => {
  const { disk: on, peek } = disk();
  const index = new TimeIndex(on, path, 0, 1200);
  index.create();
  index.maybeAppend(1_795_430_835_820, 3);
  index.maybeAppend(1_795_430_835_820, 4);
  index.maybeAppend(1_795_430_835_819, 5);
  index.trim();
  assert.equal(Buffer.from(peek()).toString('hex'), '000001a20804666c00000003');
  assert.deepEqual(index.lookup(1_795_430_835_819), { timestamp: -1, offset: 0 });
  assert.deepEqual(index.lookup(1_795_430_835_821), { timestamp: 1_795_430_835_820, offset: 3 });
});

for (const [name, hex] of [
  ['a torn entry', '0000000700001000000000'],
  ['offsets that do not rise', '00000007000010000000000700001001'],
]) {
  test(`an offset index with ${name} is corrupt`, () => {
    const { disk: on } = disk();
    on.writeFile('/i/x', Buffer.from(hex!, 'hex'));
    assert.throws(() => new OffsetIndex(on, path, 0, 800).sanityCheck(), CorruptionError);
  });
}

test('a transaction index has Apache’s bytes and tells readers what was aborted', () => {
  const { disk: on, peek } = disk();
  const index = new TransactionIndex(on, path, 0);
  index.append({ producerId: 4, firstOffset: 2, lastOffset: 3, lastStableOffset: 4 });
  assert.equal(
    Buffer.from(peek()).toString('hex'),
    '00000000000000000004000000000000000200000000000000030000000000000004',
  );
  index.append({ producerId: 5, firstOffset: 6, lastOffset: 9, lastStableOffset: 10 });
  const again = new TransactionIndex(on, path, 0);
  const ids = (from: number, to: number): number[] => {
    const found: { producerId: number }[] = [];
    again.collect(from, to, found as never);
    return found.map(({ producerId }) => producerId);
  };
  assert.deepEqual(ids(0, 3), [4]);
  assert.deepEqual(ids(3, 7), [4, 5]);
  assert.deepEqual(ids(4, 6), []);
  again.truncateTo(9);
  assert.equal(peek().length, 34);
  on.writeFile('/i/x', new Uint8Array(35));
  assert.throws(() => new TransactionIndex(on, path, 0).entries, CorruptionError);
});
