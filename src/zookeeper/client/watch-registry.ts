import { EventType, type WatcherType } from '../jute/events.ts';
import type { Zxid } from '../jute/ids.ts';

export type WatchEventType =
  | 'NodeCreated'
  | 'NodeDeleted'
  | 'NodeDataChanged'
  | 'NodeChildrenChanged'
  | 'DataWatchRemoved'
  | 'ChildWatchRemoved'
  | 'PersistentWatchRemoved';

/** What a watch tells. */
export interface WatchEvent {
  readonly type: WatchEventType;
  /** Relative to the client's chroot. */
  readonly path: string;
  /** Of the change; -1 from servers before 3.9 and for what was missed while disconnected. */
  readonly zxid: Zxid;
}
export type Watcher = (event: WatchEvent) => void;

export type WatchKind = 'data' | 'exist' | 'child' | 'persistent' | 'recursive';
/** What an `exists` that found nothing leaves. */
type OneShotKind = 'data' | 'exist' | 'child';

const typeNames = new Map<number, WatchEventType>([
  [EventType.NodeCreated, 'NodeCreated'],
  [EventType.NodeDeleted, 'NodeDeleted'],
  [EventType.NodeDataChanged, 'NodeDataChanged'],
  [EventType.NodeChildrenChanged, 'NodeChildrenChanged'],
]);

/** The name of an event that a server sends; undefined for any other number. */
export function watchEventType(type: number): WatchEventType | undefined {
  return typeNames.get(type);
}

/** Which one-shot watches an event uses up (org.apache.zookeeper.ZKWatchManager). */
const usedUpBy: Readonly<Partial<Record<WatchEventType, readonly OneShotKind[]>>> = {
  NodeCreated: ['data', 'exist'],
  NodeDataChanged: ['data', 'exist'],
  NodeChildrenChanged: ['child'],
  NodeDeleted: ['data', 'exist', 'child'],
};

/** The watches of one client by the server's path. They live here, not on the server: a new connection is told them again. */
export class WatchRegistry {
  readonly #watches: Readonly<Record<WatchKind, Map<string, Set<Watcher>>>> = {
    data: new Map(),
    exist: new Map(),
    child: new Map(),
    persistent: new Map(),
    recursive: new Map(),
  };
  /** How many requests are under way for a kind and a path. */
  readonly #expected = new Map<string, number>();

  add(kind: WatchKind, path: string, watcher: Watcher): void {
    const byPath = this.#watches[kind];
    const watchers = byPath.get(path);
    if (watchers === undefined) byPath.set(path, new Set([watcher]));
    else watchers.add(watcher);
  }

  /** Forgets all watches of a kind on a path, and answers them. */
  remove(kind: WatchKind, path: string): readonly Watcher[] {
    const watchers = this.#watches[kind].get(path);
    this.#watches[kind].delete(path);
    return watchers === undefined ? [] : [...watchers];
  }

  /** Forgets one watcher of a path; answers whether it was there. */
  removeOne(kind: WatchKind, path: string, watcher: Watcher): boolean {
    const byPath = this.#watches[kind];
    const watchers = byPath.get(path);
    if (watchers?.delete(watcher) !== true) return false;
    if (watchers.size === 0) byPath.delete(path);
    return true;
  }

  /** Whether anyone else hears of a path by a kind of watch, or will once the server has answered. */
  isWatched(kind: WatchKind, path: string, except?: Watcher): boolean {
    const watchers = this.#watches[kind].get(path);
    const others = (watchers?.size ?? 0) - (except !== undefined && watchers?.has(except) === true ? 1 : 0);
    return others > 0 || this.#expected.has(`${kind} ${path}`);
  }

  /** A watch that was asked for: the server must not be told meanwhile that nobody listens. */
  expect(kind: WatchKind, path: string): void {
    const key = `${kind} ${path}`;
    this.#expected.set(key, (this.#expected.get(key) ?? 0) + 1);
  }

  /** The server has answered, or never will. */
  expectNoMore(kind: WatchKind, path: string): void {
    const key = `${kind} ${path}`;
    const count = this.#expected.get(key) ?? 0;
    if (count > 1) this.#expected.set(key, count - 1);
    else this.#expected.delete(key);
  }

  paths(kind: WatchKind): readonly string[] {
    return [...this.#watches[kind].keys()];
  }

  /** Who hears of an event, each once; one-shot watches are used up by it. */
  take(type: WatchEventType, path: string): ReadonlySet<Watcher> {
    const heard = new Set<Watcher>();
    for (const kind of usedUpBy[type] ?? []) for (const watcher of this.remove(kind, path)) heard.add(watcher);
    for (const watcher of this.#watches.persistent.get(path) ?? []) heard.add(watcher);
    if (type !== 'NodeChildrenChanged') this.#collectRecursive(path, heard);
    return heard;
  }

  clear(): void {
    for (const byPath of Object.values(this.#watches)) byPath.clear();
  }

  /** Recursive watches on the path and on every ancestor. */
  #collectRecursive(path: string, heard: Set<Watcher>): void {
    const { recursive } = this.#watches;
    if (recursive.size === 0) return;
    let at = path;
    for (;;) {
      for (const watcher of recursive.get(at) ?? []) heard.add(watcher);
      if (at === '/') return;
      at = at.slice(0, Math.max(1, at.lastIndexOf('/')));
    }
  }
}

/** Which watches `removeWatches` means (Watcher.WatcherType): of data and existence, of children, those that stay, or all. */
export type RemovableWatches = keyof typeof WatcherType;

/** A kind of watch that is removed, and how its watchers hear of it. */
type Removal = { readonly kind: WatchKind; readonly type: WatchEventType };
const dataRemovals: readonly Removal[] = [
  { kind: 'data', type: 'DataWatchRemoved' },
  { kind: 'exist', type: 'DataWatchRemoved' },
];
const childRemovals: readonly Removal[] = [{ kind: 'child', type: 'ChildWatchRemoved' }];
const persistentRemovals: readonly Removal[] = [{ kind: 'persistent', type: 'PersistentWatchRemoved' }];
const recursiveRemovals: readonly Removal[] = [{ kind: 'recursive', type: 'PersistentWatchRemoved' }];
/** What `removeWatches` removes, by WatcherType. */
export const removals: Readonly<Record<RemovableWatches, readonly Removal[]>> = {
  Data: dataRemovals,
  Children: childRemovals,
  Persistent: persistentRemovals,
  PersistentRecursive: recursiveRemovals,
  Any: [...childRemovals, ...dataRemovals, ...persistentRemovals, ...recursiveRemovals],
};
