import type { Disk } from '../../runtime/disk.ts';

/** The directories in which a path's own name and those of its missing parents stand. */
export function parentsToSync(disk: Disk, path: string): string[] {
  const parents: string[] = [];
  let name = path;
  do {
    name = parentOf(name);
    parents.push(name);
  } while (name !== '/' && name !== '.' && disk.stat(name) === undefined);
  return parents;
}

/** A directory that was just made is lost with the power unless the one above it is synced. */
export async function syncDirectories(disk: Disk, paths: Iterable<string>): Promise<void> {
  for (const path of new Set(paths)) {
    await new Promise<void>((resolve, reject) => {
      disk.syncDirectory(path, (error) => (error === undefined ? resolve() : reject(error)));
    });
  }
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  if (slash < 0) return '.';
  return slash === 0 ? '/' : path.slice(0, slash);
}
