import type { LearnerId } from '../quorum/leader-start.ts';
import type { SyncPlan } from '../quorum/sync-plan.ts';
import type { QuorumMetrics } from '../server/metrics/quorum-metrics.ts';

/** Who is being brought to the leader's history, for its figures. What is truncated counts as a difference, as in Apache's server. */
export class SyncCounts {
  readonly #metrics: QuorumMetrics;
  readonly #underWay = new Map<LearnerId, 'SNAP' | 'DIFF'>();

  constructor(metrics: QuorumMetrics) {
    this.#metrics = metrics;
  }

  begins(learner: LearnerId, { kind }: SyncPlan): void {
    const way = kind === 'SNAP' ? 'SNAP' : 'DIFF';
    this.#underWay.set(learner, way);
    if (way === 'SNAP') this.#metrics.snapCount.add();
    else this.#metrics.diffCount.add();
    this.#sample(way);
  }

  ends(learner: LearnerId): void {
    const way = this.#underWay.get(learner);
    if (way === undefined) return;
    this.#underWay.delete(learner);
    this.#sample(way);
  }

  /** It did not come to an end. */
  gone(learner: LearnerId): void {
    this.#underWay.delete(learner);
  }

  #sample(way: 'SNAP' | 'DIFF'): void {
    const count = [...this.#underWay.values()].filter((each) => each === way).length;
    (way === 'SNAP' ? this.#metrics.inflightSnaps : this.#metrics.inflightDiffs).add(count);
  }
}
