import type { Completion, Disk } from '../../runtime/disk.ts';

/** Written into each log directory at the end of a clean stop, removed while loading; only its existence matters. */
const CLEAN_SHUTDOWN_FILE = '.kafka_cleanshutdown';
const CONTENT = Buffer.from('{"version":0,"brokerEpoch":-1}');

export function hasCleanShutdown(disk: Disk, logDirectory: string): boolean {
  return disk.stat(`${logDirectory}/${CLEAN_SHUTDOWN_FILE}`) !== undefined;
}

export function writeCleanShutdown(disk: Disk, logDirectory: string, done: Completion): void {
  disk.replaceFile(`${logDirectory}/${CLEAN_SHUTDOWN_FILE}`, CONTENT, done);
}

/**
 * Durably, and also where there is none: the process before may have removed it and died before that was durable. A marker that
 * came back after a power failure would vouch for what was written since.
 */
export function removeCleanShutdown(disk: Disk, logDirectory: string, done: Completion): void {
  disk.remove(`${logDirectory}/${CLEAN_SHUTDOWN_FILE}`);
  disk.syncDirectory(logDirectory, done);
}
