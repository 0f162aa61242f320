import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { ControllerMovedError } from '../zk/controller-election.ts';

export interface EventQueueOwner {
  /** An event found that another broker is the controller. */
  moved(): void;
  /** What only a broken invariant throws. */
  fatal(error: unknown): void;
}

/** Who counts events, and how long they take in milliseconds. */
export interface EventFigures {
  ran(event: string, waitedMs: number, tookMs: number): void;
  /** A partition has a leader that was not in sync. */
  electedUncleanly(): void;
}

/** Events of a controller, strictly one after the other (`ControllerEventManager`). */
export class EventQueue {
  readonly #log: Log;
  readonly #owner: EventQueueOwner;
  readonly #clock: Clock;
  readonly #figures: EventFigures | undefined;
  #waiting = 0;
  #tail: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(log: Log, owner: EventQueueOwner, clock: Clock, figures?: EventFigures) {
    this.#log = log;
    this.#owner = owner;
    this.#clock = clock;
    this.#figures = figures;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Events that have not begun. */
  get waiting(): number {
    return this.#waiting;
  }

  /** When all that was added so far is done. */
  settled(): Promise<void> {
    return this.#tail;
  }

  /** Never rejects: a moved controller is told so, other failures are logged, and the next event goes on. */
  add(name: string, run: () => Promise<void>): Promise<void> {
    const addedMs = this.#clock.monotonicMs();
    this.#waiting += 1;
    const result = this.#tail.then(async () => {
      this.#waiting -= 1;
      if (this.#closed) return;
      const begunMs = this.#clock.monotonicMs();
      try {
        await run();
      } catch (error) {
        this.#failed(name, error);
      }
      this.#figures?.ran(name, begunMs - addedMs, this.#clock.monotonicMs() - begunMs);
    });
    this.#tail = result;
    return result;
  }

  #failed(name: string, error: unknown): void {
    if (error instanceof ControllerMovedError) {
      this.#log.info('the controller moved to another broker', { event: name });
      this.#owner.moved();
    } else if (error instanceof Error && error.name === 'InvariantError') {
      this.#owner.fatal(error);
    } else if (!this.#closed) {
      this.#log.error('error while processing a controller event', { event: name, error: String(error) });
    }
  }

  /** Nothing begins any more; what is under way is not waited for. */
  close(): void {
    this.#closed = true;
  }
}
