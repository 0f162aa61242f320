import { createCipheriv, createDecipheriv, pbkdf2Sync } from 'node:crypto';
import { ConfigError } from '../../../config/config-error.ts';
import type { Random } from '../../../runtime/random.ts';
import { isPassword } from './dynamic-keys.ts';
import type { KafkaConfig } from './kafka-config.ts';

const SALT_BYTES = 256;
const IV_BYTES = 16;

const digests: ReadonlyMap<string, string> = new Map([
  ['PBKDF2WithHmacSHA1', 'sha1'],
  ['PBKDF2WithHmacSHA224', 'sha224'],
  ['PBKDF2WithHmacSHA256', 'sha256'],
  ['PBKDF2WithHmacSHA384', 'sha384'],
  ['PBKDF2WithHmacSHA512', 'sha512'],
]);

/** A password that nobody encoded with this secret, or that no longer is what was encoded. */
export class PasswordError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PasswordError';
  }
}

export interface PasswordEncoderOptions {
  /** `password.encoder.secret` */
  readonly secret: string;
  readonly keyFactoryAlgorithm: string;
  readonly cipherAlgorithm: string;
  readonly keyBits: number;
  readonly iterations: number;
  readonly random: Random;
}

/**
 * Passwords as Apache's brokers keep them in ZooKeeper (`EncryptingPasswordEncoder`): AES in CBC mode under a key that PBKDF2 derives from
 * a secret, and beside it in clear text whatever is needed to decode it, as `name:value` pairs in any order.
 */
export class PasswordEncoder {
  readonly #options: PasswordEncoderOptions;

  constructor(options: PasswordEncoderOptions) {
    this.#options = options;
  }

  encode(password: string): string {
    const { random, secret, keyFactoryAlgorithm, cipherAlgorithm, keyBits, iterations } = this.#options;
    const salt = random.bytes(SALT_BYTES);
    const iv = random.bytes(IV_BYTES);
    const key = pbkdf2Sync(secret, salt, iterations, keyBits / 8, digestOf(keyFactoryAlgorithm));
    const cipher = createCipheriv(`aes-${keyBits}-cbc`, key, iv);
    const encrypted = Buffer.concat([cipher.update(password, 'utf8'), cipher.final()]);
    const parts: readonly (readonly [string, string | number])[] = [
      ['keyFactoryAlgorithm', keyFactoryAlgorithm],
      ['cipherAlgorithm', cipherAlgorithm],
      ['keyLength', keyBits],
      ['iterations', iterations],
      ['salt', base64(salt)],
      ['encryptedPassword', base64(encrypted)],
      ['initializationVector', base64(iv)],
      ['passwordLength', password.length],
    ];
    return parts.map(([name, value]) => `${name}:${value}`).join(',');
  }

  /** By what is written beside it, not by what is configured. @throws PasswordError */
  decode(encoded: string): string {
    const parts = new Map(encoded.split(',').map((pair) => splitPair(pair)));
    const part = (name: string): string => {
      const value = parts.get(name);
      if (value === undefined) throw new PasswordError('Password could not be decoded');
      return value;
    };
    requireCbc(part('cipherAlgorithm'));
    const keyBits = Number(part('keyLength'));
    try {
      const salt = Buffer.from(part('salt'), 'base64');
      const digest = digestOf(part('keyFactoryAlgorithm'));
      const key = pbkdf2Sync(this.#options.secret, salt, Number(part('iterations')), keyBits / 8, digest);
      const cipher = createDecipheriv(`aes-${keyBits}-cbc`, key, Buffer.from(part('initializationVector'), 'base64'));
      const encrypted = Buffer.from(part('encryptedPassword'), 'base64');
      const password = Buffer.concat([cipher.update(encrypted), cipher.final()]).toString('utf8');
      if (password.length === Number(part('passwordLength'))) return password;
    } catch (cause) {
      throw new PasswordError('Password could not be decoded', { cause });
    }
    throw new PasswordError('Password could not be decoded, sanity check of length failed');
  }
}

/** With one of the two secrets; undefined where it is not configured. @throws ConfigError for what cannot be honoured */
export function passwordEncoderOf(
  config: KafkaConfig,
  secretKey: 'password.encoder.secret' | 'password.encoder.old.secret',
  random: Random,
): PasswordEncoder | undefined {
  const secret = config.optional(secretKey);
  if (secret === null) return undefined;
  const keyFactoryAlgorithm = config.optional('password.encoder.keyfactory.algorithm') ?? 'PBKDF2WithHmacSHA512';
  if (!digests.has(keyFactoryAlgorithm)) {
    const known = [...digests.keys()].join(', ');
    throw new ConfigError('password.encoder.keyfactory.algorithm', keyFactoryAlgorithm, `choose one of ${known}`);
  }
  const cipherAlgorithm = config.string('password.encoder.cipher.algorithm');
  if (cipherAlgorithm !== CBC)
    throw new ConfigError('password.encoder.cipher.algorithm', cipherAlgorithm, `choose ${CBC}`);
  const keyBits = config.number('password.encoder.key.length');
  if (![128, 192, 256].includes(keyBits)) {
    throw new ConfigError('password.encoder.key.length', String(keyBits), 'choose 128, 192 or 256');
  }
  const iterations = config.number('password.encoder.iterations');
  return new PasswordEncoder({ secret, keyFactoryAlgorithm, cipherAlgorithm, keyBits, iterations, random });
}

/** Every password that the old encoder can decode, encoded by the new one; undefined where nothing changes. */
export function reEncoded(
  stored: ReadonlyMap<string, string>,
  old: PasswordEncoder | undefined,
  now: PasswordEncoder | undefined,
): Map<string, string> | undefined {
  if (old === undefined || now === undefined) return undefined;
  const renewed = new Map(stored);
  let isChanged = false;
  for (const [name, value] of stored) {
    if (!isPassword(name)) continue;
    try {
      renewed.set(name, now.encode(old.decode(value)));
      isChanged = true;
    } catch (error) {
      // It was stored under the new secret already.
      if (!(error instanceof PasswordError)) throw error;
    }
  }
  return isChanged ? renewed : undefined;
}

const CBC = 'AES/CBC/PKCS5Padding';

function requireCbc(algorithm: string): void {
  if (algorithm !== CBC) throw new PasswordError(`Passwords encoded by ${algorithm} cannot be decoded here`);
}

function digestOf(keyFactoryAlgorithm: string): string {
  const digest = digests.get(keyFactoryAlgorithm);
  if (digest === undefined) throw new PasswordError(`${keyFactoryAlgorithm} is not known`);
  return digest;
}

function splitPair(pair: string): [string, string] {
  const colon = pair.indexOf(':');
  return [pair.slice(0, colon).trim(), pair.slice(colon + 1).trim()];
}

function base64(bytes: Uint8Array): string {
  return Buffer.prototype.base64Slice.call(bytes, 0, bytes.length);
}
