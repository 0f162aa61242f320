/**
 * The state of a record in a share group (KIP-932, `RecordState`), as it is stored.
 *
 *               acquire                  accept
 *   AVAILABLE ──────────▶ ACQUIRED ─────────────────▶ ACKNOWLEDGED
 *       ▲                  │    │   reject, gap, or the last delivery ended
 *       └──────────────────┘    └───────────────────▶ ARCHIVED
 *        release, lock ended
 */
export const RecordState = { available: 0, acquired: 1, acknowledged: 2, archived: 4 } as const;
export type RecordState = (typeof RecordState)[keyof typeof RecordState];

/** What a consumer says of a record (`AcknowledgeType`). */
export const AcknowledgeType = { gap: 0, accept: 1, release: 2, reject: 3, renew: 4 } as const;

export const NO_MEMBER = '';

/** State of one record, or of a whole batch whose records share it. */
export interface Slot {
  state: RecordState;
  deliveryCount: number;
  /** Who acquired it. */
  memberId: string;
  /** Monotonic time when the acquisition ends; only while acquired. */
  lockedUntilMs: number;
  /** What it was before a change that is not stored yet. */
  before: { readonly memberId: string; readonly lockedUntilMs: number } | undefined;
}

export function newSlot(state: RecordState, deliveryCount: number): Slot {
  return { state, deliveryCount, memberId: NO_MEMBER, lockedUntilMs: 0, before: undefined };
}

export function isTerminal(state: RecordState): boolean {
  return state === RecordState.acknowledged || state === RecordState.archived;
}

/** May be handed out. */
export function isFree(slot: Slot): boolean {
  return slot.state === RecordState.available && slot.before === undefined;
}

/** Held by a member, and nothing is under way about it. */
export function isHeld(slot: Slot): boolean {
  return slot.state === RecordState.acquired && slot.before === undefined;
}

export interface Acquisition {
  readonly memberId: string;
  readonly lockedUntilMs: number;
}

export function acquire(slot: Slot, { memberId, lockedUntilMs }: Acquisition): void {
  slot.state = RecordState.acquired;
  slot.deliveryCount += 1;
  slot.memberId = memberId;
  slot.lockedUntilMs = lockedUntilMs;
}

/** What comes back after its last delivery is not delivered again. */
export function afterRelease(slot: Slot, deliveryCountMax: number): RecordState {
  return slot.deliveryCount >= deliveryCountMax ? RecordState.archived : RecordState.available;
}

/** The end of an acquisition that cannot be taken back. */
export function release(slot: Slot, state: RecordState): void {
  slot.state = state;
  slot.memberId = NO_MEMBER;
}

/** Ends an acquisition; counts once it is stored. */
export function begin(slot: Slot, state: RecordState): void {
  slot.before = { memberId: slot.memberId, lockedUntilMs: slot.lockedUntilMs };
  release(slot, state);
}

export function commit(slot: Slot): void {
  slot.before = undefined;
}

/** It could not be stored: the member holds the record again, unless its time is over by now. */
export function rollBack(slot: Slot, nowMs: number, deliveryCountMax: number): void {
  const { before } = slot;
  if (before === undefined) return;
  slot.before = undefined;
  if (before.lockedUntilMs <= nowMs) {
    slot.state = afterRelease(slot, deliveryCountMax);
    return;
  }
  slot.state = RecordState.acquired;
  slot.memberId = before.memberId;
  slot.lockedUntilMs = before.lockedUntilMs;
}
