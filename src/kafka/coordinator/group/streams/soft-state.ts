import type { Clock } from '../../../../runtime/clock.ts';
import { Deadline } from '../../deadline.ts';
import type { Turns } from '../../turns.ts';
import { MemberTimers } from '../consumer/member-timers.ts';
import type { ConfiguredTopology } from './configured-topology.ts';
import type { TaskOffsets } from './task-offsets.ts';

/** What the log does not hold of a group; another coordinator begins without it. */
export class SoftState {
  readonly timers: MemberTimers;
  /** By member id. */
  readonly offsets = new Map<string, TaskOffsets>();
  /** Counts what happens to endpoints of members: who has seen less is told of them all. */
  endpointEpoch = 0;
  /** Who asked for the end of the whole application. */
  shutdownBy: string | undefined;
  /** The topology as it is described: Apache's broker shows what heartbeats found only once the next record is stored. */
  described: ConfiguredTopology | undefined;
  #configured: { readonly topology: ConfiguredTopology; readonly changes: number } | undefined;
  readonly #delay: Deadline;
  #isDelayed = false;

  constructor(clock: Clock, turns: Turns, assignAfterDelay: () => void) {
    this.timers = new MemberTimers(clock, turns);
    this.#delay = new Deadline(clock, () =>
      turns.run(() => {
        this.#isDelayed = false;
        assignAfterDelay();
      }),
    );
  }

  /** The first tasks wait for more members. */
  get isDelayed(): boolean {
    return this.#isDelayed;
  }

  delay(delayMs: number): void {
    if (this.#isDelayed) return;
    this.#isDelayed = true;
    this.#delay.set(delayMs);
  }

  get configured(): ConfiguredTopology | undefined {
    return this.#configured?.topology;
  }

  /** Undefined where topics have changed since. */
  configuredAt(changes: number): ConfiguredTopology | undefined {
    return this.#configured?.changes === changes ? this.#configured.topology : undefined;
  }

  configure(topology: ConfiguredTopology, changes: number): void {
    this.#configured = { topology, changes };
  }

  forgetMember(memberId: string): void {
    this.timers.forget(memberId);
    this.offsets.delete(memberId);
  }

  close(): void {
    this.timers.close();
    this.#isDelayed = false;
    this.#delay.cancel();
  }
}
