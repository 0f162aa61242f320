import { CorruptionError, type Disk, DiskError } from '../../runtime/disk.ts';

/** `partition.metadata` binds a directory to a topic id (KIP-516). No line end after the second line, as 3.9 writes it. */
export const PARTITION_METADATA_FILE = 'partition.metadata';

const VERSION = 0;
const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA';

/** @param topicId 22 characters, base64url of 16 bytes */
export function encodePartitionMetadata(topicId: string): Uint8Array {
  return Buffer.from(`version: ${VERSION}\ntopic_id: ${topicId}`);
}

/** The topic id; undefined where there is no file. @throws CorruptionError */
export function readPartitionMetadata(disk: Disk, directory: string): string | undefined {
  const path = `${directory}/${PARTITION_METADATA_FILE}`;
  const text = readText(disk, path);
  if (text === undefined) return undefined;
  const match = /^version: *(\d+)\s*\ntopic_id: *([A-Za-z0-9_-]{22})\s*$/.exec(text);
  if (match === null) throw new CorruptionError(path, 0, 'Malformed line in partition.metadata file');
  if (Number(match[1]) !== VERSION) throw new CorruptionError(path, 0, `Unrecognized version ${match[1]}`);
  if (match[2] === ZERO_UUID) throw new CorruptionError(path, 0, `Invalid topic ID in partition metadata file`);
  return match[2];
}

/** Nearly every partition has the file: that it is there is not asked first. */
function readText(disk: Disk, path: string): string | undefined {
  try {
    return Buffer.from(disk.readFile(path)).toString('utf8');
  } catch (error) {
    if (error instanceof DiskError && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
