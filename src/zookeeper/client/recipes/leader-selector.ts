import { ErrorCode } from '../../jute/errors.ts';
import type { ZookeeperClient } from '../client.ts';
import { RecipeClosedError } from './errors.ts';
import type { Held } from './held.ts';
import { type Participant, participants } from './leader-latch.ts';
import { lockLine, Mutex } from './mutex.ts';
import { isError } from './nodes.ts';
import { isLast, type SessionSource, type Sessions, sessionsOf } from './sessions.ts';

export interface LeaderSelectorOptions {
  /** What the others see of this participant. Default empty. */
  readonly id?: string;
  /** Whether to stand in line again after each turn. Default false. */
  readonly requeue?: boolean;
}

/**
 * Participants lead in turn, each while its function runs; on the znodes of Curator's LeaderSelector: an InterProcessMutex whose
 * data are the ids. `takeLeadership` has to end when the signal of what it is given is aborted. It stands in line until it has led
 * once (for ever with `requeue`), until the server refuses, or until there is no session any more.
 */
export class LeaderSelector {
  readonly #sessions: Sessions;
  readonly #path: string;
  readonly #id: string;
  readonly #requeue: boolean;
  readonly #takeLeadership: (held: Held) => Promise<void>;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;

  /** Stands in line from now on. */
  constructor(
    source: SessionSource,
    path: string,
    takeLeadership: (held: Held) => Promise<void>,
    options: LeaderSelectorOptions = {},
  ) {
    this.#sessions = sessionsOf(source);
    this.#path = path;
    this.#id = options.id ?? '';
    this.#requeue = options.requeue ?? false;
    this.#takeLeadership = takeLeadership;
    this.#running = this.#run();
  }

  /** All who stand in line, the leader first. */
  participants(): Promise<Participant[]> {
    return participants(this.#sessions.client, lockLine(this.#path, 'lock-', {}));
  }

  /** Leaves the line; a leader's signal is not aborted, its function is waited for. */
  close(): Promise<void> {
    this.#closing.abort(new RecipeClosedError(`selector ${this.#path}`));
    return this.#running;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const { client } = this.#sessions;
      try {
        await this.#turn(client);
        if (!this.#requeue) return;
      } catch (error) {
        if (signal.aborted || isLast(this.#sessions, client)) return;
        client.runtime.log.warn('out of the line', { path: this.#path, error });
        if (!isError(error, ErrorCode.SESSIONEXPIRED)) return; // the server refused
      }
    }
  }

  async #turn(client: ZookeeperClient): Promise<void> {
    const mutex = new Mutex(client, this.#path, { data: this.#id });
    const held = await mutex.acquire({ signal: this.#closing.signal });
    try {
      await this.#takeLeadership(held);
    } catch (error) {
      client.runtime.log.error('a leader failed', { path: this.#path, error });
    } finally {
      await held.release();
    }
  }
}
