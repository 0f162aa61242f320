import type { Log } from '../../runtime/log.ts';
import { ControllerMovedError } from '../zk/controller-election.ts';

export interface EventQueueOwner {
  /** An event found that another broker is the controller. */
  moved(): void;
  /** What only a broken invariant throws. */
  fatal(error: unknown): void;
}

/** Events of a controller, strictly one after the other (`ControllerEventManager`). */
export class EventQueue {
  readonly #log: Log;
  readonly #owner: EventQueueOwner;
  #tail: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(log: Log, owner: EventQueueOwner) {
    this.#log = log;
    this.#owner = owner;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** When all that was added so far is done. */
  settled(): Promise<void> {
    return this.#tail;
  }

  /** Never rejects: a moved controller is told so, other failures are logged, and the next event goes on. */
  add(name: string, run: () => Promise<void>): Promise<void> {
    const result = this.#tail.then(async () => {
      if (this.#closed) return;
      try {
        await run();
      } catch (error) {
        this.#failed(name, error);
      }
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
