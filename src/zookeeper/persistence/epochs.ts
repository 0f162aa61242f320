import type { Disk } from '../../runtime/disk.ts';
import { epochOf, type Zxid } from '../jute/ids.ts';
import { readEpoch } from './epoch-files.ts';
export async function loadEpochs(disk: Disk, directory: string, zxid: Zxid) {
  return {
    currentEpoch: readEpoch(disk, directory, 'currentEpoch') ?? epochOf(zxid),
    acceptedEpoch: readEpoch(disk, directory, 'acceptedEpoch') ?? epochOf(zxid),
  };
}
