import type { Clock } from '../../runtime/clock.ts';
import type { QuorumVerifier } from '../quorum/quorum-verifier.ts';
import type { LeaderView } from '../server/ensemble-view.ts';
import { SizeStats } from '../server/size-stats.ts';
import type { LeaderAgreement } from './leader-agreement.ts';
import type { LearnerHandler } from './learner-handler.ts';

export interface TermViewOptions {
  readonly clock: Clock;
  readonly verifier: () => QuorumVerifier;
  readonly learners: () => Iterable<LearnerHandler>;
  readonly agreement: Pick<LeaderAgreement, 'syncCount'>;
}

/** What a leader shows of its term, from the moment at which it serves. */
export class TermView implements LeaderView {
  readonly proposalSizes = new SizeStats();
  readonly #options: TermViewOptions;
  readonly #startedMs: number;

  constructor(options: TermViewOptions) {
    this.#options = options;
    this.#startedMs = options.clock.monotonicMs();
  }

  get learnerCount(): number {
    return [...this.#options.learners()].length;
  }

  get followerCount(): number {
    return this.#followers().length;
  }

  get nonVotingCount(): number {
    const { voters } = this.#options.verifier();
    return this.#followers().filter(({ server }) => !voters.has(server)).length;
  }

  get pendingSyncCount(): number {
    return this.#options.agreement.syncCount;
  }

  get uptimeMs(): number {
    return this.#options.clock.monotonicMs() - this.#startedMs;
  }

  #followers(): LearnerHandler[] {
    return [...this.#options.learners()].filter(({ isForwarded, isObserver }) => isForwarded && !isObserver);
  }
}
