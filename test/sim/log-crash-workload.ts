import type { LogConfig } from '../../src/kafka/log/log-config.ts';
import type { SimRandom } from '../../src/runtime/sim/sim-random.ts';

/** Of the two plain partitions retention takes the beginning, the tidy one is compacted. */
export const partitionNames = ['plain-0', 'plain-1', 'tidy-0'] as const;
export type PartitionName = (typeof partitionNames)[number];

export interface DrawnRecord {
  readonly key: string;
  /** Bytes of the value; a tombstone has none. */
  readonly size: number | undefined;
}

export interface DrawnBatch {
  /** -1: none; `IDEMPOTENT`; the others write in transactions. */
  readonly producerId: number;
  readonly records: readonly DrawnRecord[];
}

export type LogStep =
  | { readonly kind: 'append'; readonly name: PartitionName; readonly batches: readonly DrawnBatch[] }
  | { readonly kind: 'end'; readonly name: PartitionName; readonly producerId: number; readonly committed: boolean }
  | {
      readonly kind: 'lead' | 'flush' | 'roll' | 'retain' | 'move' | 'make anew' | 'truncate fully';
      readonly name: PartitionName;
    }
  | {
      readonly kind: 'replicate' | 'delete records' | 'truncate';
      readonly name: PartitionName;
      /** Where between the start of the log and its end. */
      readonly share: number;
    }
  | { readonly kind: 'checkpoint'; readonly what: 'recovery points' | 'start offsets' | 'high watermarks' }
  | { readonly kind: 'clean' }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'restart'; readonly how: 'stop' | 'process' | 'power' };

export const IDEMPOTENT = 1;
const transactional = [2, 3];

/** What all partitions of a run have, and what only the plain ones. */
export function drawConfig(random: SimRandom): Partial<LogConfig> {
  return {
    segmentBytes: random.pick([1500, 2500, 12_000]),
    indexIntervalBytes: random.pick([1, 300]),
    segmentIndexBytes: random.pick([120, 600]),
    preallocate: random.chance(1 / 4),
    flushMessages: random.pick([1, 5, Infinity, Infinity]),
    fileDeleteDelayMs: random.pick([2, 60_000]),
    ...random.pick([
      { retentionBytes: 2500, retentionMs: -1 },
      { retentionBytes: -1, retentionMs: 900 },
      { retentionBytes: 0, retentionMs: -1 },
    ]),
  };
}

/** The same random numbers, the same steps. */
export function drawSteps(random: SimRandom): LogStep[] {
  const steps: LogStep[] = partitionNames.map((name) => drawAppend(random, name));
  const count = 8 + random.below(10);
  for (let index = 0; index < count; index += 1) {
    if (random.chance(1 / 2)) steps.push(drawAppend(random, random.pick(partitionNames)));
    else steps.push(drawStep(random));
  }
  return steps;
}

function drawAppend(random: SimRandom, name: PartitionName): LogStep {
  const batches = Array.from({ length: 1 + random.below(4) }, () => drawBatch(random));
  return { kind: 'append', name, batches };
}

function drawBatch(random: SimRandom): DrawnBatch {
  const records = Array.from({ length: 1 + random.below(3) }, () => ({
    key: `k${random.below(5)}`,
    size: random.chance(1 / 6) ? undefined : random.pick([5, 40, 400]),
  }));
  return { producerId: random.pick([-1, IDEMPOTENT, ...transactional]), records };
}

function drawStep(random: SimRandom): LogStep {
  const name = random.pick(partitionNames);
  const plain = random.pick(['plain-0', 'plain-1'] as const);
  const share = random.pick([0, 1, random.fraction(), random.fraction()]);
  switch (random.below(18)) {
    case 0:
    case 1:
      return { kind: 'end', name, producerId: random.pick(transactional), committed: random.chance(1 / 3) };
    case 2:
      return { kind: 'lead', name };
    case 3:
      return { kind: 'flush', name };
    case 4:
      return { kind: 'roll', name };
    case 5:
    case 6:
      return { kind: 'retain', name: plain };
    case 7:
      return { kind: 'move', name };
    case 8:
      return { kind: 'make anew', name };
    case 9:
      return { kind: 'truncate fully', name: plain };
    case 10:
      return { kind: 'replicate', name, share };
    case 11:
      return { kind: 'delete records', name: plain, share };
    case 12:
    case 13:
      return { kind: 'truncate', name, share };
    case 14:
      return { kind: 'checkpoint', what: random.pick(['recovery points', 'start offsets', 'high watermarks']) };
    case 15:
      return { kind: 'clean' };
    case 16:
      return { kind: 'wait', ms: random.pick([1, 30, 1200]) };
    default:
      return { kind: 'restart', how: random.pick(['stop', 'stop', 'process', 'power']) };
  }
}
