import type { TlsIdentity } from '../../runtime/tls.ts';
import { readJks } from './jks.ts';
import { KeyStoreError } from './key-store-error.ts';
import { pemCertificates, pemIdentity } from './pem.ts';
import { readPkcs12 } from './pkcs12.ts';
import type { StoreEntries } from './store-entries.ts';

export type KeyStoreType = 'PEM' | 'PKCS12' | 'JKS';

/** Where keys or certificates are, and what opens them. */
export interface KeyStoreFile {
  readonly location: string;
  /** Empty for none. */
  readonly password: string;
  /** Of the key in it, where that has another. */
  readonly keyPassword?: string | undefined;
  readonly type: KeyStoreType;
}

/**
 * By its name where it is given, else by the suffix of the file (KeyStoreFileType).
 * @throws KeyStoreError
 */
export function keyStoreType(name: string | undefined, location: string): KeyStoreType {
  const type = name === undefined || name === '' ? typeBySuffix(location) : name.toUpperCase();
  if (type === 'PEM' || type === 'PKCS12' || type === 'JKS') return type;
  if (type === 'BCFKS') throw new KeyStoreError('BCFKS is not supported: convert it with keytool to PKCS12');
  throw new KeyStoreError(
    type === undefined
      ? 'the type cannot be told from the name: end it with .jks, .pem or .p12, or give the type'
      : `unknown type: choose JKS, PEM or PKCS12`,
  );
}

function typeBySuffix(location: string): string | undefined {
  if (location.endsWith('.jks')) return 'JKS';
  if (location.endsWith('.pem')) return 'PEM';
  if (location.endsWith('.p12')) return 'PKCS12';
  return location.endsWith('.bcfks') ? 'BCFKS' : undefined;
}

/** The private key of a store with its certificates; of several the first that has some. @throws KeyStoreError */
export function readKeyStore(
  bytes: Uint8Array,
  { type, password, keyPassword = password }: Pick<KeyStoreFile, 'type' | 'password' | 'keyPassword'>,
): TlsIdentity {
  if (type === 'PEM') return pemIdentity(Buffer.from(bytes).toString('latin1'), keyPassword);
  const key = entriesOf(bytes, type, password, keyPassword).keys.find(({ certificates }) => certificates.length > 0);
  if (key === undefined) throw new KeyStoreError('it holds no private key with a certificate');
  return key;
}

/** The certificates of a trust store. @throws KeyStoreError when there is none */
export function readTrustStore(
  bytes: Uint8Array,
  { type, password }: Pick<KeyStoreFile, 'type' | 'password'>,
): readonly Uint8Array[] {
  const trusted =
    type === 'PEM' ? pemCertificates(Buffer.from(bytes).toString('latin1')) : entriesOf(bytes, type, password).trusted;
  if (trusted.length === 0) throw new KeyStoreError('it holds no trusted certificate');
  return trusted;
}

function entriesOf(
  bytes: Uint8Array,
  type: 'PKCS12' | 'JKS',
  password: string,
  keyPassword: string = password,
): StoreEntries {
  return type === 'JKS' ? readJks(bytes, password, keyPassword) : readPkcs12(bytes, password, keyPassword);
}
