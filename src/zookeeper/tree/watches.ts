import type { ACL } from '../jute/data.ts';
import { type EventType, KeeperState, WatcherType } from '../jute/events.ts';
import type { Zxid } from '../jute/ids.ts';
import type { TreeAccount } from './tree-account.ts';

export interface WatchedEvent {
  readonly type: EventType;
  readonly state: KeeperState;
  readonly path: string;
  /** The transaction that caused it, -1 for what a client missed while it was away. */
  readonly zxid: Zxid;
}

/** One connection. It is told of events while a transaction is applied, before the reply to whoever caused it. */
export interface Watcher {
  /** @param acl of the node (of a deleted one its last): who may not read it must not be told of it; null: no check */
  process(event: WatchedEvent, acl: readonly ACL[] | null): void;
}

/** Bits, since a watcher may have a path in several modes. */
export const WatchMode = { STANDARD: 1, PERSISTENT: 2, RECURSIVE: 4 } as const;
const ANY_MODE = 7;

/**
 * A table of watches by path and by watcher (WatchManager). Of most paths there is one watcher, which then stands in the table
 * itself, without a set.
 */
export class WatchTable {
  account: TreeAccount | undefined;
  readonly #byPath = new Map<string, Watcher | Set<Watcher>>();
  readonly #byWatcher = new Map<Watcher, Map<string, number>>();
  #recursiveCount = 0;

  /** Pairs of path and watcher. */
  get size(): number {
    let size = 0;
    for (const paths of this.#byWatcher.values()) size += paths.size;
    return size;
  }

  get pathCount(): number {
    return this.#byPath.size;
  }

  get watcherCount(): number {
    return this.#byWatcher.size;
  }

  /** False if it was there already. */
  add(path: string, watcher: Watcher, mode: number): boolean {
    let paths = this.#byWatcher.get(watcher);
    if (paths === undefined) {
      paths = new Map();
      this.#byWatcher.set(watcher, paths);
    }
    const modes = paths.get(path) ?? 0;
    if ((modes & mode) === mode) return false;
    if (modes === 0) this.#enter(path, watcher);
    paths.set(path, modes | mode);
    if (mode === WatchMode.RECURSIVE) this.#recursiveCount += 1;
    return true;
  }

  has(path: string, watcher: Watcher, mode: number = ANY_MODE): boolean {
    return ((this.#byWatcher.get(watcher)?.get(path) ?? 0) & mode) !== 0;
  }

  /** False if there was none. Without a mode all of them go. */
  remove(path: string, watcher: Watcher, mode: number = ANY_MODE): boolean {
    const paths = this.#byWatcher.get(watcher);
    const modes = paths?.get(path);
    if (paths === undefined || modes === undefined || (modes & mode) === 0) return false;
    if ((modes & mode & WatchMode.RECURSIVE) !== 0) this.#recursiveCount -= 1;
    if ((modes & ~mode) !== 0) {
      paths.set(path, modes & ~mode);
      return true;
    }
    paths.delete(path);
    if (paths.size === 0) this.#byWatcher.delete(watcher);
    this.#leave(path, watcher);
    return true;
  }

  /** All watches of a connection that ended; takes time for its own ones only. */
  removeWatcher(watcher: Watcher): void {
    const paths = this.#byWatcher.get(watcher);
    if (paths === undefined) return;
    this.#byWatcher.delete(watcher);
    for (const [path, modes] of paths) {
      this.#leave(path, watcher);
      if ((modes & WatchMode.RECURSIVE) !== 0) this.#recursiveCount -= 1;
    }
  }

  /**
   * Tells who watches a path, one-shot watches for the last time. Answers whom, so that a second table does not tell them again.
   */
  trigger(
    path: string,
    type: EventType,
    zxid: Zxid,
    acl: readonly ACL[] | null,
    alreadyTold?: ReadonlySet<Watcher>,
  ): ReadonlySet<Watcher> | undefined {
    if (this.#byPath.size === 0) return undefined;
    const watching = this.#byPath.get(path);
    if (watching === undefined && this.#recursiveCount === 0) return undefined;
    const told = new Set<Watcher>();
    if (watching instanceof Set) for (const watcher of [...watching]) this.#spend(path, watcher, told);
    else if (watching !== undefined) this.#spend(path, watching, told);
    if (this.#recursiveCount > 0) this.#collectRecursive(path, told);
    if (told.size === 0) return undefined;
    this.account?.watchesFired(type, told.size);
    const event: WatchedEvent = { type, state: KeeperState.SyncConnected, path, zxid };
    for (const watcher of told) if (alreadyTold?.has(watcher) !== true) watcher.process(event, acl);
    return told;
  }

  *pathsOf(watcher: Watcher): IterableIterator<string> {
    yield* this.#byWatcher.get(watcher)?.keys() ?? [];
  }

  watchers(): IterableIterator<Watcher> {
    return this.#byWatcher.keys();
  }

  *watchersOf(path: string): IterableIterator<Watcher> {
    const watching = this.#byPath.get(path);
    if (watching instanceof Set) yield* watching;
    else if (watching !== undefined) yield watching;
  }

  paths(): IterableIterator<string> {
    return this.#byPath.keys();
  }

  #spend(path: string, watcher: Watcher, told: Set<Watcher>): void {
    told.add(watcher);
    this.remove(path, watcher, WatchMode.STANDARD);
  }

  #collectRecursive(path: string, told: Set<Watcher>): void {
    let ancestor = path;
    while (ancestor.length > 1) {
      const slash = ancestor.lastIndexOf('/');
      ancestor = slash <= 0 ? '/' : ancestor.slice(0, slash);
      for (const watcher of this.watchersOf(ancestor)) {
        if (this.has(ancestor, watcher, WatchMode.RECURSIVE)) told.add(watcher);
      }
    }
  }

  #enter(path: string, watcher: Watcher): void {
    const watching = this.#byPath.get(path);
    if (watching === undefined) this.#byPath.set(path, watcher);
    else if (watching instanceof Set) watching.add(watcher);
    else this.#byPath.set(path, new Set([watching, watcher]));
  }

  #leave(path: string, watcher: Watcher): void {
    const watching = this.#byPath.get(path);
    if (watching instanceof Set) {
      watching.delete(watcher);
      if (watching.size === 0) this.#byPath.delete(path);
    } else if (watching === watcher) {
      this.#byPath.delete(path);
    }
  }
}

/** The two tables of a tree: data watches (exists and getData set them) and child watches (getChildren sets them). */
export class Watches {
  readonly data = new WatchTable();
  readonly child = new WatchTable();

  get size(): number {
    return this.data.size + this.child.size;
  }

  /** Both tables: addWatch with mode persistent. */
  addPersistent(path: string, watcher: Watcher): void {
    this.data.add(path, watcher, WatchMode.PERSISTENT);
    this.child.add(path, watcher, WatchMode.PERSISTENT);
  }

  addRecursive(path: string, watcher: Watcher): void {
    this.data.add(path, watcher, WatchMode.RECURSIVE);
  }

  /** checkWatches. */
  has(path: string, type: number, watcher: Watcher): boolean {
    switch (type) {
      case WatcherType.Children:
        return this.child.has(path, watcher, WatchMode.STANDARD);
      case WatcherType.Data:
        return this.data.has(path, watcher, WatchMode.STANDARD);
      case WatcherType.Persistent:
        return this.data.has(path, watcher, WatchMode.PERSISTENT);
      case WatcherType.PersistentRecursive:
        return this.data.has(path, watcher, WatchMode.RECURSIVE);
      case WatcherType.Any:
        return this.child.has(path, watcher) || this.data.has(path, watcher);
      default:
        return false;
    }
  }

  /** removeWatches; false if there was none of the type. */
  remove(path: string, type: number, watcher: Watcher): boolean {
    switch (type) {
      case WatcherType.Children:
        return this.child.remove(path, watcher, WatchMode.STANDARD);
      case WatcherType.Data:
        return this.data.remove(path, watcher, WatchMode.STANDARD);
      case WatcherType.Persistent:
        return this.#removeBoth(path, watcher, WatchMode.PERSISTENT);
      case WatcherType.PersistentRecursive:
        return this.data.remove(path, watcher, WatchMode.RECURSIVE);
      case WatcherType.Any:
        return this.#removeBoth(path, watcher, ANY_MODE);
      default:
        return false;
    }
  }

  removeWatcher(watcher: Watcher): void {
    this.data.removeWatcher(watcher);
    this.child.removeWatcher(watcher);
  }

  #removeBoth(path: string, watcher: Watcher, mode: number): boolean {
    const child = this.child.remove(path, watcher, mode);
    const data = this.data.remove(path, watcher, mode);
    return child || data;
  }
}

/** What a client missed, told on reconnect: without a transaction. */
export function missedEvent(type: EventType, path: string): WatchedEvent {
  return { type, state: KeeperState.SyncConnected, path, zxid: -1n as Zxid };
}
