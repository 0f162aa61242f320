import type { Disk } from '../../runtime/disk.ts';
import { hexOf, parseHex, type Zxid } from '../jute/ids.ts';

/** The sub-folder of both data directories; the number is the version of the file formats. */
export const VERSION_DIRECTORY = 'version-2';

export interface NamedFile {
  readonly name: string;
  readonly path: string;
  /** Of a log its first transaction, of a snapshot the last one that it surely contains. */
  readonly zxid: Zxid;
}

export const logName = (firstZxid: Zxid): string => `log.${hexOf(firstZxid)}`;
export const snapshotName = (zxid: Zxid, compression: Compression): string =>
  `snapshot.${hexOf(zxid)}${compression === 'none' ? '' : `.${compression}`}`;

/** `zookeeper.snapshot.compression.method`; the suffix decides how a file is read. */
export type Compression = 'none' | 'gz' | 'snappy';

export function compressionOf(name: string): Compression {
  if (name.endsWith('.gz')) return 'gz';
  return name.endsWith('.snappy') ? 'snappy' : 'none';
}

/** Oldest first. */
export function listLogs(disk: Disk, directory: string): NamedFile[] {
  return listNamed(disk, directory, /^log\.([0-9a-fA-F]+)$/);
}

/** Oldest first. */
export function listSnapshots(disk: Disk, directory: string): NamedFile[] {
  return listNamed(disk, directory, /^snapshot\.([0-9a-fA-F]+)(?:\.gz|\.snappy)?$/);
}

function listNamed(disk: Disk, directory: string, pattern: RegExp): NamedFile[] {
  const files: NamedFile[] = [];
  for (const { name, kind } of disk.list(directory)) {
    const zxid = parseHex(pattern.exec(name)?.[1] ?? '');
    if (kind === 'file' && zxid !== undefined) files.push({ name, path: `${directory}/${name}`, zxid: zxid as Zxid });
  }
  return files.sort((a, b) => (a.zxid < b.zxid ? -1 : a.zxid > b.zxid ? 1 : 0));
}

/** The directory that holds a file or directory. */
export function parentDirectory(path: string): string {
  const slash = path.lastIndexOf('/');
  if (slash < 0) return '.';
  return slash === 0 ? '/' : path.slice(0, slash);
}
