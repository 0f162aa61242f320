import { readFileSync } from 'node:fs';
import { type ClientTlsOptions, clientTlsOptions } from '../../config/client-tls.ts';
import { parseProperties } from '../../config/properties.ts';
import { systemPropertiesOf } from '../../config/system-properties.ts';
import { tlsSettings } from '../../config/tls-settings.ts';
import type { SystemProperties } from '../../config/zoo-cfg.ts';
import { CliError } from './command-line.ts';
import type { Environment } from './zk-environment.ts';

/** `-D` flags of client programs, as the scripts hand them to the JVM. */
export function clientProperties(env: Environment): SystemProperties {
  return systemPropertiesOf(`${env.CLIENT_JVMFLAGS ?? ''} ${env.JVMFLAGS ?? ''}`);
}

/** `-client-configuration`: a file of properties, which win over flags. @throws CliError when it cannot be read */
export function withClientConfiguration(properties: SystemProperties, path: string): SystemProperties {
  try {
    return { ...properties, ...Object.fromEntries(parseProperties(readFileSync(path, 'latin1'))) };
  } catch (cause) {
    throw Object.assign(new CliError(`Error while processing ${path}`, 2), { cause });
  }
}

/** Undefined without `zookeeper.client.secure`. @throws ConfigError */
export function tlsOfProperties(properties: SystemProperties): ClientTlsOptions | undefined {
  if (properties['zookeeper.client.secure']?.trim().toLowerCase() !== 'true') return undefined;
  return clientTlsOptions(tlsSettings((key) => properties[key], 'zookeeper.ssl.'));
}
