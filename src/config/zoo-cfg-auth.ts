import { ConfigError } from './config-error.ts';
import type { Options } from './options.ts';
import { splitList } from './values.ts';
import { JAAS_FILE_PROPERTY } from './zoo-cfg-auth-options.ts';

export type AuthScheme = 'digest' | 'ip' | 'sasl' | 'x509' | 'ensemble';

/** Who clients may be, and who they must be. */
export interface AuthConfig {
  /** What ACLs and `addauth` may name (ProviderRegistry). */
  readonly schemes: ReadonlySet<AuthScheme>;
  /** In Node's spelling (`sha1`, `sha512-256`). */
  readonly digestAlgorithm: string;
  readonly superDigest: string | undefined;
  readonly x509SuperUser: string | undefined;
  /** The scheme that a certificate counts in. */
  readonly sslAuthProvider: string;
  /** Undefined: any name will do. */
  readonly ensembleNames: readonly string[] | undefined;
  readonly sasl: SaslConfig;
  /** One of these schemes a client must have used before its first request; undefined: none. */
  readonly enforcedSchemes: readonly string[] | undefined;
}

export interface SaslConfig {
  readonly jaasFile: string | undefined;
  /** What `${name}` stands for in that file. */
  readonly jaasProperties: Readonly<Record<string, string>>;
  /** The section of that file. */
  readonly loginContext: string;
  readonly superUsers: readonly string[];
  /** Instead of the one in the JAAS file, for the user `super`. */
  readonly superPassword: string | undefined;
  /** The id of ACL entries that every SASL user fits. */
  readonly anyUserId: string | undefined;
  readonly allowsFailedClients: boolean;
}

const PACKAGE = 'org.apache.zookeeper.server.auth.';
const providers: Readonly<Record<string, AuthScheme>> = {
  [`${PACKAGE}DigestAuthenticationProvider`]: 'digest',
  [`${PACKAGE}IPAuthenticationProvider`]: 'ip',
  [`${PACKAGE}SASLAuthenticationProvider`]: 'sasl',
  [`${PACKAGE}X509AuthenticationProvider`]: 'x509',
  [`${PACKAGE}EnsembleAuthenticationProvider`]: 'ensemble',
};
/** Java's name of a hash → Node's. */
const hashes: Readonly<Record<string, string>> = {
  MD5: 'md5',
  SHA: 'sha1',
  SHA1: 'sha1',
  'SHA-1': 'sha1',
  'SHA-224': 'sha224',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
  'SHA-512/224': 'sha512-224',
  'SHA-512/256': 'sha512-256',
  'SHA3-224': 'sha3-224',
  'SHA3-256': 'sha3-256',
  'SHA3-384': 'sha3-384',
  'SHA3-512': 'sha3-512',
};

export interface AuthKeys {
  readonly options: Options;
  readonly system: Options;
  /** Every key of zoo.cfg, and those given as `zookeeper.<key>`. */
  readonly given: ReadonlyMap<string, string>;
  readonly systemProperties: Readonly<Record<string, string>>;
}

/** @throws ConfigError */
export function authConfigOf({ options, system, given, systemProperties }: AuthKeys): AuthConfig {
  const schemes = schemesOf(options, given);
  return {
    schemes,
    digestAlgorithm: digestAlgorithmOf(options.string('DigestAuthenticationProvider.digestAlg')),
    superDigest: options.optional('DigestAuthenticationProvider.superDigest'),
    x509SuperUser: options.optional('X509AuthenticationProvider.superUser'),
    sslAuthProvider: options.string('ssl.authProvider'),
    ensembleNames: options
      .optional('ensembleAuthName')
      ?.split(',')
      .map((name) => name.trim()),
    sasl: {
      jaasFile: system.optional(JAAS_FILE_PROPERTY),
      jaasProperties: systemProperties,
      loginContext: options.string('sasl.serverconfig'),
      superUsers: superUsersOf(given),
      superPassword: options.optional('SASLAuthenticationProvider.superPassword'),
      anyUserId: options.optional('letAnySaslUserDoX'),
      allowsFailedClients: options.boolean('allowSaslFailedClients'),
    },
    enforcedSchemes: enforcedSchemesOf(options, schemes),
  };
}

/** The scheme is the class's own; what stands behind `authProvider.` only tells lines apart. */
function schemesOf(options: Options, given: ReadonlyMap<string, string>): ReadonlySet<AuthScheme> {
  const schemes = new Set<AuthScheme>(['ip']);
  if (options.boolean('DigestAuthenticationProvider.enabled')) schemes.add('digest');
  for (const [key, className] of given) {
    if (!key.startsWith('authProvider.')) continue;
    const scheme = providers[className];
    if (scheme === undefined) {
      const known = Object.keys(providers).map((name) => name.slice(PACKAGE.length));
      throw new ConfigError(key, className, `choose one of Apache's own in ${PACKAGE}*: ${known.join(', ')}`);
    }
    schemes.add(scheme);
  }
  if (given.has('secureClientPort')) addCertificateScheme(schemes, options.string('ssl.authProvider'), given);
  return schemes;
}

/** QuorumPeerConfig.configureSSLAuth: whoever serves TLS knows the owners of certificates. */
function addCertificateScheme(schemes: Set<AuthScheme>, scheme: string, given: ReadonlyMap<string, string>): void {
  if (given.has(`authProvider.${scheme}`)) return;
  if (scheme !== 'x509') {
    const fix = `No auth provider configured for the SSL authentication scheme: name its class as authProvider.${scheme}`;
    throw new ConfigError('ssl.authProvider', scheme, fix);
  }
  schemes.add('x509');
}

function digestAlgorithmOf(name: string): string {
  const hash = hashes[name.toUpperCase()];
  if (hash !== undefined) return hash;
  throw new ConfigError('DigestAuthenticationProvider.digestAlg', name, `choose ${Object.keys(hashes).join(', ')}`);
}

function superUsersOf(given: ReadonlyMap<string, string>): string[] {
  const values = [...given].filter(([key]) => key === 'superUser' || key.startsWith('superUser.'));
  return values.map(([, id]) => id).filter((id) => id !== '');
}

/** AuthenticationHelper; the older key wins. */
function enforcedSchemesOf(options: Options, schemes: ReadonlySet<string>): readonly string[] | undefined {
  const requiresSasl = options.boolean('sessionRequireClientSASLAuth');
  if (!requiresSasl && !options.boolean('enforce.auth.enabled')) return undefined;
  const key = requiresSasl ? 'sessionRequireClientSASLAuth' : 'enforce.auth.schemes';
  const value = requiresSasl ? 'true' : options.optional('enforce.auth.schemes');
  const enforced = requiresSasl ? ['sasl'] : splitList(value ?? '');
  if (enforced.length === 0) throw new ConfigError(key, value, 'enforce.auth.enabled is true, so name schemes');
  for (const scheme of enforced) {
    if (schemes.has(scheme)) continue;
    throw new ConfigError(
      key,
      value,
      `Authentication scheme ${scheme} is not available; enable its provider by an authProvider key`,
    );
  }
  return enforced;
}
