import { ConfigError } from './config-error.ts';
import { type Option, type Options, option } from './options.ts';
import { type TlsSettings, tlsSettings } from './tls-settings.ts';
import { JAAS_FILE_PROPERTY } from './zoo-cfg-auth-options.ts';
import { tlsOptions } from './zoo-cfg-tls-options.ts';

/** How the servers of an ensemble trust each other. */
export interface QuorumSecurity {
  readonly quorumTls: QuorumTlsConfig;
  /** Undefined: no SASL between servers. */
  readonly quorumSasl: QuorumSaslConfig | undefined;
}

export interface QuorumTlsConfig {
  /** We connect with TLS, and take no others (`sslQuorum`). */
  readonly isOn: boolean;
  /** We take plain connections and those with TLS. */
  readonly portUnification: boolean;
  readonly certReload: boolean;
  readonly settings: TlsSettings;
}

export interface QuorumSaslConfig {
  readonly jaasFile: string;
  /** What `${name}` stands for in that file. */
  readonly jaasProperties: Readonly<Record<string, string>>;
  /** The section with the users that we know. */
  readonly serverContext: string;
  /** The section that says who we are. */
  readonly learnerContext: string;
  /** Who connects must authenticate. */
  readonly serverRequires: boolean;
  /** We authenticate where we connect. */
  readonly learnerRequires: boolean;
}

const ENABLE_SASL = 'quorum.auth.enableSasl';
const SERVER_REQUIRE = 'quorum.auth.serverRequireSasl';
const LEARNER_REQUIRE = 'quorum.auth.learnerRequireSasl';
const FIPS_MODE = 'fips-mode';

export const quorumSecurityKeys: readonly Option[] = [
  option('sslQuorum', 'boolean', false, 'TLS between servers'),
  option('portUnification', 'boolean', false, 'plain and TLS between servers on one port'),
  option('sslQuorumReloadCertFiles', 'boolean', false, 'changed key and trust stores between servers are read again'),
  option(ENABLE_SASL, 'boolean', false, 'SASL between servers'),
  option(SERVER_REQUIRE, 'boolean', false, 'servers that connect must authenticate by SASL'),
  option(LEARNER_REQUIRE, 'boolean', false, 'this server authenticates by SASL where it connects'),
  option('quorum.auth.learner.saslLoginContext', 'string', 'QuorumLearner', 'section of the JAAS file: who we are'),
  option('quorum.auth.server.saslLoginContext', 'string', 'QuorumServer', 'section of the JAAS file: whom we know'),
  {
    ...option('quorum.auth.kerberos.servicePrincipal', 'string', 'zkquorum/localhost', 'Kerberos'),
    effect: 'accepted',
  },
];

/** Those of `ssl.*` that both have; the client's provider of names, and its port, have no counterpart. */
const quorumTlsOptions = tlsOptions
  .filter(({ name, effect }) => name.startsWith('ssl.') && effect === 'honoured')
  .map((each) => ({
    ...each,
    name: each.name.replace('ssl.', 'ssl.quorum.'),
    description: `${each.description}; between servers`,
  }));

/** Keys that Apache turns into system properties `zookeeper.<key>`. */
export const quorumSecurityPropertyKeys: readonly Option[] = [
  ...quorumTlsOptions,
  option(FIPS_MODE, 'boolean', true, 'when given: true forbids MD5 between servers, false verifies their names'),
];

interface Keys {
  readonly options: Options;
  readonly system: Options;
  /** Every key of zoo.cfg, and those given as `zookeeper.<key>`. */
  readonly given: ReadonlyMap<string, string>;
  readonly systemProperties: Readonly<Record<string, string>>;
}

/** @throws ConfigError */
export function quorumSecurityOf(keys: Keys): QuorumSecurity {
  return { quorumTls: tlsOf(keys), quorumSasl: saslOf(keys) };
}

function tlsOf({ options, given }: Keys): QuorumTlsConfig {
  const tls = {
    isOn: options.boolean('sslQuorum'),
    portUnification: options.boolean('portUnification'),
    certReload: options.boolean('sslQuorumReloadCertFiles'),
    settings: tlsSettings((key) => given.get(key), 'ssl.quorum.', {
      // In FIPS mode, the default, Apache's servers do not look at each other's names (X509Util.createTrustManager).
      verifyHostname: options.isGiven(FIPS_MODE) && !options.boolean(FIPS_MODE),
      protocolImpliesOlder: true,
    }),
  };
  if (tls.settings.verifyHostname && given.get('ssl.quorum.clientHostnameVerification')?.trim() === 'true') {
    const fix = 'names of servers that connect are not verified here: leave it out, and trust an authority of your own';
    throw new ConfigError('ssl.quorum.clientHostnameVerification', 'true', fix);
  }
  if ((tls.isOn || tls.portUnification) && tls.settings.keyStore === undefined) {
    throw new ConfigError('ssl.quorum.keyStore.location', undefined, 'file of the private key and its certificates');
  }
  return tls;
}

/** The rules of QuorumPeerConfig. */
function saslOf({ options, system, systemProperties }: Keys): QuorumSaslConfig | undefined {
  const [isOn, serverRequires, learnerRequires] = [ENABLE_SASL, SERVER_REQUIRE, LEARNER_REQUIRE].map((key) =>
    options.boolean(key),
  ) as [boolean, boolean, boolean];
  for (const [key, needs] of [
    [SERVER_REQUIRE, ENABLE_SASL],
    [LEARNER_REQUIRE, ENABLE_SASL],
    [SERVER_REQUIRE, LEARNER_REQUIRE],
  ] as const) {
    if (options.boolean(key) && !options.boolean(needs))
      throw new ConfigError(key, 'true', `${needs} must be true too`);
  }
  if (!isOn) return undefined;
  if (options.isGiven(FIPS_MODE) && options.boolean(FIPS_MODE)) {
    throw new ConfigError(ENABLE_SASL, 'true', 'DIGEST-MD5 is all there is, and fips-mode=true forbids it');
  }
  const jaasFile = system.optional(JAAS_FILE_PROPERTY);
  if (jaasFile === undefined) throw new ConfigError(JAAS_FILE_PROPERTY, undefined, 'JAAS file with the users of SASL');
  return {
    jaasFile,
    jaasProperties: systemProperties,
    serverContext: options.string('quorum.auth.server.saslLoginContext'),
    learnerContext: options.string('quorum.auth.learner.saslLoginContext'),
    serverRequires,
    learnerRequires,
  };
}
