import { CorruptionError, type Disk } from '../../runtime/disk.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { hexOf, parseHex, printHex, type Zxid } from '../jute/ids.ts';
import { completed } from './completed.ts';
import { type DatabaseDirectories, syncDirectories } from './database-directories.ts';
import { listLogs, listSnapshots, type NamedFile } from './file-names.ts';
import { writeHistoryStart } from './history-start.ts';
import { inTurns, Slice } from './slice.ts';
import { TxnLogReader } from './txn-log-reader.ts';

/**
 * A member of an ensemble forgets the end of its history: logs are cut and newer snapshots removed, and possibly a snapshot that a
 * leader sent takes their place. That is many changes of files, and a crash may come between any two. So first a note of what is
 * to be done is written, as the file `historyCut` among the snapshots: until it is durable all is as it was, and from then on
 * every start does the rest of it before it reads anything.
 */
export interface HistoryCut {
  /** The log ends here, or before. */
  readonly zxid: Zxid;
  /** Name of the snapshot that recovery is to begin with; newer ones are removed. */
  readonly snapshot: string;
  /** The snapshot has come from a leader, and waits under another name. */
  readonly isReceived: boolean;
}

const CUT_FILE = 'historyCut';
const ENTRIES_PER_SLICE = 500;

/** What a snapshot is called before it counts: readers of snapshots pass over it. */
export function receivedName(snapshot: string): string {
  return `received.${snapshot}`;
}

/** Durable when it resolves: the cut will be made, now or at the next start. Rejects with DiskError. */
export function noteCut(disk: Disk, { snapshotDirectory }: DatabaseDirectories, cut: HistoryCut): Promise<void> {
  const text = JSON.stringify({ ...cut, zxid: hexOf(cut.zxid) });
  return completed((done) => disk.replaceFile(`${snapshotDirectory}/${CUT_FILE}`, Buffer.from(text), done));
}

/** Makes the cut that was noted, if there is one; durable when it resolves. Rejects with DiskError or CorruptionError. */
export async function makeNotedCut(runtime: Runtime, directories: DatabaseDirectories): Promise<void> {
  const { disk, log } = runtime;
  const { snapshotDirectory, logDirectory } = directories;
  const path = `${snapshotDirectory}/${CUT_FILE}`;
  if (disk.stat(path) === undefined) return;
  const cut = parseCut(path, disk.readFile(path));
  log.warn('Truncating the history', { zxid: printHex(cut.zxid), snapshot: cut.snapshot });
  if (cut.isReceived) {
    nameReceived(disk, snapshotDirectory, cut.snapshot);
    await writeHistoryStart(disk, directories, cut.zxid);
  }
  for (const file of newerSnapshots(disk, snapshotDirectory, cut.snapshot)) disk.remove(file.path);
  await cutLogs(runtime, logDirectory, cut.zxid);
  await syncDirectories(disk, [logDirectory, snapshotDirectory]);
  disk.remove(path);
  await syncDirectories(disk, [snapshotDirectory]);
}

function parseCut(path: string, bytes: Uint8Array): HistoryCut {
  try {
    const { zxid, snapshot, isReceived } = JSON.parse(Buffer.from(bytes).toString());
    return { zxid: parseHex(zxid) as Zxid, snapshot, isReceived };
  } catch (error) {
    throw new CorruptionError(path, 0, `no note of a cut: ${String(error)}`);
  }
}

/** It may be named already, by the life before a crash. */
function nameReceived(disk: Disk, directory: string, snapshot: string): void {
  const received = `${directory}/${receivedName(snapshot)}`;
  if (disk.stat(received) !== undefined) disk.rename(received, `${directory}/${snapshot}`);
}

/** Newest first, so that the rest is a beginning of the history at any moment. One of the same zxid in another form counts as newer. */
function newerSnapshots(disk: Disk, directory: string, snapshot: string): NamedFile[] {
  const files = listSnapshots(disk, directory);
  const kept = files.find(({ name }) => name === snapshot);
  if (kept === undefined)
    throw new CorruptionError(`${directory}/${snapshot}`, 0, 'the snapshot to begin with is missing');
  return files.filter(({ name, zxid }) => zxid >= kept.zxid && name !== snapshot).reverse();
}

async function cutLogs(runtime: Runtime, directory: string, zxid: Zxid): Promise<void> {
  const { clock, disk } = runtime;
  const logs = listLogs(disk, directory);
  const newer = logs.filter((log) => log.zxid > zxid);
  for (const log of newer.reverse()) disk.remove(log.path);
  const last = logs.findLast((log) => log.zxid <= zxid);
  if (last === undefined) return;
  const file = disk.open(last.path);
  try {
    const end = await inTurns(clock, findEnd(new TxnLogReader(file), zxid));
    if (end === undefined) return;
    file.truncate(end);
    await completed((done) => file.sync(done));
  } finally {
    file.close();
  }
}

/** Where the first transaction after a zxid lies; undefined where there is none. */
function* findEnd(reader: TxnLogReader, zxid: Zxid): Generator<undefined, number | undefined> {
  const slice = new Slice(ENTRIES_PER_SLICE);
  for (let position = reader.position; ; position = reader.position) {
    const entry = reader.nextAfter(zxid);
    if (entry === undefined) return undefined;
    if (entry !== 'earlier') return position;
    if (slice.isFull(reader.position)) yield;
  }
}
