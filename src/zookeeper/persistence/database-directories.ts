import { type Disk, DiskError } from '../../runtime/disk.ts';
import { completed } from './completed.ts';
import { listLogs, listSnapshots, parentDirectory } from './file-names.ts';
import { RecoveryError } from './recovery.ts';
import { rewriteLastBatch } from './rewrite-last-batch.ts';

/** Where a database lies; often both are one. */
export interface DatabaseDirectories {
  /** `<dataDir>/version-2` */
  readonly snapshotDirectory: string;
  /** `<dataLogDir>/version-2` */
  readonly logDirectory: string;
}

const both = ({ snapshotDirectory, logDirectory }: DatabaseDirectories): ReadonlySet<string> =>
  new Set([snapshotDirectory, logDirectory]);

/**
 * Answers which directories have to be synced before what was made is durable: a name is once the directory that holds it is.
 * @param mayCreate `zookeeper.datadir.autocreate`
 * @throws RecoveryError, DiskError
 */
export function makeDirectories(disk: Disk, directories: DatabaseDirectories, mayCreate: boolean): Set<string> {
  const unsynced = new Set<string>();
  for (const directory of both(directories)) {
    if (disk.stat(directory)?.kind === 'directory') continue;
    if (!mayCreate) {
      throw new RecoveryError(`Missing data directory ${directory}, automatic data directory creation is disabled`);
    }
    for (let created = directory; disk.stat(created) === undefined; created = parentDirectory(created)) {
      unsynced.add(parentDirectory(created));
    }
    disk.makeDirectory(directory);
  }
  return unsynced;
}

/** Rejects with DiskError. */
export async function syncDirectories(disk: Disk, directories: Iterable<string>): Promise<void> {
  for (const directory of new Set(directories)) await completed((done) => disk.syncDirectory(directory, done));
}

/**
 * What recovery has read may be in the page cache only, left there by a process that was killed before its sync. The log goes
 * on in a new file: without this a power failure could take the end of the old one from under it. A sync alone is not enough
 * where that process died of a failed one: the kernel took those pages for clean, so they are written again.
 */
export async function syncRecovered(disk: Disk, directories: DatabaseDirectories): Promise<void> {
  const newest = listLogs(disk, directories.logDirectory).at(-1);
  if (newest !== undefined) {
    const file = disk.open(newest.path);
    rewriteLastBatch(file);
    await completed((done) => file.sync(done)).finally(() => file.close());
  }
  await syncDirectories(disk, both(directories));
}

/** FileTxnSnapLog.checkLogDir and checkSnapDir, for directories that are not one. @throws RecoveryError */
export function checkContents(disk: Disk, { snapshotDirectory, logDirectory }: DatabaseDirectories): void {
  if (snapshotDirectory === logDirectory) return;
  if (listSnapshots(disk, logDirectory).length > 0) {
    throw new RecoveryError(
      'Log directory has snapshot files. Check if dataLogDir and dataDir configuration is correct.',
    );
  }
  if (listLogs(disk, snapshotDirectory).length > 0) {
    throw new RecoveryError(
      'Snapshot directory has log files. Check if dataLogDir and dataDir configuration is correct.',
    );
  }
}

/** Snapshots whose writing a crash ended, and those of a leader that were not put in their place. */
export function removeUnfinished(disk: Disk, snapshotDirectory: string): void {
  for (const { name } of disk.list(snapshotDirectory)) {
    if (!/^(snapshot\..*\.tmp|received\.snapshot\..*)$/.test(name)) continue;
    try {
      disk.remove(`${snapshotDirectory}/${name}`);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
    }
  }
}
