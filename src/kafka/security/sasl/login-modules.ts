import { ConfigError } from '../../../config/config-error.ts';
import { type LoginModule, parseJaas } from '../../../config/jaas.ts';
import { type LoginMechanism, loginMechanisms, type PasswordLogin } from './sasl-client.ts';

export const PLAIN_MODULE = 'org.apache.kafka.common.security.plain.PlainLoginModule';
export const SCRAM_MODULE = 'org.apache.kafka.common.security.scram.ScramLoginModule';

/** Values are never shown: there are passwords in them. */
const HIDDEN = '[hidden]';

/** The login module that a key like `sasl.jaas.config` holds. @throws ConfigError in Apache's words */
export function inlineLoginModules(key: string, text: string): readonly LoginModule[] {
  const modules = parseJaas(`KafkaClient {${text}};`, { key, file: HIDDEN }).get('KafkaClient') ?? [];
  if (modules.length === 1) return modules;
  const fault =
    modules.length === 0
      ? 'JAAS config property does not contain any login modules'
      : `JAAS config property contains ${modules.length} login modules, should be 1 module`;
  throw new ConfigError(key, HIDDEN, fault);
}

/** @param key that names the mechanism; @throws ConfigError for one that is not spoken */
export function loginMechanism(key: string, name: string): LoginMechanism {
  const found = loginMechanisms.find((mechanism) => mechanism === name);
  if (found !== undefined) return found;
  throw new ConfigError(key, name, `this SASL mechanism is not supported: choose ${loginMechanisms.join(', ')}`);
}

/**
 * Who the modules say that we are. As in Java all of them run, and the first that has a name, or a password, gives it.
 *
 * @param key where they come from
 * @throws ConfigError when the mechanism has no module among them, or there is no name or password
 */
export function passwordLoginOf(
  key: string,
  modules: readonly LoginModule[],
  mechanism: PasswordLogin['mechanism'],
): PasswordLogin {
  const wanted = mechanism === 'PLAIN' ? PLAIN_MODULE : SCRAM_MODULE;
  if (!modules.some(({ className }) => className === wanted)) {
    throw new ConfigError(key, HIDDEN, `${mechanism} needs the login module ${wanted}`);
  }
  const option = (name: string): string | undefined =>
    modules.map(({ options }) => options.get(name)).find((value) => value !== undefined);
  const [username, password] = [option('username'), option('password')];
  if (username === undefined || password === undefined) {
    throw new ConfigError(key, HIDDEN, 'the login module needs username and password');
  }
  const isToken = mechanism !== 'PLAIN' && option('tokenauth')?.toLowerCase() === 'true';
  return { mechanism, username, password, ...(isToken ? { isToken } : {}) };
}

/** Whoever names a class wants another login than the one that is made of the module. @throws ConfigError */
export function refuseClass(key: string, className: string | undefined): void {
  if (className !== undefined) throw new ConfigError(key, className, 'there are no classes of Java');
}
