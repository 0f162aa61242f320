import { createHmac, timingSafeEqual } from 'node:crypto';
import { child, children, type DerValue, expect, oidOf, readDer, Tag } from './der.ts';
import { KeyStoreError } from './key-store-error.ts';
import { countOf, decrypt, deriveKey } from './pkcs12-cipher.ts';
import type { StoredKey, StoreEntries } from './store-entries.ts';

const DATA = '1.2.840.113549.1.7.1';
const ENCRYPTED_DATA = '1.2.840.113549.1.7.6';
const KEY_BAG = '1.2.840.113549.1.12.10.1.1';
const SHROUDED_KEY_BAG = '1.2.840.113549.1.12.10.1.2';
const CERTIFICATE_BAG = '1.2.840.113549.1.12.10.1.3';
const LOCAL_KEY_ID = '1.2.840.113549.1.9.21';
/** Set by keytool: certificates without it are not trusted, they only complete a chain. */
const TRUSTED_KEY_USAGE = '2.16.840.1.113894.746875.1.1';
const hashes: Readonly<Record<string, string>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

interface Bag {
  readonly kind: string;
  readonly value: DerValue;
  readonly localKeyId: string | undefined;
  readonly isTrusted: boolean;
}

/**
 * A PKCS#12 file (RFC 7292), as keytool and OpenSSL write it:
 *
 *   PFX ─ authSafe ─ [ data | encryptedData ] … ─ SafeContents ─ bags of keys and certificates
 *       └ macData
 *
 * @throws KeyStoreError when it is damaged, or the password is wrong
 */
export function readPkcs12(bytes: Uint8Array, password: string, keyPassword: string = password): StoreEntries {
  const [, authSafe, macData] = children(expect(readDer(bytes).value, Tag.sequence));
  const safe = dataOf(expect(authSafe, Tag.sequence));
  if (macData !== undefined) checkMac(macData, safe, password);
  const bags = children(readDer(safe).value).flatMap((info) => bagsOf(info, password));
  const certificates = bags
    .filter(({ kind }) => kind === CERTIFICATE_BAG)
    .map((bag) => ({ ...bag, der: certificateOf(bag.value) }));
  const keys = bags.filter(({ kind }) => kind === KEY_BAG || kind === SHROUDED_KEY_BAG);
  return {
    keys: keys.map((bag): StoredKey => {
      const own = certificates.findIndex((each) => each.localKeyId === bag.localKeyId);
      const others = certificates.filter((_, index) => index !== own).map(({ der }) => der);
      const chain = own < 0 ? [] : [certificates[own]!.der, ...others];
      return { privateKey: privateKeyOf(bag, keyPassword), certificates: chain };
    }),
    trusted: certificates.filter(({ isTrusted }) => isTrusted).map(({ der }) => der),
  };
}

/** The content of a ContentInfo of type data. */
function dataOf(info: DerValue): Uint8Array {
  if (oidOf(child(info, 0, Tag.oid)) !== DATA) throw new KeyStoreError('the PKCS#12 file is not kept by a password');
  return child(child(info, 1, Tag.context), 0, Tag.octetString).content;
}

function bagsOf(info: DerValue, password: string): Bag[] {
  const kind = oidOf(child(info, 0, Tag.oid));
  const contents =
    kind === ENCRYPTED_DATA ? decryptedOf(child(child(info, 1, Tag.context), 0, Tag.sequence), password) : dataOf(info);
  return children(readDer(contents).value).map(bagOf);
}

/** EncryptedData: version, then type, algorithm and the bytes as [0]. */
function decryptedOf(encrypted: DerValue, password: string): Uint8Array {
  const [, algorithm, bytes] = children(child(encrypted, 1, Tag.sequence));
  if (bytes === undefined) throw new KeyStoreError('nothing is encrypted');
  return decrypt(expect(algorithm, Tag.sequence), bytes.content, password);
}

function bagOf(bag: DerValue): Bag {
  const [kind, value, attributes] = children(bag);
  const byOid = new Map<string, DerValue>();
  for (const attribute of attributes === undefined ? [] : children(attributes)) {
    byOid.set(oidOf(child(attribute, 0, Tag.oid)), child(attribute, 1, Tag.set));
  }
  const id = byOid.get(LOCAL_KEY_ID);
  return {
    kind: oidOf(expect(kind, Tag.oid)),
    value: readDer(expect(value, Tag.context).content).value,
    localKeyId: id === undefined ? undefined : Buffer.from(child(id, 0, Tag.octetString).content).toString('hex'),
    isTrusted: byOid.has(TRUSTED_KEY_USAGE),
  };
}

/** CertBag: type, then [0] with an octet string. */
function certificateOf(bag: DerValue): Uint8Array {
  return child(child(bag, 1, Tag.context), 0, Tag.octetString).content;
}

function privateKeyOf({ kind, value }: Bag, password: string): Uint8Array {
  if (kind === KEY_BAG) return value.whole;
  return decrypt(child(value, 0, Tag.sequence), child(value, 1, Tag.octetString).content, password);
}

/** MacData: DigestInfo, salt, iterations. */
function checkMac(mac: DerValue, safe: Uint8Array, password: string): void {
  const [info, salt, iterations] = children(mac);
  const digestInfo = expect(info, Tag.sequence);
  const hash = hashes[oidOf(child(child(digestInfo, 0, Tag.sequence), 0, Tag.oid))];
  if (hash === undefined) throw new KeyStoreError('its MAC is of a kind that is not known');
  const expected = child(digestInfo, 1, Tag.octetString).content;
  const derivation = {
    hash,
    password,
    salt: expect(salt, Tag.octetString).content,
    iterations: iterations === undefined ? 1 : countOf(iterations),
    purpose: 3,
  };
  const key = deriveKey(derivation, expected.length);
  const found = createHmac(hash, key).update(safe).digest();
  if (found.length !== expected.length || !timingSafeEqual(found, expected)) {
    throw new KeyStoreError('its MAC does not match: the password is wrong, or the file damaged');
  }
}
