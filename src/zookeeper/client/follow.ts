import { AbortError, isKeeperError } from './client-errors.ts';
import type { NodeValue, ReadOptions } from './client-options.ts';
import { EventQueue } from './event-queue.ts';
import type { SessionState } from './session.ts';
import { endOf, isClosing, type WatchHost, wasCutOff } from './watch-events.ts';
import type { Watcher } from './watch-registry.ts';

/** What following a node needs of its client. */
export interface FollowHost extends Pick<WatchHost, 'state' | 'onState' | 'release'> {
  getData(path: string, options: ReadOptions): Promise<NodeValue>;
  exists(path: string, options: ReadOptions): Promise<unknown>;
}

export interface FollowOptions {
  /** Ends it at once with an AbortError. */
  readonly signal?: AbortSignal;
}

/**
 * The values of a node, for `for await`: the present one, then each new one that is seen; undefined while there is no node. A slow
 * reader gets the newest value, never an old one, and the last value is never missed, across lost connections too: one-shot
 * watches tell what changed meanwhile (any server). Ends when the client is closed; throws when the session expires.
 */
export class NodeValues implements AsyncIterableIterator<NodeValue | undefined, undefined> {
  readonly #host: FollowHost;
  readonly #path: string;
  readonly #signal: AbortSignal | undefined;
  /** Boxed: a missing node is a value too. Holds at most the newest. */
  readonly #queue = new EventQueue<{ readonly value: NodeValue | undefined }>();
  readonly #stopHearing: () => void;
  /** Of what was put last; undefined when there was nothing yet, -1 for a missing node. */
  #mzxid: bigint | undefined;

  constructor(host: FollowHost, path: string, options: FollowOptions) {
    this.#host = host;
    this.#path = path;
    this.#signal = options.signal;
    this.#stopHearing = host.onState((state) => void this.#endWith(state));
    if (this.#signal?.aborted === true) this.#abort();
    else if (!this.#endWith(host.state)) {
      this.#signal?.addEventListener('abort', this.#abort, { once: true });
      void this.#read();
    }
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<NodeValue | undefined, undefined>> {
    const result = await this.#queue.next();
    return result.done === true ? result : { done: false, value: result.value.value };
  }

  /** Ends the following. */
  return(): Promise<IteratorResult<NodeValue | undefined, undefined>> {
    this.#end();
    this.#queue.discard();
    return Promise.resolve({ done: true, value: undefined });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /** Reads until a value came with a watch on the next change. */
  async #read(): Promise<void> {
    while (!this.#queue.isOver) {
      try {
        const value = await this.#readOnce();
        if (value === 'again') continue;
        if (this.#queue.isOver)
          this.#release(); // it was left meanwhile
        else this.#put(value);
        return;
      } catch (error) {
        if (isClosing(error, this.#host.state)) return;
        if (!wasCutOff(error)) this.#end(error as Error);
      }
    }
  }

  async #readOnce(): Promise<NodeValue | undefined | 'again'> {
    const options = { watch: this.#changed };
    try {
      return await this.#host.getData(this.#path, options);
    } catch (error) {
      if (!isKeeperError(error, 'NONODE')) throw error;
    }
    const stat = await this.#host.exists(this.#path, options);
    return stat === undefined ? undefined : 'again'; // it was created between the two
  }

  readonly #changed: Watcher = () => void this.#read();

  #put(value: NodeValue | undefined): void {
    const mzxid = value?.stat.mzxid ?? -1n;
    if (mzxid === this.#mzxid) return;
    this.#mzxid = mzxid;
    this.#queue.replace({ value });
  }

  readonly #abort = (): void => {
    this.#queue.discard();
    this.#end(new AbortError(this.#signal as AbortSignal, { path: this.#path, sent: true }));
  };

  #endWith(state: SessionState): boolean {
    const end = endOf(state, this.#path);
    if (end !== undefined) this.#end(end.error);
    return end !== undefined;
  }

  #end(error?: Error): void {
    if (!this.#queue.end(error)) return;
    this.#stopHearing();
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#release();
  }

  #release(): void {
    for (const kind of ['data', 'exist'] as const) this.#host.release(kind, this.#path, this.#changed);
  }
}
