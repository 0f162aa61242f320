import type { ClientEndpoint } from '../quorum/member.ts';
import type { Membership } from '../quorum/membership.ts';
import type { ServerId } from '../quorum/quorum-verifier.ts';
import type { EnsembleView, LeaderView, ZabState } from '../server/ensemble-view.ts';
import type { PeerChanges } from './peer-changes.ts';

export interface MemberViewOptions {
  readonly self: ServerId;
  readonly membership: () => Membership;
  readonly client: ClientEndpoint | undefined;
  readonly changes: PeerChanges;
  readonly leading: () => LeaderView | undefined;
}

/** What a member shows of its ensemble, over all its terms. */
export class MemberView implements EnsembleView {
  readonly self: ServerId;
  readonly client: ClientEndpoint | undefined;
  readonly #options: MemberViewOptions;

  constructor(options: MemberViewOptions) {
    this.self = options.self;
    this.client = options.client;
    this.#options = options;
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
    return this.#options.leading();
  }
}
