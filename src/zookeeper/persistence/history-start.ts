import { CorruptionError, type Disk } from '../../runtime/disk.ts';
import { hexOf, parseHex, type Zxid } from '../jute/ids.ts';
import { completed } from './completed.ts';
import type { DatabaseDirectories } from './database-directories.ts';

/**
 * Tells since which zxid transactions and snapshots are of one history: a snapshot of a leader came then. What is older is kept, for
 * operators, but what comes later need not follow from it; where the leader's was of a new epoch, no gap in the zxids shows that.
 */
const START_FILE = 'historyStart';

/** 0 where no leader ever sent a snapshot. @throws CorruptionError */
export function readHistoryStart(
  disk: Disk,
  { snapshotDirectory }: Pick<DatabaseDirectories, 'snapshotDirectory'>,
): Zxid {
  const path = `${snapshotDirectory}/${START_FILE}`;
  if (disk.stat(path) === undefined) return 0n as Zxid;
  const zxid = parseHex(Buffer.from(disk.readFile(path)).toString());
  if (zxid === undefined) throw new CorruptionError(path, 0, 'no zxid');
  return zxid as Zxid;
}

/** Durable when it resolves. Rejects with DiskError. */
export function writeHistoryStart(disk: Disk, { snapshotDirectory }: DatabaseDirectories, zxid: Zxid): Promise<void> {
  return completed((done) => disk.replaceFile(`${snapshotDirectory}/${START_FILE}`, Buffer.from(hexOf(zxid)), done));
}
