import { Deque } from '../../../base/deque.ts';
import { ErrorCode, KeeperError } from '../../jute/errors.ts';
import type { ZookeeperClient } from '../client.ts';
import type { NodeValue } from '../client-options.ts';
import { childOf } from '../paths.ts';
import type { WatchEvent } from '../watch-registry.ts';
import { isError } from './nodes.ts';
import { isOver, pause, sessionIsOver } from './waiting.ts';

/** What a follower tells of the tree, in the order in which the server had it. */
export interface TreeFollowerOwner {
  found(path: string, value: NodeValue): void;
  /** With all below it. */
  missing(path: string): void;
  /** All names below a node. */
  listed(path: string, names: readonly string[]): void;
  has(path: string): boolean;
  /** Everything that was to be read is. */
  current(): void;
  stale(): void;
  /** Nothing more will come. */
  failed(error: unknown): void;
}

type Kind = 'data' | 'children';

/** Reads under way at once: enough to fill the connection, few enough for a server that others need too. */
const READS_MAX = 256;
/** Clients whose server is older than 3.6. */
const withoutRecursiveWatches = new WeakSet<ZookeeperClient>();

/**
 * Reads a tree and follows it within one session. After every reconnection it reads all again: a server tells a persistent watch
 * nothing of what happened meanwhile (org.apache.zookeeper.server.DataTree.setWatches).
 */
export class TreeFollower {
  readonly #client: ZookeeperClient;
  readonly #root: string;
  readonly #oneShotWatches: boolean;
  readonly #owner: TreeFollowerOwner;
  readonly #stopListening: () => void;
  readonly #waiting = new Deque<() => Promise<void>>();
  /** The latest read of each path: an answer to an earlier one says nothing new, and none counts once the node is deleted. */
  readonly #latest: Record<Kind, Map<string, object>> = { data: new Map(), children: new Map() };
  #active = 0;
  #isRecursive = false;
  #closed = false;

  constructor(client: ZookeeperClient, root: string, oneShotWatches: boolean, owner: TreeFollowerOwner) {
    this.#client = client;
    this.#root = root;
    this.#oneShotWatches = oneShotWatches;
    this.#owner = owner;
    this.#stopListening = client.onState(() => this.#look());
    this.#look();
  }

  close(): void {
    this.#closed = true;
    this.#stopListening();
    this.#waiting.clear();
    if (this.#isRecursive) this.#unwatch();
  }

  /** Here at once where there is no connection: the next one is told no such watch. */
  #unwatch(): void {
    const options = { watcher: this.#happened, local: true };
    this.#client.removeWatches(this.#root, 'PersistentRecursive', options).catch(() => undefined);
  }

  #look(): void {
    const { state } = this.#client;
    if (isOver(this.#client)) this.#fail(sessionIsOver(this.#client));
    else if (state === 'disconnected') this.#forget();
    else if (state !== 'connecting') this.#load();
  }

  /** What was asked is not answered any more. */
  #forget(): void {
    this.#waiting.clear();
    this.#latest.data.clear();
    this.#latest.children.clear();
    this.#owner.stale();
  }

  #load(): void {
    this.#schedule(async () => {
      const isPossible = !this.#oneShotWatches && !withoutRecursiveWatches.has(this.#client);
      if (isPossible && !this.#isRecursive) await this.#watchRecursively();
      this.#readAll(this.#root);
    });
  }

  async #watchRecursively(): Promise<void> {
    try {
      await this.#client.addWatch(this.#root, this.#happened, { recursive: true });
      this.#isRecursive = true;
      if (this.#closed) this.#unwatch();
    } catch (error) {
      if (!isError(error, ErrorCode.UNIMPLEMENTED)) throw error;
      withoutRecursiveWatches.add(this.#client);
    }
  }

  readonly #happened = ({ type, path }: WatchEvent): void => {
    if (this.#closed) return;
    switch (type) {
      case 'NodeDeleted':
        this.#drop(path);
        if (path === this.#root && !this.#isRecursive) this.#read('data', path);
        return;
      case 'NodeChildrenChanged':
        return this.#read('children', path);
      case 'NodeCreated':
        return this.#isRecursive ? this.#read('data', path) : this.#readAll(path);
      case 'NodeDataChanged':
        return this.#read('data', path);
      default:
        return;
    }
  };

  #drop(path: string): void {
    this.#latest.data.delete(path);
    this.#latest.children.delete(path);
    this.#owner.missing(path);
  }

  #readAll(path: string): void {
    this.#read('data', path);
    this.#read('children', path, true);
  }

  /** `deep`: read what is listed also where it is known already. */
  #read(kind: Kind, path: string, deep = false): void {
    const token = {};
    this.#latest[kind].set(path, token);
    const isLatest = (): boolean => !this.#closed && this.#latest[kind].get(path) === token;
    this.#schedule(async () => {
      try {
        if (!isLatest()) return;
        if (kind === 'data') await this.#readData(path, isLatest);
        else await this.#readChildren(path, deep, isLatest);
      } catch (error) {
        if (isLatest()) await this.#unread(error, kind, path, deep);
      } finally {
        if (this.#latest[kind].get(path) === token) this.#latest[kind].delete(path);
      }
    });
  }

  async #readData(path: string, isLatest: () => boolean): Promise<void> {
    const value = await this.#client.getData(path, this.#oneShot());
    if (isLatest()) this.#owner.found(path, value);
  }

  async #readChildren(path: string, deep: boolean, isLatest: () => boolean): Promise<void> {
    const names = await this.#client.getChildren(path, this.#oneShot());
    if (!isLatest()) return;
    this.#owner.listed(path, names);
    for (const name of names) {
      const child = childOf(path, name);
      if (deep || !this.#owner.has(child)) this.#readAll(child);
    }
  }

  #oneShot(): { readonly watch?: (event: WatchEvent) => void } {
    return this.#isRecursive ? {} : { watch: this.#happened };
  }

  async #unread(error: unknown, kind: Kind, path: string, deep: boolean): Promise<void> {
    if (isError(error, ErrorCode.NONODE)) {
      this.#drop(path);
      if (path === this.#root && !this.#isRecursive) await this.#awaitRoot();
    } else if (error instanceof KeeperError && error.retriable && error.code !== ErrorCode.CONNECTIONLOSS) {
      await pause(this.#client);
      this.#read(kind, path, deep);
    } else if (isError(error, ErrorCode.NOAUTH)) {
      this.#client.runtime.log.warn('a node may not be read', { path });
      this.#owner.missing(path);
    } else if (!isError(error, ErrorCode.CONNECTIONLOSS)) {
      throw error; // after a lost connection all is read again
    }
  }

  async #awaitRoot(): Promise<void> {
    const stat = await this.#client.exists(this.#root, { watch: this.#happened });
    if (stat !== undefined) this.#readAll(this.#root);
  }

  #schedule(read: () => Promise<void>): void {
    this.#waiting.push(read);
    this.#start();
  }

  #start(): void {
    while (this.#active < READS_MAX) {
      const read = this.#waiting.shift();
      if (read === undefined) return;
      this.#active += 1;
      read()
        .catch((error: unknown) => {
          if (!isError(error, ErrorCode.CONNECTIONLOSS)) this.#fail(error);
        })
        .finally(() => this.#ended());
    }
  }

  #ended(): void {
    this.#active -= 1;
    if (this.#closed) return;
    this.#start();
    if (this.#active === 0 && this.#client.state.startsWith('connected')) this.#owner.current();
  }

  #fail(error: unknown): void {
    if (this.#closed) return;
    this.close();
    this.#owner.failed(error);
  }
}
