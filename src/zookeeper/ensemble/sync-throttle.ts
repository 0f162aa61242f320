import type { QuorumMetrics } from '../server/metrics/quorum-metrics.ts';

export interface SyncThrottleOptions {
  /** `leader.maxConcurrentSnapSyncs` */
  readonly maxConcurrentSnapSyncs: number;
  /** `leader.maxConcurrentDiffSyncs` */
  readonly maxConcurrentDiffSyncs: number;
}

/**
 * How many learners are brought up to date at once (LearnerSyncThrottler). Those whom the quorum needs are counted and never refused:
 * it is observers that have to come again later.
 */
export class SyncThrottle {
  readonly #limits: Readonly<Record<'SNAP' | 'DIFF', number>>;
  readonly #metrics: QuorumMetrics;
  readonly #counts = { SNAP: 0, DIFF: 0 };

  constructor({ maxConcurrentSnapSyncs, maxConcurrentDiffSyncs }: SyncThrottleOptions, metrics: QuorumMetrics) {
    this.#metrics = metrics;
    this.#limits = { SNAP: maxConcurrentSnapSyncs, DIFF: maxConcurrentDiffSyncs };
  }

  /** To be called, once or more, when the synchronisation is over; undefined: not now. */
  begin(kind: 'SNAP' | 'DIFF', isExempt: boolean): (() => void) | undefined {
    if (!isExempt && this.#counts[kind] >= this.#limits[kind]) return undefined;
    this.#counts[kind] += 1;
    (kind === 'SNAP' ? this.#metrics.snapCount : this.#metrics.diffCount).add();
    this.#sample(kind);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#counts[kind] -= 1;
      this.#sample(kind);
    };
  }

  #sample(kind: 'SNAP' | 'DIFF'): void {
    (kind === 'SNAP' ? this.#metrics.inflightSnaps : this.#metrics.inflightDiffs).add(this.#counts[kind]);
  }
}
