import { type Completion, CorruptionError, type Disk } from '../../runtime/disk.ts';

/** `currentEpoch` and `acceptedEpoch` in `<dataDir>/version-2`, of servers in an ensemble. */
export type EpochFileName = 'currentEpoch' | 'acceptedEpoch';

/** Undefined where there is no such file. @throws CorruptionError */
export function readEpoch(disk: Disk, directory: string, name: EpochFileName): number | undefined {
  return readNumber(disk, `${directory}/${name}`);
}

/** Durable before `done`; the file is replaced as a whole. */
export function writeEpoch(disk: Disk, directory: string, name: EpochFileName, epoch: number, done: Completion): void {
  disk.replaceFile(`${directory}/${name}`, Buffer.from(String(epoch)), done);
}

/** A crash came between writing an epoch and naming it; the second is what a 3.4 server leaves. */
const unfinishedNames = ['currentEpoch.tmp', 'updatingEpoch'];

/** Whether the history may be of a newer epoch than the file. */
export function hasUnfinishedEpoch(disk: Disk, directory: string): boolean {
  return unfinishedNames.some((name) => disk.stat(`${directory}/${name}`) !== undefined);
}

/** Once the file has the epoch of the history. */
export function removeUnfinishedEpoch(disk: Disk, directory: string): void {
  for (const name of unfinishedNames) disk.remove(`${directory}/${name}`);
}

/** The id of this server in its ensemble: `<dataDir>/myid`, one line. Undefined where there is no such file. */
export function readMyid(disk: Disk, dataDir: string): number | undefined {
  return readNumber(disk, `${dataDir}/myid`);
}

function readNumber(disk: Disk, path: string): number | undefined {
  if (disk.stat(path) === undefined) return undefined;
  const text = Buffer.from(disk.readFile(path)).toString().trim();
  if (!/^-?\d{1,10}$/.test(text)) throw new CorruptionError(path, 0, `"${text.slice(0, 40)}" is not a number`);
  return Number(text);
}
