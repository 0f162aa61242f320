import { Deque } from '../../../base/deque.ts';
import type { Clock, Timer } from '../../../runtime/clock.ts';
import type { ConnectionQuotas } from './connection-quotas.ts';

/** A connection that has come and is not read from yet. */
export interface Newcomer {
  readonly address: string;
  /** It is gone already. */
  readonly isClosed: boolean;
  /** It counts, and is read from now. */
  admit(): void;
  refuse(reason: string): void;
}

export interface ConnectionGateOptions {
  readonly listenerName: string;
  readonly quotas: ConnectionQuotas;
  readonly clock: Clock;
  /** So many may stand before the gate (`socket.listen.backlog.size`); more are refused. */
  readonly waitingMax: number;
}

/**
 * Lets connections of one listener in, in order, as fast as its rate and the broker's allow, and while there is room (`Acceptor`).
 * Those who have to wait are accepted by the system but not read from.
 */
export class ConnectionGate {
  readonly #options: ConnectionGateOptions;
  readonly #waiting = new Deque<Newcomer>();
  /** The first of those who wait has been counted by the rates. */
  #isRecorded = false;
  #opening: Timer | undefined;
  /** Addresses that came too often: each connection is held as long as its address has to wait, then closed. */
  readonly #held = new Map<Newcomer, Timer>();
  readonly #forget: () => void;

  constructor(options: ConnectionGateOptions) {
    this.#options = options;
    this.#forget = options.quotas.onRoom(() => this.#next());
  }

  enter(newcomer: Newcomer): void {
    if (this.#waiting.size >= this.#options.waitingMax) return newcomer.refuse('too many connections wait');
    this.#waiting.push(newcomer);
    if (this.#waiting.size === 1) this.#next();
  }

  close(): void {
    this.#opening?.cancel();
    for (const timer of this.#held.values()) timer.cancel();
    this.#forget();
  }

  #next(): void {
    const { quotas, listenerName, clock } = this.#options;
    while (this.#opening === undefined) {
      const first = this.#waiting.peek();
      if (first === undefined) return;
      if (!this.#isRecorded) {
        this.#isRecorded = true;
        const throttleMs = quotas.recordArrival(listenerName, this.#nowMs());
        if (throttleMs > 0) {
          this.#opening = clock.after(throttleMs, () => {
            this.#opening = undefined;
            this.#next();
          });
          return;
        }
      }
      if (!first.isClosed && !quotas.hasRoom(listenerName)) return;
      this.#waiting.shift();
      this.#isRecorded = false;
      if (!first.isClosed) this.#letIn(first);
    }
  }

  #letIn(newcomer: Newcomer): void {
    const { quotas, listenerName, clock } = this.#options;
    const throttleMs = quotas.recordAddress(listenerName, newcomer.address, this.#nowMs());
    if (throttleMs === 0) return newcomer.admit();
    const timer = clock.after(throttleMs, () => {
      this.#held.delete(newcomer);
      newcomer.refuse('its address connects too often');
    });
    this.#held.set(newcomer, timer);
  }

  #nowMs(): number {
    return Math.floor(this.#options.clock.monotonicMs());
  }
}
