import { ErrorCode } from '../../../protocol/errors.ts';
import type { InitializeState } from '../../share/decide.ts';
import type { Outcome, SummaryOutcome } from '../../share/share-coordinator.ts';
import { coordinatorKeyOf, type ShareKey } from '../../share/share-key.ts';
import type { ShareStateKeeper } from '../share/share-state-keeper.ts';

/** A share coordinator in memory. */
export class SharesInMemory implements ShareStateKeeper {
  readonly states = new Map<string, InitializeState>();
  /** What the next questions meet. */
  readonly failures: number[] = [];

  initialize(key: ShareKey, state: InitializeState, done: (outcome: Outcome) => void): void {
    const errorCode = this.failures.shift() ?? ErrorCode.NONE;
    if (errorCode === ErrorCode.NONE) this.states.set(coordinatorKeyOf(key), state);
    done({ errorCode, errorMessage: null });
  }

  summary(key: ShareKey, done: (outcome: SummaryOutcome) => void): void {
    const { stateEpoch, startOffset } = this.states.get(coordinatorKeyOf(key)) ?? { stateEpoch: 0, startOffset: -1 };
    done({ errorCode: 0, errorMessage: null, stateEpoch, leaderEpoch: 0, startOffset, deliveryCompleteCount: -1 });
  }

  delete(key: ShareKey, done: (outcome: Outcome) => void): void {
    const errorCode = this.failures.shift() ?? ErrorCode.NONE;
    if (errorCode === ErrorCode.NONE) this.states.delete(coordinatorKeyOf(key));
    done({ errorCode, errorMessage: null });
  }
}
