import { ConfigError } from './config-error.ts';
import { DIGEST_LOGIN_MODULE, parseJaas } from './jaas.ts';
import { parseBoolean } from './values.ts';
import { JAAS_FILE_PROPERTY } from './zoo-cfg-auth-options.ts';

/** How a ZooKeeper client is to log in: not at all (neither), by a name, or it cannot, and why. */
export interface ClientLogin {
  readonly sasl?: { readonly username: string; readonly password: string };
  readonly failure?: string;
}

/**
 * What the system properties of a client ask for: `java.security.auth.login.config` names the JAAS file,
 * `zookeeper.sasl.clientconfig` its section (`Client`), `zookeeper.sasl.client=false` switches SASL off. In FIPS mode there is no
 * MD5; unlike Apache's client, which takes that mode for granted, ours must be told of it by `zookeeper.fips-mode=true`.
 *
 * @param readText throws where the file cannot be read
 */
export function clientLoginOf(
  properties: Readonly<Record<string, string>>,
  readText: (path: string) => string,
): ClientLogin {
  const file = properties[JAAS_FILE_PROPERTY];
  if (file === undefined || !parseBoolean(properties['zookeeper.sasl.client'] ?? 'true')) return {};
  const section = properties['zookeeper.sasl.clientconfig'] ?? 'Client';
  if (parseBoolean(properties['zookeeper.fips-mode'] ?? 'false')) {
    return { failure: 'DIGEST-MD5 is not used because FIPS mode is enabled' };
  }
  let text: string;
  try {
    text = readText(file);
  } catch {
    return { failure: `${file} cannot be read` };
  }
  return loginOf(text, { file, section, properties });
}

interface Place {
  readonly file: string;
  readonly section: string;
  readonly properties: Readonly<Record<string, string>>;
}

function loginOf(text: string, { file, section, properties }: Place): ClientLogin {
  try {
    const [module] = parseJaas(text, { file, properties }).get(section) ?? [];
    if (module === undefined) return { failure: `${file} has no section ${section}` };
    if (module.className !== DIGEST_LOGIN_MODULE) {
      return {
        failure: `section ${section} of ${file} asks for ${module.className}; only ${DIGEST_LOGIN_MODULE} is supported`,
      };
    }
    const [username, password] = [module.options.get('username'), module.options.get('password')];
    if (username === undefined || password === undefined) {
      return { failure: `section ${section} of ${file} needs username and password` };
    }
    return { sasl: { username, password } };
  } catch (error) {
    if (error instanceof ConfigError) return { failure: error.message };
    throw error;
  }
}
