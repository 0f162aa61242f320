import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { codecNames } from '../../records/batch.ts';
import { appendMarker, cleanerOf, committed, compactedWorld, type Survivor, survivors } from '../testkit/compaction.ts';
import { append, type LogWorld } from '../testkit/log-world.ts';
import { NaiveLog } from '../testkit/naive-log.ts';

/** A log under a random history, and its model. */
class Scenario {
  readonly world: LogWorld;
  readonly naive = new NaiveLog();
  readonly #sequences = new Map<number, number>();
  readonly #open = new Map<number, number>();
  #serial = 0;

  constructor(world: LogWorld) {
    this.world = world;
  }

  append(keys: readonly { key: number; isTombstone: boolean }[], producerId: number, codec: number): void {
    const { log, runtime } = this.world;
    const isTransactional = producerId >= 2;
    const records = keys.map(({ key, isTombstone }) => {
      this.#serial += 1;
      return {
        key: `k${key}`,
        value: isTombstone ? null : `${this.#serial}`.padEnd(20, '.'),
        timestamp: runtime.clock.wallMs() - ((this.#serial * 13) % 40),
      };
    });
    const baseSequence = this.#sequences.get(producerId) ?? 0;
    const info = append(log, {
      codec: codecNames[codec]!,
      records: records.map(({ key, value, timestamp }) => ({
        key: Buffer.from(key),
        value: value === null ? null : Buffer.from(value),
        timestamp,
      })),
      ...(producerId < 0 ? {} : { producerId, producerEpoch: 0, baseSequence, isTransactional }),
    });
    assert.ok(info, 'appended');
    this.#sequences.set(producerId, baseSequence + keys.length);
    if (isTransactional && !this.#open.has(producerId)) this.#open.set(producerId, info.firstOffset);
    const placed = records.map((record, index) => ({ ...record, offset: info.firstOffset + index }));
    this.naive.batches.push({ producerId, isTransactional, records: placed, horizonMs: undefined });
  }

  end(producerId: number, isCommitted: boolean): void {
    const first = this.#open.get(producerId);
    const info = appendMarker(this.world, producerId, {
      committed: isCommitted,
      timestampMs: this.world.runtime.clock.wallMs(),
    });
    if (first === undefined || info === undefined) return;
    this.#open.delete(producerId);
    if (!isCommitted) this.naive.aborted.push({ producerId, first, last: info.lastOffset });
  }

  async roll(): Promise<void> {
    this.world.log.roll();
    await this.world.drain();
  }

  /** With a map that holds everything the result is exactly the model's. */
  async clean(): Promise<void> {
    const { log, sim, runtime, config } = this.world;
    await this.#settle();
    const start = log.firstDirtyOffset ?? log.logStartOffset;
    const nowMs = runtime.clock.wallMs();
    if (await sim.complete(cleanerOf(this.world).cleanFilthiest())) {
      this.naive.clean(start, log.firstDirtyOffset!, nowMs, config.deleteRetentionMs);
    }
  }

  /** Reading ends at the last record, and there must be one behind what was compacted. */
  async #settle(): Promise<void> {
    await this.world.drain();
    if (this.world.log.segments.at(-1)!.size === 0) this.append([{ key: 0, isTombstone: false }], -1, 0);
    await this.world.drain();
    this.world.log.updateHighWatermark(this.world.log.logEndOffset);
  }

  async check(): Promise<void> {
    await this.#settle();
    assert.deepEqual(visible(await survivors(this.world)), visible(this.naive.records()));
    assert.deepEqual(visible(await committed(this.world)), visible(this.naive.committed()));
  }

  /** Whatever a crash forgets, a producer goes on where its last record that is left says. */
  async crash(how: 'process' | 'clean'): Promise<void> {
    await this.#settle();
    const known = this.#producers();
    if (how === 'clean') await this.world.restartCleanly();
    else await this.world.crash('process');
    assert.deepEqual(this.#producers(), known);
    this.world.log.updateHighWatermark(this.world.log.logEndOffset);
    await this.check();
  }

  #producers(): unknown[] {
    return [...this.world.log.producers.entries()]
      .map(({ producerId, epoch, batches, currentTxnFirstOffset }) => {
        const { lastSequence = -1, lastOffset = -1, offsetDelta = 0 } = batches.at(-1) ?? {};
        return { producerId, epoch, lastSequence, lastOffset, offsetDelta, currentTxnFirstOffset };
      })
      .sort((a, b) => a.producerId - b.producerId);
  }
}

function visible(records: readonly Survivor[]): string[] {
  return records.map(({ offset, key, value, timestamp }) => `${offset} ${key} ${value} ${timestamp}`);
}

type Step =
  | { kind: 'append'; keys: { key: number; isTombstone: boolean }[]; producerId: number; codec: number }
  | { kind: 'end'; producerId: number; isCommitted: boolean }
  | { kind: 'roll' | 'clean' }
  | { kind: 'wait'; ms: number }
  | { kind: 'crash'; how: 'process' | 'clean' };

const key = fc.record({ key: fc.integer({ min: 0, max: 9 }), isTombstone: fc.boolean() });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      keys: fc.array(key, { minLength: 1, maxLength: 5 }),
      producerId: fc.integer({ min: -1, max: 3 }),
      codec: fc.integer({ min: 0, max: 4 }),
    }),
    weight: 12,
  },
  {
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      producerId: fc.integer({ min: 2, max: 3 }),
      isCommitted: fc.boolean(),
    }),
    weight: 4,
  },
  { arbitrary: fc.record({ kind: fc.constantFrom('roll' as const, 'clean' as const) }), weight: 6 },
  { arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(100, 5_000, 11_000) }), weight: 2 },
  {
    arbitrary: fc.record({
      kind: fc.constant('crash' as const),
      how: fc.constantFrom('process' as const, 'clean' as const),
    }),
    weight: 1,
  },
);

async function perform(scenario: Scenario, each: Step): Promise<void> {
  switch (each.kind) {
    case 'append':
      return scenario.append(each.keys, each.producerId, each.codec);
    case 'end':
      return scenario.end(each.producerId, each.isCommitted);
    case 'roll':
      return scenario.roll();
    case 'clean':
      await scenario.roll();
      await scenario.clean();
      return scenario.check();
    case 'wait':
      return scenario.world.sim.runFor(each.ms);
    case 'crash':
      return scenario.crash(each.how);
    default:
      return each satisfies never;
  }
}

test('compaction leaves exactly what a naive one leaves, committed and not, whatever happened before', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.array(step, { minLength: 5, maxLength: 60 }), async (seed, steps) => {
      const scenario = new Scenario(await compactedWorld({ segmentBytes: 900, deleteRetentionMs: 10_000 }, seed));
      for (const each of steps) await perform(scenario, each);
      await scenario.roll();
      await scenario.clean();
      await scenario.check();
    }),
    { numRuns: Number(process.env.RUNS ?? 150) },
  );
});
