import type { Disk, DiskError } from '../../runtime/disk.ts';
import { parentDirectory } from '../persistence/file-names.ts';

/** What a directory above ours may answer that is not ours to read, or lies on a file system without such a sync. */
const REFUSALS: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EINVAL', 'EROFS', 'ENOTSUP']);

/** A directory in which a name of ours stands. */
export interface ParentDirectory {
  readonly path: string;
  /** It or its parent is made by this start. */
  readonly isNew: boolean;
}

/**
 * Every directory above a path. Also those that are there already: an earlier start may have made them and died before their
 * names were durable, and then a power failure would take the whole database.
 */
export function parentsToSync(disk: Disk, path: string): ParentDirectory[] {
  const parents: ParentDirectory[] = [];
  let name = path;
  do {
    const isNew = disk.stat(name) === undefined;
    name = parentDirectory(name);
    parents.push({ path: name, isNew });
  } while (name !== '/' && name !== '.');
  return parents;
}

/** A directory that was just made is lost with the power unless the one above it is synced. */
export async function syncDirectories(disk: Disk, parents: Iterable<ParentDirectory>): Promise<void> {
  const isNewByPath = new Map<string, boolean>();
  for (const { path, isNew } of parents) isNewByPath.set(path, isNew || isNewByPath.get(path) === true);
  for (const [path, isNew] of isNewByPath) {
    const error = await new Promise<DiskError | undefined>((resolve) => disk.syncDirectory(path, resolve));
    if (error !== undefined && (isNew || !REFUSALS.has(error.code))) throw error;
  }
}
