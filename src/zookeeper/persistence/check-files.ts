import { CorruptionError, type Disk } from '../../runtime/disk.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { epochOf, type Zxid } from '../jute/ids.ts';
import { type EpochFileName, hasUnfinishedEpoch, readEpoch, readMyid } from './epoch-files.ts';
import { listLogs, listSnapshots, VERSION_DIRECTORY } from './file-names.ts';
import type { Report } from './finding.ts';

export interface DataDirectories {
  readonly dataDir: string;
  readonly dataLogDir: string;
}

/** Names that servers and their scripts use, besides logs and snapshots. */
const ownNames =
  /^(acceptedEpoch|currentEpoch|updatingEpoch|historyCut|historyStart|\.lock|.*\.lock|zookeeper_server\.pid|myid|initialize|version-2|lost\+found)$/;
const logOrSnapshot = /^(log|snapshot)\.[0-9a-fA-F]+(\.gz|\.snappy)?$/;

/** What lies where it should not, and what is missing. */
export function checkLayout({ disk }: Runtime, { dataDir, dataLogDir }: DataDirectories, report: Report): void {
  for (const directory of new Set([dataDir, dataLogDir])) checkParent(disk, directory, report);
  const [snapshots, logs] = [`${dataDir}/${VERSION_DIRECTORY}`, `${dataLogDir}/${VERSION_DIRECTORY}`];
  for (const directory of new Set([snapshots, logs])) checkNames(disk, directory, report);
  if (snapshots === logs) return;
  for (const { path } of isDirectory(disk, logs) ? listSnapshots(disk, logs) : []) {
    report({ kind: 'layout', severity: 'damage', path, text: 'a snapshot among the logs: no server starts with it' });
  }
  for (const { path } of isDirectory(disk, snapshots) ? listLogs(disk, snapshots) : []) {
    report({ kind: 'layout', severity: 'damage', path, text: 'a log among the snapshots: no server starts with it' });
  }
}

function checkParent(disk: Disk, directory: string, report: Report): void {
  if (!isDirectory(disk, directory)) {
    report({ kind: 'layout', severity: 'damage', path: directory, text: 'there is no such directory' });
    return;
  }
  if (!isDirectory(disk, `${directory}/${VERSION_DIRECTORY}`)) {
    report({ kind: 'layout', severity: 'damage', path: directory, text: `it has no ${VERSION_DIRECTORY}` });
  }
  for (const { name, kind } of disk.list(directory)) {
    const path = `${directory}/${name}`;
    if (kind === 'file' && logOrSnapshot.test(name)) {
      report({
        kind: 'layout',
        severity: 'damage',
        path,
        text: `it belongs into ${VERSION_DIRECTORY}, where servers look`,
      });
    } else if (!ownNames.test(name))
      report({ kind: 'foreign-file', severity: 'note', path, text: 'no file of a server' });
  }
}

function checkNames(disk: Disk, directory: string, report: Report): void {
  if (!isDirectory(disk, directory)) return;
  for (const { name } of disk.list(directory)) {
    const path = `${directory}/${name}`;
    if (/\.tmp$/.test(name)) {
      report({ kind: 'leftover', severity: 'note', path, text: 'a write that was not finished' });
    } else if (!logOrSnapshot.test(name) && !ownNames.test(name)) {
      report({ kind: 'foreign-file', severity: 'note', path, text: 'no file of a server' });
    }
  }
}

export function isDirectory(disk: Disk, path: string): boolean {
  return disk.stat(path)?.kind === 'directory';
}

/** What the members of an ensemble keep beside the database. */
export interface Membership {
  readonly myid: number | undefined;
  /** Both, or none where the server is standalone: what they should be. */
  readonly epochs: { readonly current: number; readonly accepted: number } | undefined;
}

/** Judges `myid` and the epoch files as QuorumPeer does at start. */
export function checkMembership(
  { disk }: Runtime,
  { dataDir }: DataDirectories,
  lastZxid: Zxid,
  report: Report,
): Membership {
  const directory = `${dataDir}/${VERSION_DIRECTORY}`;
  const myid = readable(`${dataDir}/myid`, 'myid', () => readMyid(disk, dataDir), report);
  if (myid !== undefined && (myid < 0 || myid > 255)) {
    report({
      kind: 'myid',
      severity: 'damage',
      path: `${dataDir}/myid`,
      text: `${myid} is no id of a server (0 to 255)`,
    });
  }
  const epoch = (name: EpochFileName): number | undefined =>
    readable(`${directory}/${name}`, 'epoch', () => readEpoch(disk, directory, name), report);
  const [current, accepted] = [epoch('currentEpoch'), epoch('acceptedEpoch')];
  const isMember = ['currentEpoch', 'acceptedEpoch'].some((name) => disk.stat(`${directory}/${name}`) !== undefined);
  if (!isMember) return { myid, epochs: undefined };
  if (disk.stat(`${dataDir}/myid`) === undefined) {
    report({
      kind: 'myid',
      severity: 'note',
      path: `${dataDir}/myid`,
      text: 'missing, though epochs are there: a member of an ensemble needs it',
    });
  }
  return {
    myid,
    epochs: checkEpochs(
      directory,
      { current, accepted, lastZxid, isUnfinished: hasUnfinishedEpoch(disk, directory) },
      report,
    ),
  };
}

interface Epochs {
  readonly current: number | undefined;
  readonly accepted: number | undefined;
  readonly lastZxid: Zxid;
  readonly isUnfinished: boolean;
}

function checkEpochs(directory: string, { current, accepted, lastZxid, isUnfinished }: Epochs, report: Report) {
  const last = Math.max(epochOf(lastZxid), 0);
  const say = (file: EpochFileName, severity: 'note' | 'damage', text: string): void =>
    report({ kind: 'epoch', severity, path: `${directory}/${file}`, text });
  if (current === undefined) say('currentEpoch', 'note', `missing: servers take ${last}, of the last zxid`);
  if (accepted === undefined) say('acceptedEpoch', 'note', `missing: servers take ${last}, of the last zxid`);
  const [has, took] = [current ?? last, accepted ?? last];
  if (last > has) {
    const text = `${has}, but the last zxid is of epoch ${last}`;
    say(
      'currentEpoch',
      isUnfinished ? 'note' : 'damage',
      isUnfinished ? `${text}; servers go on from the unfinished write` : text,
    );
  } else if (has > last) say('currentEpoch', 'note', `${has}, and no transaction of it yet`);
  if (took < has) say('acceptedEpoch', 'damage', `${took} is less than the current epoch, ${has}`);
  const right = Math.max(has, last);
  return { current: right, accepted: Math.max(took, right) };
}

function readable(
  path: string,
  kind: 'myid' | 'epoch',
  read: () => number | undefined,
  report: Report,
): number | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error;
    report({ kind, severity: 'damage', path, text: error.message.replace(/^.* at byte \d+: /, '') });
    return undefined;
  }
}
