import { type Disk, DiskError } from '../runtime/disk.ts';
import { cipherSuiteNames, type ServerTls, type TlsMaterial, type TlsProtocol } from '../runtime/tls.ts';
import { ConfigError } from './config-error.ts';
import { type KeyStoreType, keyStoreType, readKeyStore, readTrustStore } from './keystores/key-store.ts';
import { KeyStoreError } from './keystores/key-store-error.ts';
import { splitList } from './values.ts';

/** A store of keys or of authorities, as configured and not yet read. */
export interface StoreSettings {
  readonly location: string;
  readonly password: string;
  /** A file that holds the password; it wins. */
  readonly passwordPath: string | undefined;
  readonly type: KeyStoreType;
  /** The key of `location`, for errors. */
  readonly key: string;
}

/** What the `ssl.*` keys of Apache's X509Util say, for servers and clients alike. */
export interface TlsSettings {
  readonly keyStore: StoreSettings | undefined;
  readonly trustStore: StoreSettings | undefined;
  readonly clientAuthentication: ServerTls['clientAuthentication'];
  readonly protocols: readonly TlsProtocol[];
  readonly cipherSuites: readonly string[] | undefined;
  readonly handshakeTimeoutMs: number;
  /** Of the server's name, by clients. */
  readonly verifyHostname: boolean;
}

/** Netty's. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** What holds without a key. */
export interface TlsDefaults {
  readonly verifyHostname: boolean;
  /** `protocol` names the newest of those that are enabled, as Java's own sockets take it; Netty is told that one alone. */
  readonly protocolImpliesOlder: boolean;
  /** Undefined leaves them to the runtime. */
  readonly cipherSuites?: readonly string[];
}

const ofClients: TlsDefaults = { verifyHostname: true, protocolImpliesOlder: false };

/** Of the client port: what Netty enables on a Java that has given up the exchange of keys by RSA, which keeps no secret for long. */
export const ofClientPort: TlsDefaults = {
  ...ofClients,
  cipherSuites: [
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
    'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
    'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
    'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
    'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA',
    'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA',
  ],
};

/**
 * Reads the keys after a prefix: `ssl.` and `ssl.quorum.` in zoo.cfg, `zookeeper.ssl.` among system properties and in files of
 * clients.
 * @throws ConfigError for what cannot be, and for protections that we do not give
 */
export function tlsSettings(
  get: (key: string) => string | undefined,
  prefix: string,
  defaults: TlsDefaults = ofClients,
): TlsSettings {
  const value = (name: string): string | undefined => get(`${prefix}${name}`)?.trim();
  const isOn = (name: string, otherwise: boolean): boolean => booleanOf(`${prefix}${name}`, value(name), otherwise);
  refuseMissing(prefix, value, isOn);
  const timeout = value('handshakeDetectionTimeoutMillis');
  return {
    keyStore: storeOf('keyStore', value, prefix),
    trustStore: storeOf('trustStore', value, prefix),
    clientAuthentication: clientAuthOf(`${prefix}clientAuth`, value('clientAuth')),
    protocols: protocolsOf(value, prefix, defaults),
    cipherSuites: suitesOf(`${prefix}ciphersuites`, value('ciphersuites')) ?? defaults.cipherSuites,
    handshakeTimeoutMs: timeout === undefined ? HANDSHAKE_TIMEOUT_MS : Number(timeout),
    verifyHostname: isOn('hostnameVerification', defaults.verifyHostname),
  };
}

/** A protection that is asked for and not given must not look as if it were. */
function refuseMissing(
  prefix: string,
  value: (name: string) => string | undefined,
  isOn: (name: string, otherwise: boolean) => boolean,
): void {
  for (const name of ['crl', 'ocsp']) {
    if (!isOn(name, false)) continue;
    throw new ConfigError(
      `${prefix}${name}`,
      'true',
      'revocation of certificates is not checked here: set it to false',
    );
  }
  const supplier = value('context.supplier.class');
  if (supplier !== undefined && supplier !== '') {
    const fix = 'there are no classes of Java here: use the key stores';
    throw new ConfigError(`${prefix}context.supplier.class`, supplier, fix);
  }
}

function booleanOf(key: string, value: string | undefined, otherwise: boolean): boolean {
  if (value === undefined) return otherwise;
  if (/^(true|false)$/i.test(value)) return value.toLowerCase() === 'true';
  throw new ConfigError(key, value, 'choose true or false');
}

function storeOf(
  name: 'keyStore' | 'trustStore',
  value: (name: string) => string | undefined,
  prefix: string,
): StoreSettings | undefined {
  const location = value(`${name}.location`);
  if (location === undefined || location === '') return undefined;
  const key = `${prefix}${name}.location`;
  const passwordPath = value(`${name}.passwordPath`);
  return {
    location,
    password: value(`${name}.password`) ?? '',
    passwordPath: passwordPath === '' ? undefined : passwordPath,
    type: withKey(key, location, () => keyStoreType(value(`${name}.type`), location)),
    key,
  };
}

function clientAuthOf(key: string, value: string | undefined): ServerTls['clientAuthentication'] {
  const word = value === undefined || value === '' ? 'need' : value.toLowerCase();
  if (word === 'need' || word === 'want' || word === 'none') return word;
  throw new ConfigError(key, value, 'choose need, want or none');
}

/** The list, or else the one (ClientX509Util.getEnabledProtocols), or what Java's sockets make of the one. */
function protocolsOf(
  value: (name: string) => string | undefined,
  prefix: string,
  { protocolImpliesOlder }: TlsDefaults,
): TlsProtocol[] {
  const list = value('enabledProtocols');
  const key = `${prefix}${list === undefined ? 'protocol' : 'enabledProtocols'}`;
  const names = list === undefined ? [value('protocol') ?? 'TLSv1.3'] : splitList(list);
  const protocols = names.map((name): TlsProtocol => {
    if (name === 'TLSv1.2' || name === 'TLSv1.3') return name;
    throw new ConfigError(key, names.join(','), 'choose TLSv1.2, TLSv1.3 or both');
  });
  if (protocols.length === 0) throw new ConfigError(key, list, 'choose TLSv1.2, TLSv1.3 or both');
  if (list === undefined && protocolImpliesOlder && protocols[0] === 'TLSv1.3') return ['TLSv1.2', 'TLSv1.3'];
  return protocols;
}

function suitesOf(key: string, value: string | undefined): readonly string[] | undefined {
  if (value === undefined) return undefined;
  const suites = splitList(value);
  for (const suite of suites) {
    if (!cipherSuiteNames.has(suite)) {
      throw new ConfigError(key, suite, `unknown cipher suite: choose of ${[...cipherSuiteNames.keys()].join(', ')}`);
    }
  }
  return suites;
}

/** Reads the stores. @throws ConfigError naming the store that cannot be used */
export function loadTlsMaterial(
  disk: Disk,
  { keyStore, trustStore }: Pick<TlsSettings, 'keyStore' | 'trustStore'>,
): TlsMaterial {
  return {
    identity: keyStore === undefined ? undefined : load(disk, keyStore, readKeyStore),
    trusted: trustStore === undefined ? undefined : load(disk, trustStore, readTrustStore),
  };
}

function load<T>(
  disk: Disk,
  store: StoreSettings,
  read: (bytes: Uint8Array, how: { readonly type: KeyStoreType; readonly password: string }) => T,
): T {
  const { key, location, type, passwordPath } = store;
  return withKey(key, location, () => {
    const password = passwordPath === undefined ? store.password : secretIn(disk, passwordPath);
    return read(disk.readFile(location), { type, password });
  });
}

/** SecretUtils.readSecret: without the line's end. */
function secretIn(disk: Disk, path: string): string {
  return Buffer.from(disk.readFile(path))
    .toString()
    .replace(/[\r\n]+$/, '');
}

function withKey<T>(key: string, value: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof KeyStoreError || error instanceof DiskError) throw new ConfigError(key, value, error.message);
    throw error;
  }
}

/** The files whose change may mean other key material. */
export function tlsFiles({ keyStore, trustStore }: TlsSettings): string[] {
  return [keyStore, trustStore].flatMap((store) =>
    store === undefined ? [] : [store.location, ...(store.passwordPath === undefined ? [] : [store.passwordPath])],
  );
}
