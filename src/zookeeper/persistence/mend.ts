import type { Runtime } from '../../runtime/runtime.ts';
import type { Checked } from './check.ts';
import { completed } from './completed.ts';
import { writeEpoch } from './epoch-files.ts';
import { VERSION_DIRECTORY } from './file-names.ts';
import type { Saved } from './salvage-replay.ts';
import { writeSnapshotFile } from './snapshot-file.ts';

/**
 * Writes what could be saved as a data directory of its own: one snapshot, with the sessions, which servers start from; the
 * epochs and `myid` where the old one had them. Rejects with DiskError.
 */
export async function writeMended(
  runtime: Runtime,
  dataDir: string,
  { tree, sessions }: Saved,
  { myid, epochs }: Checked['membership'],
): Promise<void> {
  const directory = `${dataDir}/${VERSION_DIRECTORY}`;
  const { disk } = runtime;
  disk.makeDirectory(directory);
  await completed((done) => void writeSnapshotFile(runtime, { directory, tree, sessions }, done));
  if (epochs !== undefined) {
    await completed((done) => writeEpoch(disk, directory, 'acceptedEpoch', epochs.accepted, done));
    await completed((done) => writeEpoch(disk, directory, 'currentEpoch', epochs.current, done));
  }
  if (myid !== undefined)
    await completed((done) => disk.replaceFile(`${dataDir}/myid`, Buffer.from(`${myid}\n`), done));
  for (const path of [directory, dataDir]) await completed((done) => disk.syncDirectory(path, done));
}
