import { accepted, type Option, option } from './options.ts';

/** Keys of zoo.cfg, or system properties `zookeeper.<key>`, that decide who a client is and who may go without. */
export const authOptions: readonly Option[] = [
  option('DigestAuthenticationProvider.superDigest', 'string', null, 'digest id that bypasses access control'),
  option('DigestAuthenticationProvider.digestAlg', 'string', 'SHA1', 'hash of digest ids, by its Java name'),
  option('DigestAuthenticationProvider.enabled', 'boolean', true, 'the scheme digest is known'),
  option('X509AuthenticationProvider.superUser', 'string', null, 'distinguished name that bypasses access control'),
  option(
    'IPAuthenticationProvider.usexforwardedfor',
    'boolean',
    false,
    'X-Forwarded-For tells the AdminServer whose request it is',
  ),
  option('ssl.authProvider', 'string', 'x509', 'scheme that names the owner of a certificate'),
  option('ensembleAuthName', 'string', null, 'names of this ensemble, for the scheme ensemble'),
  option('superUser', 'string', null, 'SASL id that bypasses access control; superUser.N for more'),
  option('SASLAuthenticationProvider.superPassword', 'string', null, 'password of the SASL user super'),
  option('letAnySaslUserDoX', 'string', null, 'id of ACL entries that every SASL user fits'),
  option('allowSaslFailedClients', 'boolean', false, 'who fails to authenticate by SASL may stay'),
  option('sasl.serverconfig', 'string', 'Server', 'section of the JAAS file'),
  accepted('kerberos.removeHostFromPrincipal', 'boolean', false, 'Kerberos'),
  accepted('kerberos.removeRealmFromPrincipal', 'boolean', false, 'Kerberos'),
  accepted('security.auth_to_local', 'string', 'DEFAULT', 'Kerberos'),
  option('sessionRequireClientSASLAuth', 'boolean', false, 'clients must authenticate by SASL'),
  option('enforce.auth.enabled', 'boolean', false, 'clients must authenticate'),
  option('enforce.auth.schemes', 'string', null, 'schemes of which one must have been used'),
];

/** The JAAS file, which is every JVM's and has no prefix. */
export const JAAS_FILE_PROPERTY = 'java.security.auth.login.config';
export const authSystemProperties: readonly Option[] = [
  option(JAAS_FILE_PROPERTY, 'path', null, 'JAAS file with the users of SASL'),
];

/** `authProvider.1`, `authProvider.sasl`, `superUser.2`: any name may stand behind the point. */
export function isAuthFamily(key: string): boolean {
  return key.startsWith('authProvider.') || key.startsWith('superUser.');
}
