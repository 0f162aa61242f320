import { CreateMode } from '../../jute/create-mode.ts';
import { ErrorCode } from '../../jute/errors.ts';
import type { ZookeeperClient } from '../client.ts';
import type { CreateOptions } from '../client-options.ts';
import type { NodeData } from '../multi.ts';
import { createInContainers } from './containers.ts';
import { RecipeClosedError } from './errors.ts';
import { Listeners } from './listeners.ts';
import { ignore, isError } from './nodes.ts';
import { deleteSurely } from './protected-node.ts';
import { isLast, type SessionSource, type Sessions, sessionsOf } from './sessions.ts';
import { untilAnswered, untilGone, Waiting, type WaitOptions } from './waiting.ts';

export interface PersistentNodeOptions {
  /** Default EPHEMERAL. PERSISTENT, CONTAINER and PERSISTENT_WITH_TTL come back too when somebody deletes them. */
  readonly mode?: Exclude<
    CreateMode,
    | typeof CreateMode.EPHEMERAL_SEQUENTIAL
    | typeof CreateMode.PERSISTENT_SEQUENTIAL
    | typeof CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL
  >;
  readonly data?: NodeData;
  readonly acl?: CreateOptions['acl'];
  /** Of PERSISTENT_WITH_TTL. */
  readonly ttlMs?: number;
}

export type PersistentNodeState = 'creating' | 'there' | 'closed' | 'failed';

/**
 * A node that comes back: when somebody deletes it, and (an ephemeral one, with a SessionKeeper) in each new session. As Curator's
 * PersistentNode. A node of that name that is there already is taken over: its data are replaced, and if it belongs to a former
 * session of ours, it is created anew when that one ends.
 *
 *   creating ⇄ there ──▶ closed
 *      └─────────┴──▶ failed   the session is over (and no keeper gives another), or the server refused
 */
export class PersistentNode {
  readonly path: string;
  readonly #sessions: Sessions;
  readonly #mode: CreateMode;
  readonly #options: CreateOptions;
  readonly #listeners = new Listeners<PersistentNodeState>();
  readonly #closing = new AbortController();
  readonly #stopListening: () => void;
  #data: NodeData;
  #state: PersistentNodeState = 'creating';
  #failure: unknown;
  #keeping: Promise<void> = Promise.resolve();

  constructor(source: SessionSource, path: string, options: PersistentNodeOptions = {}) {
    const { mode = CreateMode.EPHEMERAL, data = null, acl, ttlMs } = options;
    this.path = path;
    this.#sessions = sessionsOf(source);
    this.#mode = mode;
    this.#options = { mode, acl, ttlMs };
    this.#data = data;
    this.#stopListening = this.#sessions.subscribe((client) => {
      this.#keeping = this.#keep(client);
    });
  }

  get state(): PersistentNodeState {
    return this.#state;
  }

  get data(): NodeData {
    return this.#data;
  }

  /** Hears every change of the state; answers how to stop listening. */
  onState(listener: (state: PersistentNodeState) => void): () => void {
    return this.#listeners.add(listener);
  }

  /** @throws RecipeClosedError, WaitTimeoutError, the signal's reason, KeeperError */
  async whenThere(options?: WaitOptions): Promise<void> {
    const waiting = new Waiting(this.#sessions.client, `node ${this.path}`, options, true);
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = this.onState(() => resolve());
    try {
      if (this.#state === 'creating') await waiting.race(promise);
    } finally {
      stop();
      waiting.stop();
    }
    if (this.#state === 'failed') throw this.#failure;
    if (this.#state === 'closed') throw new RecipeClosedError(`node ${this.path}`);
  }

  /** From now on, also when it comes back. */
  async setData(data: NodeData): Promise<void> {
    this.#data = data;
    const { client } = this.#sessions;
    // Repeated with the newest: another call may have been answered meanwhile.
    await untilAnswered(client, () => client.setData(this.path, this.#data).catch(ignore(ErrorCode.NONODE)));
  }

  /** Deletes the node. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    const hasFailed = this.#state === 'failed';
    this.#stopListening();
    this.#become('closed');
    this.#closing.abort(new RecipeClosedError(`node ${this.path}`));
    await this.#keeping;
    if (!hasFailed) await deleteSurely(this.#sessions.client, this.path, this.#mode);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #keep(client: ZookeeperClient): Promise<void> {
    const waiting = new Waiting(client, this.path, { signal: this.#closing.signal });
    try {
      for (;;) {
        this.#become('creating');
        await untilAnswered(
          client,
          () => this.#create(client),
          () => this.#closing.signal.aborted,
        );
        if (this.#closing.signal.aborted) return;
        this.#become('there');
        await untilGone(client, this.path, waiting);
      }
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      const isRefusal = !isError(error, ErrorCode.SESSIONEXPIRED);
      if (isRefusal) this.#stopListening();
      if (isRefusal || isLast(this.#sessions, client)) this.#fail(error);
    } finally {
      waiting.stop();
    }
  }

  async #create(client: ZookeeperClient): Promise<void> {
    const data = this.#data;
    try {
      await createInContainers(client, this.path, data, this.#options);
    } catch (error) {
      if (!isError(error, ErrorCode.NODEEXISTS)) throw error;
      await client.setData(this.path, data).catch(ignore(ErrorCode.NONODE)); // gone again: untilGone will see
    }
    if (data !== this.#data) await client.setData(this.path, this.#data).catch(ignore(ErrorCode.NONODE));
  }

  #fail(error: unknown): void {
    this.#failure = error;
    this.#become('failed');
  }

  #become(state: PersistentNodeState): void {
    if (this.#state === state || this.#state === 'closed') return;
    this.#state = state;
    this.#listeners.tell(this.#sessions.client, state);
  }
}
