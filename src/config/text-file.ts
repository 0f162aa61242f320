import { type Disk, DiskError } from '../runtime/disk.ts';
import { ConfigError } from './config-error.ts';

/**
 * The text of a file that a key names.
 * @param value as it is configured, where that is not the path itself
 * @throws ConfigError where it cannot be read
 */
export function readTextFile(disk: Disk, key: string, path: string, value = path): string {
  try {
    return Buffer.from(disk.readFile(path)).toString();
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    throw new ConfigError(key, value, `the file cannot be read (${error.code})`);
  }
}
