import type { Survivor } from './compaction.ts';

/** A batch as the model remembers it: all its records, and what is left of them. */
export interface NaiveBatch {
  readonly producerId: number;
  readonly isTransactional: boolean;
  records: Survivor[];
  /** Undefined while no pass kept a tombstone of it. */
  horizonMs: number | undefined;
}

/** Compaction as one would write it without regard for memory or time: the model that the real one is compared with. */
export class NaiveLog {
  batches: NaiveBatch[] = [];
  /** Last offset of each aborted transaction's marker, by producer; and where the transaction began. */
  readonly aborted: { readonly producerId: number; readonly first: number; readonly last: number }[] = [];

  isAborted({ producerId, isTransactional }: NaiveBatch, offset: number): boolean {
    return (
      isTransactional &&
      this.aborted.some((each) => each.producerId === producerId && each.first <= offset && offset < each.last)
    );
  }

  records(): Survivor[] {
    return this.batches.flatMap((batch) => batch.records);
  }

  committed(): Survivor[] {
    return this.batches.flatMap((batch) => batch.records.filter(({ offset }) => !this.isAborted(batch, offset)));
  }

  /** Everything below `end` is compacted, of which the part from `start` on is dirty. */
  clean(start: number, end: number, nowMs: number, deleteRetentionMs: number): void {
    const last = new Map<string | null, number>();
    for (const { key, offset } of this.committed()) if (offset >= start && offset < end) last.set(key, offset);
    for (const batch of this.batches) {
      const isOver = batch.horizonMs !== undefined && batch.horizonMs <= nowMs;
      batch.records = batch.records.filter(({ key, value, offset }) => {
        if (offset >= end) return true;
        return !this.isAborted(batch, offset) && offset >= (last.get(key) ?? -1) && !(value === null && isOver);
      });
      const below = batch.records.some(({ offset, value }) => offset < end && value === null);
      if (below) batch.horizonMs ??= nowMs + deleteRetentionMs;
    }
    this.batches = this.batches.filter(({ records }) => records.length > 0);
  }
}
