import { createHash, timingSafeEqual } from 'node:crypto';
import { child, readDer, Tag } from './der.ts';
import { KeyStoreError } from './key-store-error.ts';
import type { StoredKey, StoreEntries } from './store-entries.ts';

const MAGIC = 0xfeed_feed;
/** What Sun's key store mixes into the digest that guards the file. */
const WHITENER = 'Mighty Aphrodite';
const KEY_ENTRY = 1;
const CERTIFICATE_ENTRY = 2;
const DIGEST_BYTES = 20;

/**
 * Java's own key store:
 *
 *   magic (4) | version (4) | count (4) | entries | SHA-1 (20)
 *   entry:  kind (4) | alias | time (8) | key: length (4), bytes, count (4), certificates  or  one certificate
 *   certificate (version 2): type, length (4), DER
 *
 * Text has a length of two bytes. Without a password the digest is not checked, as Java does it for trust stores. Keys may have a
 * password of their own.
 * @throws KeyStoreError when it is damaged, or the password is wrong
 */
export function readJks(bytes: Uint8Array, password: string, keyPassword: string = password): StoreEntries {
  const input = new JksInput(bytes);
  if (input.int32() !== MAGIC) throw new KeyStoreError('it is no JKS file');
  const version = input.int32();
  if (version !== 1 && version !== 2) throw new KeyStoreError(`JKS version ${version} is not known`);
  if (password !== '') checkDigest(bytes, password);
  const keys: StoredKey[] = [];
  const trusted: Uint8Array[] = [];
  for (let left = input.int32(); left > 0; left -= 1) {
    const kind = input.int32();
    input.text();
    input.skip(8);
    if (kind === KEY_ENTRY) keys.push(readKey(input, version, keyPassword));
    else if (kind === CERTIFICATE_ENTRY) trusted.push(readCertificate(input, version));
    else throw new KeyStoreError(`JKS entry of kind ${kind} is not known`);
  }
  return { keys, trusted };
}

function readKey(input: JksInput, version: number, password: string): StoredKey {
  const isProtected = input.block();
  const certificates: Uint8Array[] = [];
  for (let left = input.int32(); left > 0; left -= 1) certificates.push(readCertificate(input, version));
  // EncryptedPrivateKeyInfo: algorithm, bytes.
  const encrypted = child(readDer(isProtected).value, 1, Tag.octetString).content;
  return { privateKey: unprotect(encrypted, password), certificates };
}

function readCertificate(input: JksInput, version: number): Uint8Array {
  if (version === 2) input.text();
  return input.block();
}

/** salt (20) | key XOR stream | SHA-1 of password and key; the stream is SHA-1 of the password and the block before it. */
function unprotect(encrypted: Uint8Array, password: string): Uint8Array {
  const secret = passwordBytes(password);
  const key = Buffer.from(encrypted.subarray(DIGEST_BYTES, -DIGEST_BYTES));
  let block: Uint8Array = encrypted.subarray(0, DIGEST_BYTES);
  for (let at = 0; at < key.length; at += DIGEST_BYTES) {
    block = createHash('sha1').update(secret).update(block).digest();
    const part = key.subarray(at, at + DIGEST_BYTES);
    for (let index = 0; index < part.length; index += 1)
      part[index] = (part[index] as number) ^ (block[index] as number);
  }
  const digest = createHash('sha1').update(secret).update(key).digest();
  if (encrypted.length < 2 * DIGEST_BYTES || !digest.equals(encrypted.subarray(-DIGEST_BYTES))) {
    throw new KeyStoreError('its key cannot be decrypted: the password is wrong, or the file damaged');
  }
  return key;
}

function checkDigest(bytes: Uint8Array, password: string): void {
  const digest = createHash('sha1')
    .update(passwordBytes(password))
    .update(WHITENER)
    .update(bytes.subarray(0, -DIGEST_BYTES))
    .digest();
  const found = bytes.subarray(-DIGEST_BYTES);
  if (found.length !== digest.length || !timingSafeEqual(found, digest)) {
    throw new KeyStoreError('its digest does not match: the password is wrong, or the file damaged');
  }
}

function passwordBytes(password: string): Buffer {
  return Buffer.from(password, 'utf16le').swap16();
}

class JksInput {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  int32(): number {
    return this.#take(4).readUInt32BE();
  }

  text(): string {
    return this.#take(this.#take(2).readUInt16BE()).toString();
  }

  block(): Uint8Array {
    return this.#take(this.int32());
  }

  skip(size: number): void {
    this.#take(size);
  }

  #take(size: number): Buffer {
    const end = this.#at + size;
    if (end > this.#bytes.length) throw new KeyStoreError('the JKS file ends early');
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }
}
