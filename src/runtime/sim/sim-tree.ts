import { DiskError } from '../disk.ts';
import type { SimInode } from './sim-inode.ts';
import type { SimRandom } from './sim-random.ts';

export type SimNode = SimInode | SimDirectory;

/** Names: those that processes see, and those that are on the platters. */
export class SimDirectory {
  readonly kind = 'directory';
  readonly entries = new Map<string, SimNode>();
  readonly synced = new Map<string, SimNode>();
  modifiedMs = 0;
}

/** Names that change together: a rename takes one and gives another, after a crash both or neither. */
type Change = readonly {
  readonly directory: SimDirectory;
  readonly name: string;
  readonly node: SimNode | undefined;
}[];

/** Journals commit by themselves after some seconds; here the oldest changes commit when so many wait. */
const pendingMax = 4096;

/**
 * The names of a disk. A change is seen at once and is durable after a sync of its directory; a power failure keeps, of each
 * directory, a random beginning of the changes that were not synced.
 */
export class SimTree {
  readonly root = new SimDirectory();
  #pending: Change[] = [];

  /** @throws DiskError ENOTDIR */
  find(path: string): SimNode | undefined {
    let node: SimNode | undefined = this.root;
    for (const name of namesOf(path)) {
      if (node === undefined) return undefined;
      if (node.kind === 'file') throw new DiskError('ENOTDIR', path, 'find');
      node = node.entries.get(name);
    }
    return node;
  }

  /** The directory that holds a path's last name. @throws DiskError ENOENT, ENOTDIR */
  parentOf(path: string, operation: string): { readonly directory: SimDirectory; readonly name: string } {
    const names = namesOf(path);
    const name = names.pop();
    if (name === undefined) throw new DiskError('EBUSY', path, operation);
    const directory = this.find(`/${names.join('/')}`);
    if (directory === undefined) throw new DiskError('ENOENT', path, operation);
    if (directory.kind === 'file') throw new DiskError('ENOTDIR', path, operation);
    return { directory, name };
  }

  makeDirectory(path: string): void {
    let directory = this.root;
    for (const name of namesOf(path)) {
      let next = directory.entries.get(name);
      if (next === undefined) {
        next = new SimDirectory();
        this.change([{ directory, name, node: next }]);
      }
      if (next.kind === 'file') throw new DiskError('ENOTDIR', path, 'makeDirectory');
      directory = next;
    }
  }

  change(change: Change): void {
    for (const { directory, name, node } of change) set(directory.entries, name, node);
    this.#pending.push(change);
    if (this.#pending.length <= pendingMax) return;
    for (const oldest of this.#pending.splice(0, pendingMax / 2)) commit(oldest);
  }

  /** The changes that a sync of a directory, asked for now, makes durable: its own, and those that come with them. */
  changesOf(directory: SimDirectory): ReadonlySet<unknown> {
    const concerned = new Set([directory]);
    const found = new Set<Change>();
    for (const change of this.#pending.toReversed()) {
      if (!change.some((each) => concerned.has(each.directory))) continue;
      found.add(change);
      for (const each of change) concerned.add(each.directory);
    }
    return found;
  }

  commitAll(changes: ReadonlySet<unknown>): void {
    this.#pending = this.#pending.filter((change) => {
      if (!changes.has(change)) return true;
      commit(change);
      return false;
    });
  }

  losePower(random: SimRandom): void {
    const stopped = new Set<SimDirectory>();
    for (const change of this.#pending) {
      const lost = change.some((each) => stopped.has(each.directory)) || random.chance(1 / 3);
      if (lost) for (const each of change) stopped.add(each.directory);
      else commit(change);
    }
    this.#pending = [];
    restore(this.root, random);
  }
}

function restore(directory: SimDirectory, random: SimRandom): void {
  directory.entries.clear();
  for (const [name, node] of directory.synced) {
    directory.entries.set(name, node);
    if (node.kind === 'directory') restore(node, random);
    else node.losePower(random);
  }
}

function commit(change: Change): void {
  for (const { directory, name, node } of change) set(directory.synced, name, node);
}

function set(entries: Map<string, SimNode>, name: string, node: SimNode | undefined): void {
  if (node === undefined) entries.delete(name);
  else entries.set(name, node);
}

/** The names of a path from the root, `.` and `..` resolved. */
function namesOf(path: string): string[] {
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.') names.push(name);
  }
  return names;
}
