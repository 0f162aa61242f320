import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import type { ScramMechanism } from './scram-credential.ts';

/** Arithmetic of RFC 5802, for both sides of an exchange; passwords are taken as they are, as in Apache (`ScramFormatter`). */
type Hashing = Pick<ScramMechanism, 'hash'>;

/** Takes as many iterations of the hash, some milliseconds. */
export function saltPassword({ hash }: Hashing, password: string, salt: Uint8Array, iterations: number): Buffer {
  return pbkdf2Sync(password, salt, iterations, createHash(hash).digest().length, hash);
}

export function clientKeyOf(mechanism: Hashing, saltedPassword: Uint8Array): Buffer {
  return sign(mechanism, saltedPassword, 'Client Key');
}

export function serverKeyOf(mechanism: Hashing, saltedPassword: Uint8Array): Buffer {
  return sign(mechanism, saltedPassword, 'Server Key');
}

/** What a server keeps of a client's key: enough to check it. */
export function storedKeyOf({ hash }: Hashing, clientKey: Uint8Array): Buffer {
  return createHash(hash).update(clientKey).digest();
}

/**
 * Signature of an exchange: with the stored key the client's, with the server's key the server's.
 *
 * @param authMessage `client-first-bare , server-first , client-final without its proof`
 */
export function sign({ hash }: Hashing, key: Uint8Array, authMessage: string): Buffer {
  return createHmac(hash, key).update(authMessage).digest();
}

/** A proof is the client's key hidden by its signature: the same again gives back the key. */
export function xor(one: Uint8Array, other: Uint8Array): Buffer {
  return Buffer.from(one.map((byte, index) => byte ^ (other[index] ?? 0)));
}

/** A user's name as it stands in a message. */
export function saslName(user: string): string {
  return user.replaceAll('=', '=3D').replaceAll(',', '=2C');
}

/** Undefined where the text is no name in a message. */
export function userOfSaslName(name: string): string | undefined {
  const user = name.replaceAll('=2C', ',').replaceAll('=3D', '\0');
  return user.includes('=') ? undefined : user.replaceAll('\0', '=');
}
