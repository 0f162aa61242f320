import type { WriteState } from '../coordinator/share/decide.ts';
import type { ReadOutcome } from '../coordinator/share/share-coordinator.ts';
import type { ShareKey } from '../coordinator/share/share-key.ts';

/** The way of a partition's leader to the share coordinator, wherever that is. */
export interface SharePersister {
  /** `done` is called exactly once, later or now. */
  read(key: ShareKey, leaderEpoch: number, done: (outcome: ReadOutcome) => void): void;
  /** Writes of one share partition arrive in the order of these calls. */
  write(key: ShareKey, state: WriteState, done: (errorCode: number, errorMessage: string | null) => void): void;
}
