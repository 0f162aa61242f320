import type { InitializeState } from '../../share/decide.ts';
import type { Outcome, SummaryOutcome } from '../../share/share-coordinator.ts';
import type { ShareKey } from '../../share/share-key.ts';

/** The way of the group coordinator to the share coordinator, which keeps what was delivered. */
export interface ShareStateKeeper {
  initialize(key: ShareKey, state: InitializeState, done: (outcome: Outcome) => void): void;
  summary(key: ShareKey, done: (outcome: SummaryOutcome) => void): void;
  delete(key: ShareKey, done: (outcome: Outcome) => void): void;
}
