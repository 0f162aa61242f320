import { ConfigError } from '../../../config/config-error.ts';
import { DIGEST_LOGIN_MODULE, usersOf } from '../../../config/jaas.ts';
import { readJaasFile } from '../../../config/jaas-file.ts';
import type { SaslConfig } from '../../../config/zoo-cfg-auth.ts';
import { JAAS_FILE_PROPERTY } from '../../../config/zoo-cfg-auth-options.ts';
import type { Disk } from '../../../runtime/disk.ts';
import type { Log } from '../../../runtime/log.ts';

/** Passwords by name; never to be logged. */
export type SaslUsers = ReadonlyMap<string, string>;

/**
 * The users of the server's section in the JAAS file (ServerCnxnFactory.configureSaslLogin). Undefined where SASL is not
 * configured: no file, or no such section in it, which then is perhaps a client's.
 *
 * @throws ConfigError a file that cannot be read, or one that asks for another mechanism than DIGEST-MD5
 */
export function readSaslUsers(disk: Disk, config: SaslConfig, log: Log): SaslUsers | undefined {
  const { jaasFile, jaasProperties, loginContext } = config;
  if (jaasFile === undefined) return undefined;
  const section = readJaasFile(disk, jaasFile, jaasProperties).get(loginContext);
  if (section === undefined) {
    log.warn('no SASL: the JAAS file has no such section', { file: jaasFile, section: loginContext });
    return undefined;
  }
  const users = new Map<string, string>();
  for (const module of section) {
    const { className } = module;
    if (className !== DIGEST_LOGIN_MODULE) {
      throw new ConfigError(
        JAAS_FILE_PROPERTY,
        jaasFile,
        `section ${loginContext} asks for ${className}; only ${DIGEST_LOGIN_MODULE} is supported, no Kerberos`,
      );
    }
    for (const [name, password] of usersOf(module)) users.set(name, password);
  }
  return withSuperPassword(users, config.superPassword);
}

/** Only a `super` that the file knows has another password. */
function withSuperPassword(users: Map<string, string>, password: string | undefined): SaslUsers {
  if (password !== undefined && users.has('super')) users.set('super', password);
  return users;
}
