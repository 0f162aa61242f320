import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { PeerState } from '../quorum/notification.ts';
import type { ServerId } from '../quorum/quorum-verifier.ts';
import type { ZabState } from '../server/ensemble-view.ts';
import type { QuorumMetrics } from '../server/metrics/quorum-metrics.ts';

export interface PeerChangesOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: QuorumMetrics;
}

/**
 * The way of a member from one leader to the next, told and measured as Apache's QuorumPeer does: operators search for these lines.
 */
export class PeerChanges {
  readonly #options: PeerChangesOptions;
  #state: PeerState = 'LOOKING';
  #zabState: ZabState = 'election';
  #leader: ServerId | undefined;
  /** Since when it looks, or nobody is served; monotonic. */
  #lookingMs: number | undefined;
  #unavailableMs: number | undefined;

  constructor(options: PeerChangesOptions) {
    this.#options = options;
  }

  get zabState(): ZabState {
    return this.#zabState;
  }

  /** Undefined while there is none. */
  get leader(): ServerId | undefined {
    return this.#leader;
  }

  /** `following - broadcast`; `looking`. */
  get text(): string {
    const state = this.#state.toLowerCase();
    return this.#zabState === 'election' ? state : `${state} - ${this.#zabState}`;
  }

  /** Begins to look for a leader. */
  looking(details: Readonly<Record<string, unknown>>): void {
    const { clock, log, metrics } = this.#options;
    const nowMs = clock.monotonicMs();
    this.#lookingMs ??= nowMs;
    this.#unavailableMs ??= nowMs;
    metrics.lookingCount.add();
    log.info('LOOKING', details);
  }

  decided(state: Exclude<PeerState, 'LOOKING'>, leader: ServerId): void {
    const { clock, log, metrics } = this.#options;
    this.#state = state;
    this.#leader = leader;
    log.info(state, { leader });
    if (state === 'OBSERVING') return;
    const tookMs = Math.floor(clock.monotonicMs() - (this.#lookingMs ?? clock.monotonicMs()));
    this.#lookingMs = undefined;
    metrics.electionTime.add(tookMs);
    log.info(`${state} - LEADER ELECTION TOOK - ${tookMs} MS`);
  }

  entered(zabState: ZabState): void {
    const { clock, log, metrics } = this.#options;
    this.#zabState = zabState;
    log.info(`Peer state changed: ${this.text}`);
    if (zabState !== 'broadcast' || this.#unavailableMs === undefined) return;
    const tookMs = Math.floor(clock.monotonicMs() - this.#unavailableMs);
    this.#unavailableMs = undefined;
    metrics.unavailableTime.add(tookMs);
    if (this.#state === 'LEADING') metrics.leaderUnavailableTime.add(tookMs);
  }

  /** The leader is none any more. */
  lost(): void {
    this.#state = 'LOOKING';
    this.#zabState = 'election';
    this.#leader = undefined;
    this.#unavailableMs ??= this.#options.clock.monotonicMs();
    this.#options.log.warn('PeerState set to LOOKING');
  }
}
