import type { LogState } from './log-state.ts';
import { markDeleted, removeLater } from './remove-segments.ts';
import type { Segment } from './segment.ts';

/**
 * Puts a compacted segment, whole and synced under the suffix `.cleaned`, in the place of those that it was made from
 * (LocalLog.replaceSegments). From its first `.swap` on a crash ends with the new segment, before that with the old ones:
 * recovery knows which. The directory must be synced afterwards. @throws DiskError
 */
export function replaceSegments(log: LogState, old: readonly Segment[], cleaned: Segment): void {
  const upTo = log.segments.after(old.at(-1)!)!.baseOffset;
  cleaned.changeSuffix('.swap');
  log.segments.replace(old, cleaned);
  log.nameChanges += 1;
  log.touched = true;
  markDeleted(log, old);
  cleaned.changeSuffix('');
  log.tail.forgetBelow(upTo);
  const gone = new Set(old.slice(1).map(({ baseOffset }) => baseOffset));
  log.snapshots.removeWhere((offset) => gone.has(offset));
  removeLater(log, old);
}
