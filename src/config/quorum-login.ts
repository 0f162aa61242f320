import type { Disk } from '../runtime/disk.ts';
import { ConfigError } from './config-error.ts';
import { DIGEST_LOGIN_MODULE, type JaasConfig, type LoginModule, usersOf } from './jaas.ts';
import { readJaasFile } from './jaas-file.ts';
import { JAAS_FILE_PROPERTY } from './zoo-cfg-auth-options.ts';
import type { QuorumSaslConfig } from './zoo-cfg-quorum-security.ts';

/** Whom a server of an ensemble knows, and who it is to the others. Never to be logged. */
export interface QuorumLogin {
  /** Passwords by name. */
  readonly users: ReadonlyMap<string, string>;
  readonly username: string;
  readonly password: string;
}

/**
 * Reads the two sections of the JAAS file, `QuorumServer` and `QuorumLearner` by default.
 * @throws ConfigError when one is missing or asks for another mechanism than DIGEST-MD5
 */
export function readQuorumLogin(disk: Disk, config: QuorumSaslConfig): QuorumLogin {
  const { jaasFile: file, jaasProperties: properties, serverContext, learnerContext } = config;
  const jaas = readJaasFile(disk, file, properties);
  const users = new Map(modulesOf(jaas, serverContext, file).flatMap(usersOf));
  const [learner] = modulesOf(jaas, learnerContext, file);
  const [username, password] = [learner?.options.get('username'), learner?.options.get('password')];
  if (username === undefined || password === undefined) {
    throw new ConfigError(JAAS_FILE_PROPERTY, file, `section ${learnerContext} needs username and password`);
  }
  return { users, username, password };
}

function modulesOf(jaas: JaasConfig, section: string, file: string): readonly LoginModule[] {
  const modules = jaas.get(section);
  if (modules === undefined || modules.length === 0) {
    throw new ConfigError(JAAS_FILE_PROPERTY, file, `it has no section ${section}`);
  }
  for (const { className } of modules) {
    if (className === DIGEST_LOGIN_MODULE) continue;
    const fix = `section ${section} asks for ${className}; only ${DIGEST_LOGIN_MODULE} is supported, no Kerberos`;
    throw new ConfigError(JAAS_FILE_PROPERTY, file, fix);
  }
  return modules;
}
