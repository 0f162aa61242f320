/** A run of offsets that share delivery state and count. */
export interface StateBatch {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly deliveryState: number;
  readonly deliveryCount: number;
}

/** Of two words about one offset the later one counts: more deliveries, then the further state. */
function isAhead(one: StateBatch, other: StateBatch): boolean {
  if (one.deliveryCount !== other.deliveryCount) return one.deliveryCount > other.deliveryCount;
  return one.deliveryState > other.deliveryState;
}

/**
 * The batches of both lists without overlaps, the longest runs that are possible, nothing below `startOffset`
 * (`PersisterStateBatchCombiner`). The order in which words about an offset came does not matter.
 */
export function combineBatches(
  known: readonly StateBatch[],
  fresh: readonly StateBatch[],
  startOffset: number,
): StateBatch[] {
  const sorted = [...known, ...fresh]
    .filter(({ firstOffset, lastOffset }) => lastOffset >= Math.max(firstOffset, startOffset))
    .sort((a, b) => a.firstOffset - b.firstOffset);
  const combined: StateBatch[] = [];
  const active: StateBatch[] = [];
  let next = 0;
  let offset = startOffset;
  while (active.length > 0 || next < sorted.length) {
    if (active.length === 0) offset = Math.max(offset, sorted[next]!.firstOffset);
    while (next < sorted.length && sorted[next]!.firstOffset <= offset) active.push(sorted[next++]!);
    const best = active.reduce((one, other) => (isAhead(other, one) ? other : one));
    const ends = active.map(({ lastOffset }) => lastOffset);
    const until = next < sorted.length ? sorted[next]!.firstOffset - 1 : Infinity;
    const lastOffset = Math.min(until, ...ends);
    extend(combined, { ...best, firstOffset: offset, lastOffset });
    offset = lastOffset + 1;
    for (let index = active.length - 1; index >= 0; index -= 1) {
      if (active[index]!.lastOffset < offset) active.splice(index, 1);
    }
  }
  return combined;
}

function extend(batches: StateBatch[], batch: StateBatch): void {
  const last = batches.at(-1);
  const continues =
    last !== undefined &&
    last.lastOffset + 1 === batch.firstOffset &&
    last.deliveryState === batch.deliveryState &&
    last.deliveryCount === batch.deliveryCount;
  if (continues) batches[batches.length - 1] = { ...last, lastOffset: batch.lastOffset };
  else batches.push(batch);
}
