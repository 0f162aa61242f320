import { ErrorCode, KeeperError } from '../jute/errors.ts';
import { AbortError, isKeeperError } from './client-errors.ts';
import { EventQueue } from './event-queue.ts';
import type { SessionState } from './session.ts';
import type { WatchEvent, Watcher, WatchKind } from './watch-registry.ts';

/** The connection was lost or is there again (Apache's event of type None, which every watcher hears). */
export interface SessionEvent {
  readonly type: 'None';
  readonly state: 'connected' | 'connectedReadOnly' | 'disconnected';
}

/** The program was too slow: here so many events are missing. Read again what you keep of the nodes. */
export interface MissedEvents {
  readonly type: 'Missed';
  readonly count: number;
}

export type WatchedEvent = WatchEvent | SessionEvent | MissedEvents;

/** `persistent`: a node and its children. `recursive`: its whole subtree. `once`: the node's next change, and then the end. */
export type WatchMode = 'persistent' | 'recursive' | 'once';

export interface WatchOptions {
  /** Default `persistent`. That and `recursive` need a server of 3.6 or later. */
  readonly mode?: WatchMode;
  /** Ends the watch at once: what was not taken is dropped, and the iterator throws an AbortError. */
  readonly signal?: AbortSignal;
  /** Events that wait to be taken; of more only the number is kept, see MissedEvents. Default 10,000. */
  readonly queueMax?: number;
}

/** What a sequence of events needs of its client. */
export interface WatchHost {
  readonly state: SessionState;
  onState(listener: (state: SessionState) => void): () => void;
  /** Sets the watch; rejects with what the server says. */
  set(path: string, mode: WatchMode, watcher: Watcher): Promise<unknown>;
  /** Nobody listens any more, here and at the server. */
  release(kind: WatchKind, path: string, watcher: Watcher): void;
}

const kinds: Readonly<Record<WatchMode, readonly WatchKind[]>> = {
  persistent: ['persistent'],
  recursive: ['recursive'],
  once: ['data', 'exist'],
};
const QUEUE_MAX = 10_000;

/**
 * The events of one watch, for `for await`. The watch is asked for when this is made, so a read that the client makes afterwards
 * leaves no gap. It is removed when the loop is left, by `return()`, by the signal, and at the end of the session.
 *
 * A persistent watch does not tell what happened while the connection was lost: after an event `None` with `connected` read again.
 */
export class WatchEvents implements AsyncIterableIterator<WatchedEvent, undefined> {
  readonly #host: WatchHost;
  readonly #path: string;
  readonly #mode: WatchMode;
  readonly #queueMax: number;
  readonly #queue = new EventQueue<WatchedEvent>();
  /** In the queue's last place; another is begun once it was taken. */
  #missed: { readonly type: 'Missed'; count: number } | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #stopHearing: () => void;
  /** The server has the watch: from now on a lost connection means lost events. */
  #isSet = false;

  constructor(host: WatchHost, path: string, options: WatchOptions) {
    this.#host = host;
    this.#path = path;
    this.#mode = options.mode ?? 'persistent';
    this.#queueMax = options.queueMax ?? QUEUE_MAX;
    this.#signal = options.signal;
    this.#stopHearing = host.onState((state) => this.#stateChanged(state));
    if (this.#signal?.aborted === true) this.#abort();
    else if (!this.#endWith(host.state)) {
      this.#signal?.addEventListener('abort', this.#abort, { once: true });
      void this.#set();
    }
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<WatchedEvent, undefined>> {
    return this.#queue.next();
  }

  /** Ends the watch. */
  return(): Promise<IteratorResult<WatchedEvent, undefined>> {
    this.#end();
    this.#queue.discard();
    return Promise.resolve({ done: true, value: undefined });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  async #set(): Promise<void> {
    try {
      await this.#host.set(this.#path, this.#mode, this.#watcher);
      this.#isSet = true;
      if (this.#queue.isOver) this.#release(); // it was left meanwhile
    } catch (error) {
      if (this.#queue.isOver) return;
      if (wasCutOff(error)) void this.#set();
      else if (!isClosing(error, this.#host.state)) this.#end(error as Error);
    }
  }

  readonly #watcher: Watcher = (event) => {
    this.#isSet = true; // the reply came before
    this.#put(event);
    if (this.#mode === 'once' || event.type === 'PersistentWatchRemoved') this.#end();
  };

  readonly #abort = (): void => {
    this.#queue.discard();
    this.#end(new AbortError(this.#signal as AbortSignal, { path: this.#path, sent: this.#isSet }));
  };

  #stateChanged(state: SessionState): void {
    if (this.#endWith(state)) return;
    const isOpen = state === 'connected' || state === 'connectedReadOnly' || state === 'disconnected';
    if (this.#isSet && isOpen) this.#put({ type: 'None', state });
  }

  #endWith(state: SessionState): boolean {
    const end = endOf(state, this.#path);
    if (end !== undefined) this.#end(end.error);
    return end !== undefined;
  }

  #put(event: WatchedEvent): void {
    const queue = this.#queue;
    if (queue.size < this.#queueMax) queue.put(event);
    else this.#miss();
  }

  /** The last place tells how many found none. */
  #miss(): void {
    if (this.#missed !== undefined && this.#queue.last === this.#missed) {
      this.#missed.count += 1;
      return;
    }
    this.#missed = { type: 'Missed', count: 1 };
    this.#queue.put(this.#missed);
  }

  #end(error?: Error): void {
    if (!this.#queue.end(error)) return;
    this.#stopHearing();
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#release();
  }

  #release(): void {
    for (const kind of kinds[this.#mode]) this.#host.release(kind, this.#path, this.#watcher);
  }
}

/** How a sequence ends with the session: normally when the program closed it. Undefined while it goes on. */
export function endOf(state: SessionState, path: string): { readonly error?: KeeperError } | undefined {
  switch (state) {
    case 'closed':
      return {};
    case 'expired':
      return { error: new KeeperError(ErrorCode.SESSIONEXPIRED, path) };
    case 'authFailed':
      return { error: new KeeperError(ErrorCode.AUTHFAILED, path) };
    default:
      return undefined;
  }
}

/** The request was refused because the program is closing the session, whose end comes soon. */
export function isClosing(error: unknown, state: SessionState): boolean {
  return isKeeperError(error, 'SESSIONEXPIRED') && endOf(state, '') === undefined;
}

/** The request may be made again: a new connection will come. */
export function wasCutOff(error: unknown): boolean {
  return isKeeperError(error, 'CONNECTIONLOSS', 'REQUESTTIMEOUT', 'SESSIONMOVED');
}
