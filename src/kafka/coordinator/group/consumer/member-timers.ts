import type { Clock } from '../../../../runtime/clock.ts';
import { Deadline } from '../../deadline.ts';
import type { Turns } from '../../turns.ts';

/**
 *   session    ends with no sign of life
 *   rebalance  a member of the consumer protocol has to give up what it must
 *   join       one of the classic protocol has to join again after it was told to
 *   sync       ... and to ask for its assignment after it has joined
 */
export type TimerKind = 'session' | 'rebalance' | 'join' | 'sync';

/** The time limits of the members of one group. */
export class MemberTimers {
  readonly #clock: Clock;
  readonly #turns: Turns;
  readonly #members = new Map<string, Map<TimerKind, Deadline>>();

  constructor(clock: Clock, turns: Turns) {
    this.#clock = clock;
    this.#turns = turns;
  }

  set(memberId: string, kind: TimerKind, delayMs: number, passed: () => void): void {
    // A sign of life moves the session's end: its deadline stays, so that no timer is made for each.
    const known = kind === 'session' ? this.#members.get(memberId)?.get(kind) : undefined;
    const deadline =
      known ?? new Deadline(this.#clock, () => this.#turns.run(() => this.#pass(memberId, kind, passed)));
    if (known === undefined) this.cancel(memberId, kind);
    const kinds = this.#members.get(memberId) ?? new Map<TimerKind, Deadline>();
    this.#members.set(memberId, kinds);
    kinds.set(kind, deadline);
    deadline.set(delayMs);
  }

  has(memberId: string, kind: TimerKind): boolean {
    return this.#members.get(memberId)?.has(kind) === true;
  }

  cancel(memberId: string, kind: TimerKind): void {
    const kinds = this.#members.get(memberId);
    kinds?.get(kind)?.cancel();
    kinds?.delete(kind);
  }

  forget(memberId: string): void {
    for (const deadline of this.#members.get(memberId)?.values() ?? []) deadline.cancel();
    this.#members.delete(memberId);
  }

  close(): void {
    for (const memberId of [...this.#members.keys()]) this.forget(memberId);
  }

  #pass(memberId: string, kind: TimerKind, passed: () => void): void {
    this.#members.get(memberId)?.delete(kind);
    passed();
  }
}
