import type { Disk } from '../runtime/disk.ts';
import { type JaasConfig, type JaasOptions, parseJaas } from './jaas.ts';
import { readTextFile } from './text-file.ts';
import { JAAS_FILE_PROPERTY } from './zoo-cfg-auth-options.ts';

/** Reads the file that `java.security.auth.login.config` names. @throws ConfigError where it cannot be read, or is no JAAS */
export function readJaasFile(disk: Disk, file: string, properties: JaasOptions['properties'] = {}): JaasConfig {
  return parseJaas(readTextFile(disk, JAAS_FILE_PROPERTY, file), { file, properties });
}
