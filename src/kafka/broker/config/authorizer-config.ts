import { ConfigError } from '../../../config/config-error.ts';
import { parseBoolean } from '../../../config/values.ts';
import type { KafkaConfig } from './kafka-config.ts';

/** One class under two names: of 2.4 and later, and of 2.1. */
const authorizerClasses: readonly string[] = [
  'kafka.security.authorizer.AclAuthorizer',
  'kafka.security.auth.SimpleAclAuthorizer',
];

const CLASS = 'authorizer.class.name';
const SUPER_USERS = 'super.users';
const ALLOW_EVERYONE = 'allow.everyone.if.no.acl.found';

/** Keys of the authorizer, which brokers themselves know nothing of. */
export const authorizerKeys: ReadonlySet<string> = new Set([SUPER_USERS, ALLOW_EVERYONE]);

export interface AuthorizerConfig {
  readonly superUsers: ReadonlySet<string>;
  readonly allowsWithoutAcl: boolean;
}

/** Undefined where everybody may do everything. @throws ConfigError */
export function authorizerConfigOf(config: KafkaConfig): AuthorizerConfig | undefined {
  const name = config.string(CLASS);
  if (name === '') return undefined;
  if (!authorizerClasses.includes(name)) {
    throw new ConfigError(CLASS, name, `Java classes cannot be loaded here; there is ${authorizerClasses[0]}`);
  }
  for (const [key, value] of config.given) {
    if (!key.startsWith('authorizer.zookeeper.')) continue;
    throw new ConfigError(key, value, "ACLs are kept in the cluster's own ZooKeeper; leave it out");
  }
  const allow = config.optional(ALLOW_EVERYONE)?.trim() ?? 'false';
  if (!/^(true|false)$/i.test(allow)) throw new ConfigError(ALLOW_EVERYONE, allow, 'give true or false');
  return { superUsers: superUsersOf(config.string(SUPER_USERS)), allowsWithoutAcl: parseBoolean(allow.toLowerCase()) };
}

/** `User:a;User:b`: names have commas, which are common in certificates. */
function superUsersOf(text: string): ReadonlySet<string> {
  const listed = text.replace(/[;\s]+$/, '');
  const principals = listed === '' ? [] : listed.split(';').map((user) => user.trim());
  const fault = principals.find((user) => !user.includes(':'));
  if (fault !== undefined) throw new ConfigError(SUPER_USERS, text, 'name users as User:name;User:name');
  return new Set(principals);
}
