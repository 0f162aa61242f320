import { type Disk, DiskError } from '../runtime/disk.ts';
import { ConfigError } from './config-error.ts';
import { type JaasConfig, type JaasOptions, parseJaas } from './jaas.ts';
import { JAAS_FILE_PROPERTY } from './zoo-cfg-auth-options.ts';

/** Reads the file that `java.security.auth.login.config` names. @throws ConfigError where it cannot be read, or is no JAAS */
export function readJaasFile(disk: Disk, file: string, properties: JaasOptions['properties'] = {}): JaasConfig {
  return parseJaas(textOf(disk, file), { file, properties });
}

function textOf(disk: Disk, file: string): string {
  try {
    return Buffer.from(disk.readFile(file)).toString();
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    throw new ConfigError(JAAS_FILE_PROPERTY, file, `the file cannot be read (${error.code})`);
  }
}
