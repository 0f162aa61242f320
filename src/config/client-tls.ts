import type { Disk } from '../runtime/disk.ts';
import type { ClientTls, TlsMaterial, TlsProtocol } from '../runtime/tls.ts';
import { keyStoreType } from './keystores/key-store.ts';
import { pemCertificates, pemIdentity } from './keystores/pem.ts';
import { loadTlsMaterial, type StoreSettings, type TlsSettings } from './tls-settings.ts';

/** A file of keys or of authorities, as Java's key stores are configured. */
export interface KeyStoreOptions {
  readonly location: string;
  readonly password?: string;
  /** A file that holds the password; it wins. */
  readonly passwordPath?: string;
  /** `JKS`, `PEM` or `PKCS12`; by default what the suffix .jks, .pem or .p12 says. */
  readonly type?: string;
}

/** Encrypted connections to the servers' `secureClientPort`, or to a `clientPort` with `client.portUnification`. */
export interface ClientTlsOptions {
  /** PEM. Our private key, and its certificates with its own first; servers ask for them unless `ssl.clientAuth` says otherwise. */
  readonly key?: string;
  readonly cert?: string;
  /** Of an encrypted `key`. */
  readonly passphrase?: string;
  /** PEM of the authorities that are trusted. Default: those of Node. */
  readonly ca?: string;
  /** Instead of `key` and `cert`. */
  readonly keyStore?: KeyStoreOptions;
  /** Instead of `ca`. */
  readonly trustStore?: KeyStoreOptions;
  /** Read already, instead of all of these. */
  readonly material?: TlsMaterial;
  /** The server's certificate must be for the host that the connect string names. Default true. */
  readonly verifyHostname?: boolean;
  /** Default: TLSv1.2 and TLSv1.3. */
  readonly protocols?: readonly TlsProtocol[];
  /** As Java spells them. Default: those of Node. */
  readonly cipherSuites?: readonly string[];
  /** Default 10 s. */
  readonly handshakeTimeoutMs?: number;
}

/** What a connection to a server is told. */
export type TlsFor = (serverName: string) => ClientTls;

const HANDSHAKE_TIMEOUT_MS = 10_000;

/** Reads the stores once. @throws KeyStoreError, ConfigError */
export function clientTls(disk: Disk, options: ClientTlsOptions): TlsFor {
  const material = options.material ?? materialOf(disk, options);
  const {
    verifyHostname = true,
    protocols = ['TLSv1.2', 'TLSv1.3'],
    cipherSuites,
    handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS,
  } = options;
  return (serverName) => ({ material, serverName, verifyHostname, protocols, cipherSuites, handshakeTimeoutMs });
}

function materialOf(disk: Disk, { key, cert, passphrase, ca, keyStore, trustStore }: ClientTlsOptions): TlsMaterial {
  const stores = loadTlsMaterial(disk, {
    keyStore: keyStore === undefined ? undefined : storeOf(keyStore, 'tls.keyStore'),
    trustStore: trustStore === undefined ? undefined : storeOf(trustStore, 'tls.trustStore'),
  });
  const identity = key === undefined ? undefined : pemIdentity(`${key}\n${cert ?? ''}`, passphrase ?? '');
  return {
    identity: stores.identity ?? identity,
    trusted: stores.trusted ?? (ca === undefined ? undefined : pemCertificates(ca)),
  };
}

function storeOf({ location, password = '', passwordPath, type }: KeyStoreOptions, key: string): StoreSettings {
  return { location, password, passwordPath, type: keyStoreType(type, location), key };
}

/** The options that Apache's `ssl.*` keys ask for. */
export function clientTlsOptions(settings: TlsSettings): ClientTlsOptions {
  const { keyStore, trustStore, cipherSuites, protocols, verifyHostname, handshakeTimeoutMs } = settings;
  return {
    ...(keyStore === undefined ? {} : { keyStore: optionsOf(keyStore) }),
    ...(trustStore === undefined ? {} : { trustStore: optionsOf(trustStore) }),
    ...(cipherSuites === undefined ? {} : { cipherSuites }),
    protocols,
    verifyHostname,
    handshakeTimeoutMs,
  };
}

function optionsOf({ location, password, passwordPath, type }: StoreSettings): KeyStoreOptions {
  return { location, password, type, ...(passwordPath === undefined ? {} : { passwordPath }) };
}
