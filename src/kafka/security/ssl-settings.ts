import { ConfigError } from '../../config/config-error.ts';
import { type KeyStoreType, readKeyStore, readTrustStore } from '../../config/keystores/key-store.ts';
import { KeyStoreError } from '../../config/keystores/key-store-error.ts';
import { pemCertificates, pemIdentity } from '../../config/keystores/pem.ts';
import { splitList } from '../../config/values.ts';
import { type Disk, DiskError } from '../../runtime/disk.ts';
import { cipherSuiteNames, type TlsIdentity, type TlsMaterial, type TlsProtocol } from '../../runtime/tls.ts';

/** Text of a key as it counts where TLS is spoken; undefined where it is neither set nor has a default. */
export type SslKeys = (key: string) => string | undefined;

/** What the `ssl.*` keys say beside whose keys they are. */
export interface SslParameters {
  readonly protocols: readonly TlsProtocol[];
  readonly cipherSuites: readonly string[] | undefined;
}

/** @throws ConfigError for what Java would take and we have not */
export function sslParametersOf(get: SslKeys): SslParameters {
  const names = splitList(get('ssl.enabled.protocols') ?? '');
  const suites = splitList(get('ssl.cipher.suites') ?? '');
  for (const suite of suites) {
    if (cipherSuiteNames.has(suite)) continue;
    const fix = `unknown cipher suite: choose of ${[...cipherSuiteNames.keys()].join(', ')}`;
    throw new ConfigError('ssl.cipher.suites', suite, fix);
  }
  for (const key of ['ssl.engine.factory.class', 'ssl.provider']) {
    const value = get(key);
    if (value !== undefined && value !== '') {
      throw new ConfigError(key, value, 'there are no classes of Java here: leave it out');
    }
  }
  const protocols = names.length > 0 ? names.map(protocolOf) : protocolsUpTo(get('ssl.protocol') ?? 'TLSv1.3');
  return { protocols, cipherSuites: suites.length === 0 ? undefined : suites };
}

function protocolOf(name: string): TlsProtocol {
  if (name === 'TLSv1.2' || name === 'TLSv1.3') return name;
  throw new ConfigError('ssl.enabled.protocols', name, 'choose TLSv1.2, TLSv1.3 or both');
}

/** Java's name of a context, which also speaks the older ones. */
function protocolsUpTo(name: string): TlsProtocol[] {
  if (name === 'TLSv1.2') return ['TLSv1.2'];
  if (name === 'TLSv1.3' || name === 'TLS') return ['TLSv1.2', 'TLSv1.3'];
  throw new ConfigError('ssl.protocol', name, 'choose TLSv1.2 or TLSv1.3');
}

/** Reads the keys and certificates that are configured (`DefaultSslEngineFactory`). @throws ConfigError in Apache's words where it has some */
export function loadSslMaterial(get: SslKeys, disk: Disk): TlsMaterial {
  return { identity: identityOf(get, disk), trusted: trustedOf(get, disk) };
}

function identityOf(get: SslKeys, disk: Disk): TlsIdentity | undefined {
  const [key, chain] = [get('ssl.keystore.key'), get('ssl.keystore.certificate.chain')];
  const [path, password] = [get('ssl.keystore.location'), get('ssl.keystore.password')];
  const type = typeOf(get, 'ssl.keystore.type');
  const refuse = (at: string, text: string): never => {
    throw new ConfigError(`ssl.keystore.${at}`, '[hidden]', text);
  };
  if (key !== undefined) {
    if (type !== 'PEM') refuse('key', `SSL private key can be specified only for PEM, but key store type is ${type}.`);
    if (chain === undefined) refuse('key', 'SSL private key is specified, but certificate chain is not specified.');
    if (path !== undefined) refuse('key', 'Both SSL key store location and separate private key are specified.');
  } else if (chain !== undefined) {
    refuse('certificate.chain', 'SSL certificate chain is specified, but private key is not specified');
  }
  if (type === 'PEM' && password !== undefined) {
    refuse(
      'password',
      'SSL key store password cannot be specified with PEM format, only key password may be specified.',
    );
  }
  const keyPassword = get('ssl.key.password');
  if (key !== undefined) {
    return readable('ssl.keystore.key', '[hidden]', () => pemIdentity(`${key}\n${chain}`, keyPassword ?? ''));
  }
  if (path === undefined) {
    if (password !== undefined) {
      refuse('password', 'SSL key store is not specified, but key store password is specified.');
    }
    return undefined;
  }
  if (type !== 'PEM' && password === undefined) {
    throw new ConfigError(
      'ssl.keystore.location',
      path,
      'SSL key store is specified, but key store password is not specified.',
    );
  }
  return readable('ssl.keystore.location', path, () => {
    const bytes = disk.readFile(path);
    const passwords = { password: password ?? '', keyPassword: keyPassword ?? password };
    return readKeyStore(bytes, { type: formatOf(type, bytes), ...passwords });
  });
}

function trustedOf(get: SslKeys, disk: Disk): readonly Uint8Array[] | undefined {
  const [certificates, path] = [get('ssl.truststore.certificates'), get('ssl.truststore.location')];
  const password = get('ssl.truststore.password');
  const type = typeOf(get, 'ssl.truststore.type');
  const refuse = (at: string, text: string): never => {
    throw new ConfigError(`ssl.truststore.${at}`, '[hidden]', text);
  };
  if (certificates !== undefined && type !== 'PEM') {
    refuse('certificates', `SSL trust store certs can be specified only for PEM, but trust store type is ${type}.`);
  }
  if (certificates !== undefined && path !== undefined) {
    refuse('certificates', 'Both SSL trust store location and separate trust certificates are specified.');
  }
  if (type === 'PEM' && password !== undefined) {
    refuse('password', 'SSL trust store password cannot be specified for PEM format.');
  }
  if (certificates !== undefined) {
    const found = pemCertificates(certificates);
    if (found.length === 0) refuse('certificates', 'At least one certificate expected, but none found');
    return found;
  }
  if (path !== undefined) {
    return readable('ssl.truststore.location', path, () => {
      const bytes = disk.readFile(path);
      return readTrustStore(bytes, { type: formatOf(type, bytes), password: password ?? '' });
    });
  }
  if (password !== undefined) {
    refuse('password', 'SSL trust store is not specified, but trust store password is specified.');
  }
  return undefined;
}

/** Java reads either format under the name of either (`keystore.type.compat`); JKS is known by its first bytes. */
function formatOf(type: KeyStoreType, bytes: Uint8Array): KeyStoreType {
  if (type === 'PEM') return type;
  return bytes[0] === 0xfe && bytes[1] === 0xed ? 'JKS' : 'PKCS12';
}

function typeOf(get: SslKeys, key: string): KeyStoreType {
  const name = get(key) ?? 'JKS';
  const type = name.toUpperCase();
  if (type === 'JKS' || type === 'PKCS12' || type === 'PEM') return type;
  throw new ConfigError(key, name, 'choose JKS, PKCS12 or PEM');
}

function readable<T>(key: string, value: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof KeyStoreError || error instanceof DiskError) throw new ConfigError(key, value, error.message);
    throw error;
  }
}
