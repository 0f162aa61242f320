import type { Runtime } from '../../runtime/runtime.ts';
import { listLogs, listSnapshots, type NamedFile } from './file-names.ts';
import { looksValid } from './snapshot-file.ts';

/** `autopurge.snapRetainCount` is at least this. */
export const SNAP_RETAIN_COUNT_MIN = 3;

/**
 * What may go when so many of the newest valid snapshots stay: older snapshots, and logs that none of those that stay needs. The
 * newest log that begins at or before the oldest snapshot kept holds transactions after it.
 */
export function findPurgeable(
  runtime: Runtime,
  snapshotDirectory: string,
  logDirectory: string,
  retainCount: number,
): NamedFile[] {
  const snapshots = listSnapshots(runtime.disk, snapshotDirectory);
  const valid = snapshots.filter((file) => looksValid(runtime, file));
  const oldestKept = valid.slice(-Math.max(retainCount, SNAP_RETAIN_COUNT_MIN))[0];
  if (oldestKept === undefined) return [];
  const logs = listLogs(runtime.disk, logDirectory);
  const firstNeeded = logs.findLastIndex((log) => log.zxid <= oldestKept.zxid);
  return [
    ...snapshots.filter((snapshot) => snapshot.zxid < oldestKept.zxid),
    ...logs.filter((log, index) => log.zxid <= oldestKept.zxid && index < firstNeeded),
  ];
}

/** Answers what was removed. */
export function purge(
  runtime: Runtime,
  snapshotDirectory: string,
  logDirectory: string,
  retainCount: number,
): NamedFile[] {
  const purgeable = findPurgeable(runtime, snapshotDirectory, logDirectory, retainCount);
  for (const file of purgeable) {
    runtime.disk.remove(file.path);
    runtime.log.info('Removing file', { path: file.path });
  }
  return purgeable;
}
