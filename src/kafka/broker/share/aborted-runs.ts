import type { Slices } from '../../../base/slices.ts';
import { batchesOf } from '../../records/batch.ts';
import type { Partition } from '../../replication/partition.ts';

/** The offsets of what was read that belong to aborted transactions: a read_committed group never sees them. */
export function abortedRuns(
  partition: Partition,
  fetchOffset: number,
  records: Slices,
): { readonly firstOffset: number; readonly lastOffset: number }[] {
  const batches = [...batchesOf(records)];
  const end = batches.at(-1)?.header.lastOffset;
  if (end === undefined) return [];
  const waiting = partition
    .leaderLog()
    .abortedBetween(fetchOffset, end + 1)
    .toSorted((a, b) => a.firstOffset - b.firstOffset);
  const open = new Set<number>();
  const runs: { firstOffset: number; lastOffset: number }[] = [];
  for (const { header } of batches) {
    while (waiting[0] !== undefined && waiting[0].firstOffset <= header.lastOffset)
      open.add(waiting.shift()!.producerId);
    if (!header.isTransactional || !open.has(header.producerId)) continue;
    // Its marker ends it, and is delivered as any control batch is: the client tells it for a gap.
    if (header.isControl) open.delete(header.producerId);
    else runs.push({ firstOffset: header.baseOffset, lastOffset: header.lastOffset });
  }
  return runs;
}
