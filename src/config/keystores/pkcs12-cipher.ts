import { createDecipheriv, hash as digestOf, pbkdf2Sync } from 'node:crypto';
import { child, children, type DerValue, integerOf, oidOf, Tag } from './der.ts';
import { KeyStoreError } from './key-store-error.ts';
import { rc2Decrypt } from './rc2.ts';

const PBES2 = '1.2.840.113549.1.5.13';
const PBKDF2 = '1.2.840.113549.1.5.12';
/** pbeWithSHAAnd… of PKCS#12: what Java wrote until version 16. */
const pbeCiphers: Readonly<Record<string, { name: string; keyBytes: number }>> = {
  '1.2.840.113549.1.12.1.3': { name: 'des-ede3-cbc', keyBytes: 24 },
  '1.2.840.113549.1.12.1.5': { name: 'rc2-128', keyBytes: 16 },
  '1.2.840.113549.1.12.1.6': { name: 'rc2-40', keyBytes: 5 },
};
const pbes2Ciphers: Readonly<Record<string, { name: string; keyBytes: number }>> = {
  '2.16.840.1.101.3.4.1.2': { name: 'aes-128-cbc', keyBytes: 16 },
  '2.16.840.1.101.3.4.1.22': { name: 'aes-192-cbc', keyBytes: 24 },
  '2.16.840.1.101.3.4.1.42': { name: 'aes-256-cbc', keyBytes: 32 },
  '1.2.840.113549.3.7': { name: 'des-ede3-cbc', keyBytes: 24 },
};
const hmacs: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
};
/** A hostile file must not keep the process busy for minutes. */
const ITERATIONS_MAX = 5_000_000;

/** @throws KeyStoreError when the algorithm is unknown, or the password wrong */
export function decrypt(algorithm: DerValue, data: Uint8Array, password: string): Uint8Array {
  const oid = oidOf(child(algorithm, 0, Tag.oid));
  const parameters = child(algorithm, 1, Tag.sequence);
  try {
    return oid === PBES2 ? decryptPbes2(parameters, data, password) : decryptPbe(oid, parameters, data, password);
  } catch (cause) {
    if (cause instanceof KeyStoreError) throw cause;
    throw new KeyStoreError('it cannot be decrypted; is the password right?', { cause });
  }
}

/** RFC 8018. */
function decryptPbes2(parameters: DerValue, data: Uint8Array, password: string): Uint8Array {
  const derivation = child(parameters, 0, Tag.sequence);
  const encryption = child(parameters, 1, Tag.sequence);
  if (oidOf(child(derivation, 0, Tag.oid)) !== PBKDF2) throw new KeyStoreError('only PBKDF2 is known of PBES2');
  const [salt, iterations, ...rest] = children(child(derivation, 1, Tag.sequence));
  const prf = rest.find(({ tag }) => tag === Tag.sequence);
  const hmac = prf === undefined ? 'sha1' : hmacs[oidOf(child(prf, 0, Tag.oid))];
  const cipher = pbes2Ciphers[oidOf(child(encryption, 0, Tag.oid))];
  if (hmac === undefined || cipher === undefined || salt === undefined || iterations === undefined) {
    throw new KeyStoreError('it is encrypted in a way that is not known');
  }
  const key = pbkdf2Sync(password, salt.content, countOf(iterations), cipher.keyBytes, hmac);
  return decipher(cipher.name, key, child(encryption, 1, Tag.octetString).content, data);
}

function decryptPbe(oid: string, parameters: DerValue, data: Uint8Array, password: string): Uint8Array {
  const cipher = pbeCiphers[oid];
  if (cipher === undefined) throw new KeyStoreError(`it is encrypted in a way that is not known: ${oid}`);
  const salt = child(parameters, 0, Tag.octetString).content;
  const iterations = countOf(child(parameters, 1, Tag.integer));
  const derive = (purpose: number, size: number): Buffer =>
    deriveKey({ hash: 'sha1', password, salt, iterations, purpose }, size);
  const [key, iv] = [derive(1, cipher.keyBytes), derive(2, 8)];
  if (!cipher.name.startsWith('rc2')) return decipher(cipher.name, key, iv, data);
  const clear = rc2Decrypt(key, cipher.keyBytes * 8, iv, data);
  if (clear === undefined) throw new KeyStoreError('it cannot be decrypted; is the password right?');
  return clear;
}

function decipher(name: string, key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array {
  const cipher = createDecipheriv(name, key, iv);
  return Buffer.concat([cipher.update(data), cipher.final()]);
}

export function countOf(value: DerValue): number {
  const count = integerOf(value);
  if (count < 1 || count > ITERATIONS_MAX) throw new KeyStoreError(`${count} iterations`);
  return count;
}

export interface Derivation {
  readonly hash: string;
  readonly password: string;
  readonly salt: Uint8Array;
  readonly iterations: number;
  /** 1 for a key, 2 for an initial vector, 3 for a MAC. */
  readonly purpose: number;
}

/** RFC 7292, appendix B. */
export function deriveKey({ hash, password, salt, iterations, purpose }: Derivation, size: number): Buffer {
  const blockSize = hash === 'sha384' || hash === 'sha512' ? 128 : 64;
  // BMPString with its terminator.
  const secret = Buffer.from(`${password}\0`, 'utf16le').swap16();
  const inputs = Buffer.concat([filled(salt, blockSize), filled(secret, blockSize)]);
  const id = Buffer.alloc(blockSize, purpose);
  const blocks: Buffer[] = [];
  for (let done = 0; done < size; ) {
    let block = digestOf(hash, Buffer.concat([id, inputs]), 'buffer');
    for (let round = 1; round < iterations; round += 1) block = digestOf(hash, block, 'buffer');
    blocks.push(block);
    done += block.length;
    const summand = filled(block, blockSize).subarray(0, blockSize);
    for (let at = 0; at < inputs.length; at += blockSize) addOnePlus(inputs.subarray(at, at + blockSize), summand);
  }
  return Buffer.concat(blocks).subarray(0, size);
}

/** Repeated up to a multiple of the block. */
function filled(bytes: Uint8Array, blockSize: number): Buffer {
  const size = Math.ceil(bytes.length / blockSize) * blockSize;
  return bytes.length === 0 ? Buffer.alloc(0) : Buffer.alloc(size, bytes);
}

/** target = target + summand + 1, as big-endian numbers. */
function addOnePlus(target: Buffer, summand: Uint8Array): void {
  let carry = 1;
  for (let at = target.length - 1; at >= 0; at -= 1) {
    const sum = (target[at] as number) + (summand[at] as number) + carry;
    target[at] = sum & 0xff;
    carry = sum >> 8;
  }
}
