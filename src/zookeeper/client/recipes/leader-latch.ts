import { ErrorCode } from '../../jute/errors.ts';
import type { Zxid } from '../../jute/ids.ts';
import type { ZookeeperClient } from '../client.ts';
import type { CreateOptions } from '../client-options.ts';
import type { MultiOp } from '../multi.ts';
import { childOf } from '../paths.ts';
import { LostError, RecipeClosedError } from './errors.ts';
import { type LostWhen, onLoss } from './held.ts';
import { inOrder, type Line, Place } from './line.ts';
import { Listeners } from './listeners.ts';
import { lockLine } from './mutex.ts';
import { childrenOf, isError } from './nodes.ts';
import { isLast, type SessionSource, type Sessions, sessionsOf } from './sessions.ts';
import { sessionIsOver, untilAnswered, Waiting, type WaitOptions } from './waiting.ts';

export interface LeaderLatchOptions {
  /** What the others see of this participant. Default empty. */
  readonly id?: string;
  readonly acl?: CreateOptions['acl'];
  /** When leadership ends without a connection. Default `suspended`. */
  readonly lostWhen?: LostWhen;
}

/** The time that a participant leads. */
export interface Leadership {
  readonly path: string;
  /** Higher for each later leader; see Held. */
  readonly fencingToken: Zxid;
  /** Aborted with LostError when it ends by itself, with RecipeClosedError when the latch is closed. */
  readonly signal: AbortSignal;
  /** Put first into a `multi`, it lets the other operations happen only while the leader's node stands. */
  check(): MultiOp;
}

export interface Participant {
  readonly id: string;
  readonly isLeader: boolean;
}

export type LatchState = 'waiting' | 'leading' | 'closed' | 'failed';

/**
 * One of several participants leads, and another one after it; on the znodes of Curator's LeaderLatch, whose data are the ids:
 *
 *   /latch/_c_1c9f…-latch-0000000004   leads
 *   /latch/_c_77a0…-latch-0000000005   watches …4
 *
 *   waiting ⇄ leading ──▶ closed
 *      └─────────┴──▶ failed   the session is over (and no keeper gives another), or the server refused
 *
 * Leadership that ended because the connection was lost comes back with the connection if the session lived on.
 */
export class LeaderLatch {
  readonly #sessions: Sessions;
  readonly #line: Line;
  readonly #lostWhen: LostWhen;
  readonly #listeners = new Listeners<LatchState>();
  readonly #stopListening: () => void;
  readonly #closing = new AbortController();
  #state: LatchState = 'waiting';
  #failure: unknown;
  #leadership: Leadership | undefined;
  #campaign: Promise<void> = Promise.resolve();

  /** Takes part from now on. */
  constructor(source: SessionSource, path: string, options: LeaderLatchOptions = {}) {
    const { id = '', acl, lostWhen = 'suspended' } = options;
    this.#sessions = sessionsOf(source);
    this.#line = lockLine(path, 'latch-', { data: id, acl });
    this.#lostWhen = lostWhen;
    this.#stopListening = this.#sessions.subscribe((client) => {
      this.#campaign = this.#run(client);
    });
  }

  get state(): LatchState {
    return this.#state;
  }

  /** Undefined while another leads. */
  get leadership(): Leadership | undefined {
    return this.#leadership;
  }

  /** Hears every change of the state; answers how to stop listening. */
  onState(listener: (state: LatchState) => void): () => void {
    return this.#listeners.add(listener);
  }

  /** @throws RecipeClosedError, WaitTimeoutError, the signal's reason, KeeperError */
  async whenLeading(options?: WaitOptions): Promise<Leadership> {
    const waiting = new Waiting(this.#sessions.client, `leadership of ${this.#line.path}`, options, true);
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = this.onState(() => resolve());
    try {
      if (this.#state === 'waiting') await waiting.race(promise);
      if (this.#leadership !== undefined) return this.#leadership;
      throw this.#failure ?? new RecipeClosedError(`latch ${this.#line.path}`);
    } finally {
      stop();
      waiting.stop();
    }
  }

  /** All who take part, the leader first. */
  participants(): Promise<Participant[]> {
    return participants(this.#sessions.client, this.#line);
  }

  /** Gives leadership up, and takes part no more. */
  close(): Promise<void> {
    this.#stopListening();
    if (this.#state !== 'failed') this.#become('closed');
    this.#closing.abort(new RecipeClosedError(`latch ${this.#line.path}`));
    return this.#campaign;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(client: ZookeeperClient): Promise<void> {
    const waiting = new Waiting(client, this.#line.path, { signal: this.#closing.signal });
    try {
      for (;;) await this.#takePart(client, waiting);
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      const isRefusal = !isError(error, ErrorCode.SESSIONEXPIRED);
      if (isRefusal || isLast(this.#sessions, client)) this.#fail(isRefusal ? error : sessionIsOver(client));
    } finally {
      waiting.stop();
    }
  }

  /** Until the node is gone, or the wait is given up. */
  async #takePart(client: ZookeeperClient, waiting: Waiting): Promise<void> {
    const place = await Place.take(client, this.#line, waiting);
    try {
      for (;;) {
        const stat = (await place.turn(waiting, { wait: true }))!; // it waited
        await waiting.race(this.#lead(client, place, stat.czxid));
      }
    } catch (error) {
      if (isError(error, ErrorCode.NONODE)) return;
      await place.leave();
      throw error;
    } finally {
      if (this.#state === 'leading') this.#become('waiting');
    }
  }

  /** Resolves when leadership has ended by itself. */
  #lead(client: ZookeeperClient, place: Place, fencingToken: Zxid): Promise<void> {
    const { path } = place;
    const { promise, resolve } = Promise.withResolvers<void>();
    const controller = new AbortController();
    const { signal } = controller;
    const end = (reason: Error): void => {
      this.#closing.signal.removeEventListener('abort', closed);
      controller.abort(reason);
      if (this.#state === 'leading') this.#become('waiting');
      resolve();
    };
    const closed = (): void => end(this.#closing.signal.reason);
    this.#closing.signal.addEventListener('abort', closed);
    const stop = onLoss(client, this.#lostWhen, (why) => end(new LostError(path, why)));
    place.onDeleted = () => end(new LostError(path, 'deleted'));
    signal.addEventListener('abort', stop);
    if (!signal.aborted) {
      this.#leadership = { path, fencingToken, signal, check: () => ({ kind: 'check', path }) };
      this.#become('leading');
    }
    return promise;
  }

  #fail(error: unknown): void {
    this.#stopListening();
    this.#failure = error;
    this.#become('failed');
  }

  #become(state: LatchState): void {
    if (this.#state === state || this.#state === 'closed') return;
    this.#state = state;
    if (state !== 'leading') this.#leadership = undefined;
    this.#listeners.tell(this.#sessions.client, state);
  }
}

/** Whose ids are their nodes' data, in the order of the line. */
export async function participants(client: ZookeeperClient, { path, names }: Line): Promise<Participant[]> {
  const children = await untilAnswered(client, () => childrenOf(client, path));
  const ids = await Promise.all(inOrder(children, names).map((name) => idOf(client, childOf(path, name))));
  return ids.filter((id) => id !== undefined).map((id, index) => ({ id, isLeader: index === 0 }));
}

/** Undefined if it has left meanwhile. */
async function idOf(client: ZookeeperClient, path: string): Promise<string | undefined> {
  try {
    const { data } = await untilAnswered(client, () => client.getData(path));
    return data?.toString() ?? '';
  } catch (error) {
    if (isError(error, ErrorCode.NONODE)) return undefined;
    throw error;
  }
}
