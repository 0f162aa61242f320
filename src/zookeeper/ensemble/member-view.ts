import type { ClientEndpoint } from '../quorum/member.ts';
import type { Membership } from '../quorum/membership.ts';
import type { ServerId } from '../quorum/quorum-verifier.ts';
import type { EnsembleView, LeaderView, ObserverFacts, ZabState } from '../server/ensemble-view.ts';
import type { LearnerHandler } from './learner-handler.ts';
import type { PeerChanges } from './peer-changes.ts';
import type { Term } from './term.ts';

export interface MemberViewOptions {
  readonly self: ServerId;
  readonly membership: () => Membership;
  readonly client: () => ClientEndpoint | undefined;
  readonly changes: PeerChanges;
  /** The present one. */
  readonly term: () => Term | undefined;
}

/** What a member shows of its ensemble, over all its terms. */
export class MemberView implements EnsembleView {
  readonly self: ServerId;
  readonly #options: MemberViewOptions;

  constructor(options: MemberViewOptions) {
    this.self = options.self;
    this.#options = options;
  }

  get client(): ClientEndpoint | undefined {
    return this.#options.client();
  }

  get membership(): Membership {
    return this.#options.membership();
  }

  get zabState(): ZabState {
    return this.#options.changes.zabState;
  }

  get peerState(): string {
    return this.#options.changes.text;
  }

  get leader(): ServerId | undefined {
    return this.#options.changes.leader;
  }

  get leading(): LeaderView | undefined {
    return this.#options.term()?.leading;
  }

  get master(): ServerId | undefined {
    return this.#options.term()?.master;
  }

  observers(): readonly ObserverFacts[] {
    return this.#observers().map(({ facts }) => facts);
  }

  resetObservers(): void {
    for (const observer of this.#observers()) observer.resetFacts();
  }

  #observers(): LearnerHandler[] {
    const learners = this.#options.term()?.learners ?? [];
    return [...learners].filter(({ isForwarded, isObserver }) => isForwarded && isObserver);
  }
}
