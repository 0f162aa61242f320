import type { Disk } from '../../runtime/disk.ts';
import { epochOf, printHex, type Zxid } from '../jute/ids.ts';
import { completed } from './completed.ts';
import { type EpochFileName, hasUnfinishedEpoch, readEpoch, removeUnfinishedEpoch, writeEpoch } from './epoch-files.ts';
import { RecoveryError } from './recovery.ts';

export interface Epochs {
  /** Of the leader whose history this is. */
  readonly currentEpoch: number;
  /** Of the newest leader that was promised to be followed: none of an older one is. */
  readonly acceptedEpoch: number;
}

/**
 * What a member of an ensemble starts with (QuorumPeer.loadDataBase). A file that is missing is written, with the epoch of the last
 * transaction: a server was alone until now.
 *
 * A leader's transactions are on the disk before `currentEpoch` says that they are, and a crash may come between. They are a beginning
 * of that leader's history then, so `currentEpoch` is brought up to them. Apache does so only while `currentEpoch.tmp` is there, which
 * leaves most of the time between without a way to start; we also take it from `acceptedEpoch`, which was written before any of them,
 * and from `updatingEpoch`, by which a 3.4 server says it.
 * Rejects with RecoveryError for epochs that contradict the history, CorruptionError, DiskError.
 */
export async function loadEpochs(disk: Disk, directory: string, lastZxid: Zxid): Promise<Epochs> {
  const epoch = epochOf(lastZxid);
  const acceptedEpoch = readEpoch(disk, directory, 'acceptedEpoch');
  let currentEpoch =
    readEpoch(disk, directory, 'currentEpoch') ?? (await written(disk, directory, 'currentEpoch', epoch));
  if (epoch > currentEpoch) {
    if ((acceptedEpoch ?? currentEpoch) < epoch && !hasUnfinishedEpoch(disk, directory)) {
      throw new RecoveryError(`The current epoch, ${currentEpoch}, is older than the last zxid, ${printHex(lastZxid)}`);
    }
    currentEpoch = await written(disk, directory, 'currentEpoch', epoch);
  }
  removeUnfinishedEpoch(disk, directory);
  const accepted = acceptedEpoch ?? (await written(disk, directory, 'acceptedEpoch', epoch));
  if (accepted < currentEpoch) {
    throw new RecoveryError(`The accepted epoch, ${accepted} is less than the current epoch, ${currentEpoch}`);
  }
  return { currentEpoch, acceptedEpoch: accepted };
}

async function written(disk: Disk, directory: string, name: EpochFileName, epoch: number): Promise<number> {
  await completed((done) => writeEpoch(disk, directory, name, epoch, done));
  return epoch;
}
