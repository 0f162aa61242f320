import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { copyOf, sliceOf, slicesOf } from '../../base/slices.ts';
import { ViewList } from '../../base/spans.ts';
import type { LogTail } from './log-tail.ts';
import { type HeldSpan, RecentBatches } from './recent-batches.ts';

/** Slabs of 4 KiB. */
const LIMIT_BYTES = 65_536;
const FILL_BYTE = 0xdb;

interface ModelBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly segmentBaseOffset: number;
  readonly bytes: Buffer;
}

/** Bytes that somebody holds, and what they were when they were taken. */
interface Held {
  readonly chunks: readonly Uint8Array[];
  readonly want: Buffer;
  release(): void;
}

const which = fc.nat(2);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('add' as const),
      which,
      size: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 9_000 })),
      records: fc.integer({ min: 1, max: 3 }),
      rolls: fc.integer({ min: 0, max: 9 }).map((draw) => draw === 0),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      which,
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      maxBytes: fc.nat(20_000),
      whole: fc.boolean(),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('release' as const), index: fc.nat(1_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('truncate' as const), which, batches: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget' as const), which, batches: fc.nat(4) }) },
);

test('whatever is held stays as it was, what is read is what was added, and the memory is bounded', () => {
  let found = 0;
  let reused = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 100, maxLength: 400 }), (steps) => {
      const cache = new RecentBatches({ limitBytes: LIMIT_BYTES, fillByte: FILL_BYTE });
      const tails = [0, 1, 2].map(() => ({ tail: cache.newTail(), batches: [] as ModelBatch[], nextOffset: 0 }));
      const held: Held[] = [];
      const memories = new Set<Uint8Array>();
      let fill = 0;
      for (const one of steps) {
        if (one.kind === 'release') {
          if (held.length > 0) held.splice(one.index % held.length, 1)[0]!.release();
        } else {
          const log = tails[one.which]!;
          if (one.kind === 'add') {
            fill = (fill + 1) % 200;
            const bytes = Buffer.alloc(one.size, fill);
            const baseOffset = log.nextOffset;
            log.nextOffset += one.records;
            const last = log.batches.at(-1);
            const segmentBaseOffset = one.rolls || last === undefined ? baseOffset : last.segmentBaseOffset;
            const place = { baseOffset, lastOffset: log.nextOffset - 1, segmentBaseOffset, position: 0 };
            // Received in two pieces, which are somebody else's afterwards.
            const half = one.size >> 1;
            const received = Buffer.from(bytes);
            const spans = log.tail.add(place, slicesOf(received.subarray(0, half), received.subarray(half)));
            received.fill(0xee);
            log.batches.push({ ...place, bytes });
            for (const { memory } of spans) {
              if (memories.has(memory)) reused += 1;
              memories.add(memory);
            }
            held.push(heldSpans(spans, bytes));
          } else if (one.kind === 'read') {
            const target = Math.floor(one.at * log.nextOffset);
            const got = readModel(log.tail, log.batches, target, one.maxBytes, one.whole);
            if (got !== undefined) {
              found += 1;
              held.push(got);
            }
          } else if (one.kind === 'truncate') {
            const kept = Math.max(0, log.batches.length - one.batches);
            const offset = log.batches[kept]?.baseOffset ?? log.nextOffset;
            log.tail.truncateTo(offset);
            log.batches.length = kept;
            log.nextOffset = offset;
          } else {
            const gone = log.batches.splice(0, one.batches);
            log.tail.forgetBelow((gone.at(-1)?.lastOffset ?? -1) + 1);
          }
        }
        assert.ok(cache.heldBytes <= LIMIT_BYTES, `${cache.heldBytes} bytes`);
        for (const { chunks, want } of held) assert.ok(want.equals(Buffer.concat(chunks)), 'held bytes changed');
      }
      for (const { tail } of tails) tail.clear();
      for (const one of held) one.release();
      assert.ok(cache.heldBytes <= LIMIT_BYTES);
    }),
    { numRuns: 100 },
  );
  assert.ok(found > 500, `${found} reads found something`);
  assert.ok(reused > 1_000, `memory was used again ${reused} times`);
});

function heldSpans(spans: readonly HeldSpan[], want: Buffer): Held {
  const views = new ViewList();
  for (const span of spans) views.add(span);
  const release = (): void => {
    for (const { slab } of spans) slab.release();
  };
  return { chunks: views.finish(), want, release };
}

/** What a list of batches would answer; the tail may know less of its beginning. */
function readModel(
  tail: LogTail,
  batches: readonly ModelBatch[],
  offset: number,
  maxBytes: number,
  whole: boolean,
): Held | undefined {
  const upTo = (batches.at(-1)?.lastOffset ?? -1) + 1;
  const start = batches.findIndex(({ lastOffset }) => lastOffset >= offset);
  const place = tail.placeOf(offset);
  const read = tail.read(offset, maxBytes, whole, upTo);
  if (read === undefined) {
    assert.equal(place, undefined);
    return undefined;
  }
  const first = batches[start]!;
  assert.equal(place?.baseOffset, first.baseOffset);
  const taken = [first.bytes];
  let size = first.bytes.length;
  for (const next of batches.slice(start + 1)) {
    if (next.segmentBaseOffset !== first.segmentBaseOffset || size + next.bytes.length > maxBytes) break;
    taken.push(next.bytes);
    size += next.bytes.length;
  }
  const isCut = first.bytes.length > maxBytes && !whole;
  const want = isCut ? first.bytes.subarray(0, maxBytes) : Buffer.concat(taken);
  assert.equal(read.firstEntryIncomplete, isCut);
  assert.ok(want.equals(copyOf(read.records)), `read at ${offset}`);
  return { chunks: read.records.chunks, want, release: read.release };
}

test('memory that nobody lets go of is left to the collector, and no batch waits for it', () => {
  const cache = new RecentBatches({ limitBytes: LIMIT_BYTES, fillByte: FILL_BYTE });
  const tail = cache.newTail();
  const spans: HeldSpan[] = [];
  for (let offset = 0; offset < 100; offset += 1) {
    const place = { baseOffset: offset, lastOffset: offset, segmentBaseOffset: 0, position: offset * 3_000 };
    spans.push(...tail.add(place, slicesOf(Buffer.alloc(3_000, offset))));
  }
  assert.ok(cache.heldBytes <= LIMIT_BYTES);
  const memories = new Set(spans.map(({ memory }) => memory));
  assert.equal(memories.size, Math.ceil(300_000 / cache.slabBytes), 'none was used twice');
  for (const { slab } of spans) slab.release();
  assert.throws(() => spans[0]!.slab.release(), /twice/);
});

test('a batch larger than all of the memory is written, and not kept', () => {
  const cache = new RecentBatches({ limitBytes: 0 });
  const tail = cache.newTail();
  const bytes = Buffer.alloc(20_000, 7);
  const place = { baseOffset: 0, lastOffset: 0, segmentBaseOffset: 0, position: 0 };
  const spans = tail.add(place, slicesOf(bytes));
  assert.ok(bytes.equals(Buffer.concat(heldSpans(spans, bytes).chunks)));
  assert.equal(cache.heldBytes, 0);
  assert.equal(tail.placeOf(0), undefined);
});

test('a slab that is evicted takes what begins in it, and no batch behind it', () => {
  const cache = new RecentBatches({ limitBytes: LIMIT_BYTES });
  const tail = cache.newTail();
  // Two in each slab, so that every other begins where a slab begins.
  const size = cache.slabBytes / 2;
  for (let offset = 0; offset < 100; offset += 1) {
    const place = { baseOffset: offset, lastOffset: offset, segmentBaseOffset: 0, position: offset * size };
    for (const { slab } of tail.add(place, sliceOf(Buffer.alloc(size, offset)))) slab.release();
    const first = Array.from({ length: offset + 1 }, (_, at) => at).find((at) => tail.placeOf(at) !== undefined);
    assert.equal(first === undefined ? first : first % 2, 0, `after ${offset} the first is ${first}`);
  }
});
