import { batchesOf } from '../../records/batch.ts';
import { buildEndTxnMarker, readControlRecord } from '../../records/control.ts';
import { recordsOf } from '../../records/iterate.ts';
import { type AppendInfo, numberBatches } from '../append.ts';
import { type CleanerConfig, defaultCleanerConfig } from '../cleaner/cleaner-config.ts';
import { LogCleaner } from '../cleaner/log-cleaner.ts';
import type { LogConfig } from '../log-config.ts';
import { LogWorld, readAll } from './log-world.ts';

/** When the simulated world begins. */
export const NOW_MS = 1_790_000_000_000;

export const compacted: Partial<LogConfig> = { compact: true, delete: false, minCleanableDirtyRatio: 0 };

/** A world whose log is compacted when the test says so. */
export async function compactedWorld(config: Partial<LogConfig> = {}, seed: number | string = 1): Promise<LogWorld> {
  const world = new LogWorld(seed, { ...compacted, ...config });
  await world.open({ cleaner: { enabled: false } });
  return world;
}

export function cleanerOf(world: LogWorld, config: Partial<CleanerConfig> = {}): LogCleaner {
  const { runtime, manager } = world;
  return new LogCleaner({ runtime, config: { ...defaultCleanerConfig, ...config }, logs: () => manager.logs() });
}

/** One pass over everything but the active segment, which is closed first. */
export async function compact(world: LogWorld, config: Partial<CleanerConfig> = {}): Promise<boolean> {
  world.log.roll();
  await world.drain();
  world.log.updateHighWatermark(world.log.logEndOffset);
  return world.sim.complete(cleanerOf(world, config).cleanFilthiest());
}

export function appendMarker(
  world: LogWorld,
  producerId: number,
  options: { committed: boolean; producerEpoch?: number; timestampMs?: number },
): AppendInfo | undefined {
  const { committed, producerEpoch = 0, timestampMs = NOW_MS } = options;
  const marker = buildEndTxnMarker({ committed, producerId, producerEpoch, timestampMs, coordinatorEpoch: 0 });
  return world.log.appendAsLeader(numberBatches(marker, world.log.nextOffset, 0), 'coordinator', () => undefined);
}

export interface Survivor {
  readonly offset: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly timestamp: number;
}

/** Data records in order, as READ_UNCOMMITTED sees them. */
export async function survivors(world: LogWorld): Promise<Survivor[]> {
  const found: Survivor[] = [];
  for (const records of await readAll(world)) {
    for (const batch of batchesOf(records)) {
      if (batch.header.isControl) continue;
      for (const { offset, key, value, timestamp } of recordsOf(batch)) {
        if (offset >= world.log.logStartOffset) found.push({ offset, key: text(key), value: text(value), timestamp });
      }
    }
  }
  return found;
}

/** Data records as READ_COMMITTED sees them: without those of aborted transactions, by the transaction indexes alone. */
export async function committed(world: LogWorld): Promise<Survivor[]> {
  const { log } = world;
  const aborted = log
    .abortedBetween(log.logStartOffset, log.logEndOffset)
    .toSorted((a, b) => a.firstOffset - b.firstOffset);
  const open = new Set<number>();
  const found: Survivor[] = [];
  for (const records of await readAll(world)) {
    for (const batch of batchesOf(records)) {
      const { header } = batch;
      while (aborted.length > 0 && aborted[0]!.firstOffset <= header.lastOffset) open.add(aborted.shift()!.producerId);
      if (header.isControl) {
        const marker = readControlRecord(batch);
        if (marker.kind === 'endTxn' && !marker.committed) open.delete(header.producerId);
        continue;
      }
      if (header.isTransactional && open.has(header.producerId)) continue;
      for (const { offset, key, value, timestamp } of recordsOf(batch)) {
        if (offset >= log.logStartOffset) found.push({ offset, key: text(key), value: text(value), timestamp });
      }
    }
  }
  return found;
}

function text(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString();
}

export function keyed(...pairs: readonly (readonly [string, string | null])[]): {
  key: Uint8Array;
  value: Uint8Array | null;
  timestamp: number;
}[] {
  return pairs.map(([key, value]) => ({
    key: Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
    timestamp: NOW_MS,
  }));
}
