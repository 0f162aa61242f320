import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { batchesOf } from '../records/batch.ts';
import { OFFSET_INDEX_SUFFIX, segmentFileName, TIME_INDEX_SUFFIX } from './file-names.ts';
import { learnFrom } from './producer-replay.ts';
import { ProducerState } from './producer-state.ts';
import { append, batchesInFile, LOG_DIR, LogWorld, readAll, recordsIn } from './testkit/log-world.ts';

/** When the simulated world begins: producers with older timestamps would have expired. */
const NOW_MS = 1_790_000_000_000;

/** A log and what must be true of it, whatever happens to the machine. */
class Model {
  readonly world: LogWorld;
  /** The value of every offset that was given out, by offset; truncated ones go. */
  assigned = new Map<number, string>();
  /** Where batches begin: leader epochs do too, so no follower truncates elsewhere. */
  readonly batchStarts = new Set<number>();
  /** Offsets below were answered. */
  acknowledged = 0;
  /** Offsets below were on stable storage. */
  synced = 0;
  next = 0;
  truncations = 0;
  #serial = 0;
  readonly #sequences = new Map<number, number>();

  constructor(world: LogWorld) {
    this.world = world;
  }

  append(sizes: readonly number[], producerId: number): void {
    const records = sizes.map((size) => {
      this.#serial += 1;
      return {
        value: Buffer.from(`${this.#serial} `.padEnd(size, '.')),
        timestamp: NOW_MS + ((this.#serial * 7) % 50),
      };
    });
    const baseSequence = this.#sequences.get(producerId) ?? 0;
    const idempotent = producerId < 0 ? {} : { producerId, producerEpoch: 0, baseSequence };
    const info = append(this.world.log, {
      records,
      ...idempotent,
      done: (error, answered) => {
        if (error === undefined && answered !== undefined) this.acknowledged = answered.lastOffset + 1;
      },
    });
    assert.equal(info?.firstOffset, this.next);
    this.#sequences.set(producerId, baseSequence + records.length);
    this.batchStarts.add(this.next);
    for (const { value } of records) {
      this.assigned.set(this.next, value.toString());
      this.next += 1;
    }
  }

  /** What a crash left becomes the truth, once it has been compared. */
  async check(atLeast: number): Promise<void> {
    const { log } = this.world;
    const found = await recordsIn(this.world);
    const want = Array.from({ length: log.logEndOffset - log.logStartOffset }, (_, index) => ({
      offset: log.logStartOffset + index,
      value: this.assigned.get(log.logStartOffset + index),
    }));
    assert.deepEqual(found, want, 'a contiguous run of what was appended');
    assert.ok(log.logEndOffset >= atLeast, `offsets below ${atLeast} survive, found ${log.logEndOffset}`);
    await this.#checkProducers();
    this.#adopt(log.logEndOffset);
  }

  /** What is known of each producer is what its batches in the log say. */
  async #checkProducers(): Promise<void> {
    const naive = new ProducerState();
    for (const records of await readAll(this.world)) {
      for (const { header, bytes } of batchesOf(records)) learnFrom(naive, header, () => bytes);
    }
    const last = (state: ProducerState, id: number) => state.get(id)?.batches.at(-1);
    for (const { producerId } of naive.entries()) {
      assert.deepEqual(last(this.world.log.producers, producerId), last(naive, producerId));
    }
  }

  #adopt(endOffset: number): void {
    for (let offset = endOffset; offset < this.next; offset += 1) {
      this.assigned.delete(offset);
      this.batchStarts.delete(offset);
    }
    this.next = endOffset;
    this.acknowledged = Math.min(this.acknowledged, endOffset);
    this.synced = Math.min(this.synced, endOffset);
    this.#sequences.clear();
    for (const entry of this.world.log.producers.entries()) {
      this.#sequences.set(entry.producerId, (entry.batches.at(-1)?.lastSequence ?? -1) + 1);
    }
  }

  truncated(offset: number): void {
    this.truncations += 1;
    this.acknowledged = Math.min(this.acknowledged, offset);
    this.#adopt(Math.min(offset, this.next));
  }
}

/** Every index entry, in the file or not, leads where it says; none leads beyond the log file. */
function checkIndexes(world: LogWorld): void {
  const { log } = world;
  for (const segment of log.segments) {
    const bytes = world.machine.disk.peek(`${log.directory}/${segmentFileName(segment.baseOffset, '.log')}`);
    const batches = batchesInFile(bytes.subarray(0, segment.settledSize));
    for (const { header, position } of batches) {
      if (header.lastOffset < log.logEndOffset) assert.equal(segment.find(header.baseOffset)?.position, position);
    }
    const ends = new Map(batches.map(({ header, position }) => [header.lastOffset, position]));
    for (const [relative, position] of entriesOf(world, segment.baseOffset, OFFSET_INDEX_SUFFIX, 8)) {
      assert.ok(ends.has(segment.baseOffset + relative), 'an offset entry names the end of a batch in the file');
      assert.ok((ends.get(segment.baseOffset + relative) ?? -1) >= position, 'and a place at or before it');
    }
    for (const [timestamp, relative] of entriesOf(world, segment.baseOffset, TIME_INDEX_SUFFIX, 12)) {
      const before = batches.filter(({ header }) => header.lastOffset <= segment.baseOffset + relative);
      assert.equal(Math.max(...before.map(({ header }) => header.maxTimestamp)), timestamp);
    }
  }
}

function entriesOf(
  world: LogWorld,
  baseOffset: number,
  kind: '.index' | '.timeindex',
  size: number,
): [number, number][] {
  const bytes = world.machine.disk.peek(`${world.log.directory}/${segmentFileName(baseOffset, kind)}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: [number, number][] = [];
  for (let at = 0; at + size <= bytes.length; at += size) {
    const entry: [number, number] =
      size === 8 ? [view.getInt32(at), view.getInt32(at + 4)] : [Number(view.getBigInt64(at)), view.getInt32(at + 8)];
    if (entry.some((field) => field !== 0)) entries.push(entry);
  }
  return entries;
}

type Step =
  | { kind: 'append'; sizes: number[]; producerId: number }
  | { kind: 'roll' | 'flush' | 'retain' | 'clean restart' }
  | { kind: 'wait'; ms: number }
  | { kind: 'truncate'; back: number }
  | { kind: 'delete records'; share: number }
  | { kind: 'crash'; how: 'process' | 'power' };

const size = fc.oneof(
  { arbitrary: fc.integer({ min: 10, max: 400 }), weight: 8 },
  { arbitrary: fc.constant(35_000), weight: 1 },
);
const appendStep = fc.record({
  kind: fc.constant('append' as const),
  sizes: fc.array(size, { minLength: 1, maxLength: 4 }),
  producerId: fc.integer({ min: -1, max: 2 }),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: appendStep, weight: 12 },
  {
    arbitrary: fc.record({
      kind: fc.constantFrom('roll' as const, 'flush' as const, 'retain' as const, 'clean restart' as const),
    }),
    weight: 3,
  },
  { arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(0.05, 1, 30, 70_000) }), weight: 4 },
  {
    arbitrary: fc.record({ kind: fc.constant('truncate' as const), back: fc.integer({ min: 1, max: 12 }) }),
    weight: 1,
  },
  {
    arbitrary: fc.record({
      kind: fc.constant('delete records' as const),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
    weight: 1,
  },
  {
    arbitrary: fc.record({
      kind: fc.constant('crash' as const),
      how: fc.constantFrom('process' as const, 'power' as const),
    }),
    weight: 3,
  },
);

async function perform(model: Model, world: LogWorld, each: Step): Promise<void> {
  const { log } = world;
  switch (each.kind) {
    case 'append':
      return model.append(each.sizes, each.producerId);
    case 'roll':
      return log.roll();
    case 'flush': {
      const { logEndOffset } = log;
      const { truncations } = model;
      log.flush((error) => {
        if (error === undefined && model.truncations === truncations)
          model.synced = Math.max(model.synced, Math.min(logEndOffset, model.next));
      });
      return undefined;
    }
    case 'retain':
      log.updateHighWatermark(log.logEndOffset);
      return log.deleteOldSegments(() => undefined);
    case 'wait':
      return world.sim.runFor(each.ms);
    case 'truncate': {
      await world.drain();
      const first = log.segments[0]!.baseOffset;
      let offset = Math.max(first, log.logEndOffset - each.back);
      while (offset > first && !model.batchStarts.has(offset)) offset -= 1;
      await world.truncateTo(offset);
      return model.truncated(log.logEndOffset);
    }
    case 'delete records':
      log.updateHighWatermark(log.logEndOffset);
      return log.deleteRecords(log.logStartOffset + Math.floor((log.logEndOffset - log.logStartOffset) * each.share));
    case 'clean restart': {
      await world.restartCleanly();
      return model.check(model.next);
    }
    case 'crash': {
      const { acknowledged, synced } = model;
      await world.crash(each.how);
      return model.check(Math.max(world.log.logStartOffset, each.how === 'process' ? acknowledged : synced));
    }
    default:
      return each satisfies never;
  }
}

const config = {
  segmentBytes: 150_000,
  indexIntervalBytes: 500,
  segmentIndexBytes: 600,
  retentionBytes: 300_000,
  retentionMs: -1,
};

test('whatever happens in whatever order, the log is a run of what was appended, and loses what a crash may lose', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.array(step, { minLength: 1, maxLength: 40 }), async (seed, steps) => {
      const world = new LogWorld(seed, config);
      await world.open();
      const model = new Model(world);
      for (const each of steps) await perform(model, world, each);
      await world.drain();
      checkIndexes(world);
      await model.check(model.next);
      const { acknowledged } = model;
      await world.crash('process');
      await model.check(acknowledged);
      checkIndexes(world);
    }),
    { numRuns: Number(process.env.RUNS ?? 150) },
  );
});

test('the partition lives in its log directory', async () => {
  const world = new LogWorld(5);
  await world.open();
  assert.equal(world.log.directory, `${LOG_DIR}/demo-0`);
});
