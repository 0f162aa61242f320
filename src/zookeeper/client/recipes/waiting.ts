import type { Timer } from '../../../runtime/clock.ts';
import { below } from '../../../runtime/random.ts';
import { ErrorCode, KeeperError } from '../../jute/errors.ts';
import type { ZookeeperClient } from '../client.ts';
import type { ReadOptions } from '../client-options.ts';
import type { WatchEvent } from '../watch-registry.ts';
import { WaitTimeoutError } from './errors.ts';
import { isError } from './nodes.ts';

/** How long to wait; without either, until the session ends. */
export interface WaitOptions {
  /** The wait rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** The wait rejects with WaitTimeoutError. */
  readonly timeoutMs?: number;
}

/** Paused between two attempts, so that those who failed together do not come back together. */
const RETRY_DELAY_MS_MAX = 100;

/** The states that nothing follows; every request fails then. */
export function isOver({ state }: ZookeeperClient): boolean {
  return state === 'expired' || state === 'authFailed' || state === 'closed';
}

/** One wait of a program: ended by its options or by the end of the session, whatever it waits for at that moment. */
export class Waiting {
  readonly #client: ZookeeperClient;
  readonly #rejecters = new Set<(reason: unknown) => void>();
  readonly #stopListening: () => void;
  readonly #signal: AbortSignal | undefined;
  readonly #timer: Timer | undefined;
  #ended: { readonly reason: unknown } | undefined;

  /** `outlivesSession`: what is waited for may come from a later session. */
  constructor(client: ZookeeperClient, what: string, options: WaitOptions = {}, outlivesSession = false) {
    const { signal, timeoutMs } = options;
    this.#client = client;
    const look = (): void => {
      if (!outlivesSession && isOver(client)) this.#end(sessionIsOver(client));
    };
    this.#stopListening = client.onState(look);
    this.#signal = signal;
    signal?.addEventListener('abort', this.#aborted);
    if (timeoutMs !== undefined) {
      this.#timer = client.runtime.clock.after(timeoutMs, () => this.#end(new WaitTimeoutError(what, timeoutMs)));
    }
    if (signal?.aborted === true) this.#aborted();
    look();
  }

  /** Settles as the promise does, or rejects when the wait is given up; the promise goes on then, unheard. */
  race<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) reject(this.#ended.reason);
      else this.#rejecters.add(reject);
      promise.then(resolve, reject).finally(() => this.#rejecters.delete(reject));
    });
  }

  /** A request that is safe to repeat, until it has an answer. */
  ask<T>(request: () => Promise<T>): Promise<T> {
    return this.race(untilAnswered(this.#client, request, () => this.#ended !== undefined));
  }

  /** The wait is over, one way or the other. */
  stop(): void {
    this.#stopListening();
    this.#timer?.cancel();
    this.#signal?.removeEventListener('abort', this.#aborted);
  }

  readonly #aborted = (): void => this.#end(this.#signal?.reason);

  #end(reason: unknown): void {
    if (this.#ended !== undefined) return;
    this.#ended = { reason };
    for (const reject of this.#rejecters) reject(reason);
    this.#rejecters.clear();
    this.stop();
  }
}

/** Runs a piece of work that waits, and ends the wait with it. */
export async function whileWaiting<T>(
  client: ZookeeperClient,
  what: string,
  options: WaitOptions | undefined,
  work: (waiting: Waiting) => Promise<T>,
): Promise<T> {
  const waiting = new Waiting(client, what, options);
  try {
    await waiting.race(Promise.resolve()); // where it is over already, nothing is begun
    return await work(waiting);
  } finally {
    waiting.stop();
  }
}

/** Repeats a request whose answer was lost, for as long as the session lives and nobody gave up. */
export async function untilAnswered<T>(
  client: ZookeeperClient,
  request: () => Promise<T>,
  gaveUp: () => boolean = () => false,
): Promise<T> {
  for (;;) {
    try {
      return await request();
    } catch (error) {
      if (!(error instanceof KeeperError && error.retriable) || gaveUp()) throw error;
      if (isOver(client)) throw sessionIsOver(client);
      await pause(client);
      if (gaveUp()) throw error;
    }
  }
}

export function pause(client: ZookeeperClient): Promise<void> {
  const { clock, random } = client.runtime;
  return new Promise((resolve) => void clock.after(below(random, RETRY_DELAY_MS_MAX), resolve));
}

/**
 * Work with a watch on a path: what sets it, and the promise of its event. No watcher is left when the work ends without one, or
 * whoever asks again and again for a moment would leave as many.
 */
export async function watching<T>(
  client: ZookeeperClient,
  path: string,
  work: (options: ReadOptions, event: Promise<WatchEvent>) => Promise<T>,
): Promise<T> {
  const { promise, resolve: watch } = Promise.withResolvers<WatchEvent>();
  const controller = new AbortController(); // a read that is still under way then sets no watch
  try {
    return await work({ watch, signal: controller.signal }, promise);
  } finally {
    controller.abort();
    client.unwatch(path, watch);
  }
}

/** Until a node is deleted. By getData: `exists` would leave a watch on a name that never comes back. */
export async function untilGone(client: ZookeeperClient, path: string, waiting: Waiting): Promise<void> {
  const look = (): Promise<boolean> =>
    watching(client, path, async (options, event) => {
      await waiting.ask(() => client.getData(path, options));
      const { type } = await waiting.race(event);
      return type === 'NodeDeleted';
    });
  try {
    while (!(await look()));
  } catch (error) {
    if (!isError(error, ErrorCode.NONODE)) throw error;
  }
}

/** What every request of a session that is over fails with. */
export function sessionIsOver({ state }: ZookeeperClient): KeeperError {
  return new KeeperError(state === 'authFailed' ? ErrorCode.AUTHFAILED : ErrorCode.SESSIONEXPIRED);
}
