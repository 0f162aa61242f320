import type { Segment } from '../segment.ts';

/** Offsets in an index are 31 bits relative to the base. */
const RELATIVE_OFFSET_MAX = 2_147_483_647;

export interface GroupLimits {
  readonly segmentBytes: number;
  readonly indexBytes: number;
  /** Behind the last offset of the last segment. */
  readonly endOffset: number;
}

/** Neighbours that fit into one segment together, so that what compaction shrinks does not stay in pieces (`groupSegmentsBySize`). */
export function groupSegments(segments: readonly Segment[], limits: GroupLimits): Segment[][] {
  const groups: Segment[][] = [];
  let sizes = { log: 0, offset: 0, time: 0 };
  for (const [index, segment] of segments.entries()) {
    const added = { log: segment.settledSize, ...segment.indexSizes };
    const group = groups.at(-1);
    const lastOffset = (segments[index + 1]?.baseOffset ?? limits.endOffset) - 1;
    const fits =
      group !== undefined &&
      sizes.log + added.log <= limits.segmentBytes &&
      sizes.offset + added.offset <= limits.indexBytes &&
      sizes.time + added.time <= limits.indexBytes &&
      (added.log === 0 || lastOffset - group[0]!.baseOffset <= RELATIVE_OFFSET_MAX);
    if (fits) {
      group.push(segment);
      sizes = { log: sizes.log + added.log, offset: sizes.offset + added.offset, time: sizes.time + added.time };
    } else {
      groups.push([segment]);
      sizes = added;
    }
  }
  return groups;
}
