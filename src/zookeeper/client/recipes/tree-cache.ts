import type { Stat } from '../../jute/data.ts';
import { ErrorCode } from '../../jute/errors.ts';
import type { ZookeeperClient } from '../client.ts';
import { childOf, parentOf, validatePath } from '../paths.ts';
import { RecipeClosedError } from './errors.ts';
import { Listeners } from './listeners.ts';
import { isError } from './nodes.ts';
import { isLast, type SessionSource, type Sessions, sessionsOf } from './sessions.ts';
import { TreeFollower } from './tree-follower.ts';
import { Waiting, type WaitOptions } from './waiting.ts';

export interface CachedNode {
  readonly path: string;
  readonly data: Buffer | null;
  readonly stat: Stat;
}

export interface TreeCacheOptions {
  /** Watch every node by itself also where the server has recursive watches. Default false. */
  readonly oneShotWatches?: boolean;
}

export type TreeCacheEvent =
  | { readonly kind: 'created'; readonly node: CachedNode }
  | { readonly kind: 'changed'; readonly node: CachedNode; readonly previous: CachedNode }
  | { readonly kind: 'deleted'; readonly previous: CachedNode }
  /** All is read, for the first time or again; the events before it told what differed from the cache. */
  | { readonly kind: 'current' }
  /** There is no connection: the cache stays as it is meanwhile. */
  | { readonly kind: 'stale' }
  /** Closed or failed. */
  | { readonly kind: 'ended' };

export type TreeCacheState = 'loading' | 'current' | 'stale' | 'closed' | 'failed';

/**
 * A copy in memory of a node and all below it, that follows the changes; as Curator's CuratorCache. Each node is shown as the
 * server had it, later states later; of changes that follow each other quickly, the last may be the only one seen.
 *
 *   loading ──▶ current ⇄ stale ──▶ closed
 *      └───────────┴────────┴──▶ failed   the session is over (and no keeper gives another), or the server refused
 *
 * Where the server has them (3.6) it uses one persistent recursive watch, else one-shot watches on every node. Closing the last
 * cache of a root removes the client's recursive watches on that path.
 */
export class TreeCache {
  readonly root: string;
  readonly #sessions: Sessions;
  readonly #oneShotWatches: boolean;
  readonly #nodes = new Map<string, CachedNode>();
  /** Names of the cached nodes below a path. */
  readonly #children = new Map<string, Set<string>>();
  readonly #listeners = new Listeners<TreeCacheEvent>();
  readonly #stopListening: () => void;
  #follower: TreeFollower | undefined;
  #state: TreeCacheState = 'loading';
  #failure: unknown;

  /** Begins to read. The root may be missing. */
  constructor(source: SessionSource, root: string, options: TreeCacheOptions = {}) {
    validatePath(root);
    this.root = root;
    this.#oneShotWatches = options.oneShotWatches ?? false;
    this.#sessions = sessionsOf(source);
    this.#stopListening = this.#sessions.subscribe((client) => this.#follow(client));
  }

  get state(): TreeCacheState {
    return this.#state;
  }

  get size(): number {
    return this.#nodes.size;
  }

  get(path: string): CachedNode | undefined {
    return this.#nodes.get(path);
  }

  /** Names of the cached nodes below a path. */
  children(path: string): string[] {
    return [...(this.#children.get(path) ?? [])];
  }

  nodes(): IterableIterator<CachedNode> {
    return this.#nodes.values();
  }

  /** Answers how to stop listening. */
  onEvent(listener: (event: TreeCacheEvent) => void): () => void {
    return this.#listeners.add(listener);
  }

  /** Until all is read. @throws RecipeClosedError, WaitTimeoutError, the signal's reason, KeeperError */
  async whenCurrent(options?: WaitOptions): Promise<void> {
    const waiting = new Waiting(this.#sessions.client, `cache of ${this.root}`, options, true);
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = this.onEvent(({ kind }) => {
      if (kind === 'current' || kind === 'ended') resolve();
    });
    try {
      if (this.#state === 'loading' || this.#state === 'stale') await waiting.race(promise);
    } finally {
      stop();
      waiting.stop();
    }
    if (this.#state === 'failed') throw this.#failure;
    if (this.#state === 'closed') throw new RecipeClosedError(`cache of ${this.root}`);
  }

  /** Follows no more; what is cached stays readable. */
  close(): void {
    this.#stopListening();
    this.#follower?.close();
    this.#become('closed', { kind: 'ended' });
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #follow(client: ZookeeperClient): void {
    this.#follower?.close();
    this.#follower = new TreeFollower(client, this.root, this.#oneShotWatches, {
      found: (path, { data, stat }) => this.#put({ path, data, stat }),
      missing: (path) => this.#remove(path),
      listed: (path, names) => this.#keepOnly(path, new Set(names)),
      has: (path) => this.#nodes.has(path),
      current: () => this.#become('current', { kind: 'current' }),
      stale: () => this.#become('stale', { kind: 'stale' }),
      failed: (error) => this.#failed(client, error),
    });
  }

  #put(node: CachedNode): void {
    const { path } = node;
    const previous = this.#nodes.get(path);
    this.#nodes.set(path, node);
    if (previous !== undefined) {
      if (previous.stat.mzxid !== node.stat.mzxid) this.#tell({ kind: 'changed', node, previous });
      return;
    }
    if (path !== this.root) this.#siblings(path).add(nameOf(path));
    this.#tell({ kind: 'created', node });
  }

  #siblings(path: string): Set<string> {
    const parent = parentOf(path);
    let names = this.#children.get(parent);
    if (names === undefined) {
      names = new Set();
      this.#children.set(parent, names);
    }
    return names;
  }

  #remove(path: string): void {
    for (const name of this.children(path)) this.#remove(childOf(path, name));
    this.#children.delete(path);
    const previous = this.#nodes.get(path);
    if (previous === undefined) return;
    this.#nodes.delete(path);
    if (path !== this.root) this.#siblings(path).delete(nameOf(path));
    this.#tell({ kind: 'deleted', previous });
  }

  #keepOnly(path: string, names: ReadonlySet<string>): void {
    for (const name of this.children(path)) if (!names.has(name)) this.#remove(childOf(path, name));
  }

  /** The next session goes on where this one ends. */
  #failed(client: ZookeeperClient, error: unknown): void {
    if (isError(error, ErrorCode.SESSIONEXPIRED) && !isLast(this.#sessions, client)) {
      this.#become('stale', { kind: 'stale' });
      return;
    }
    this.#stopListening();
    this.#failure = error;
    this.#become('failed', { kind: 'ended' });
  }

  #become(state: TreeCacheState, event: TreeCacheEvent): void {
    if (this.#state === state || this.#state === 'closed' || this.#state === 'failed') return;
    if (state === 'stale' && this.#state === 'loading') return;
    this.#state = state;
    this.#tell(event);
  }

  #tell(event: TreeCacheEvent): void {
    this.#listeners.tell(this.#sessions.client, event);
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
