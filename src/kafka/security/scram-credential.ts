import { clientKeyOf, serverKeyOf, storedKeyOf } from './scram.ts';

/** SCRAM mechanisms as the protocol numbers them (`ScramMechanism`). */
export const scramMechanisms = [
  { type: 1, name: 'SCRAM-SHA-256', hash: 'sha256' },
  { type: 2, name: 'SCRAM-SHA-512', hash: 'sha512' },
] as const;
export type ScramMechanism = (typeof scramMechanisms)[number];

export const ITERATIONS_MIN = 4096;
export const ITERATIONS_MAX = 16384;

export function scramMechanism(type: number): ScramMechanism | undefined {
  return scramMechanisms.find((mechanism) => mechanism.type === type);
}

export interface SaltedPassword {
  readonly salt: Uint8Array;
  /** RFC 5802's SaltedPassword: clients send it instead of the password (KIP-554). */
  readonly saltedPassword: Uint8Array;
  readonly iterations: number;
}

/** What brokers keep of a password: enough to check it, not enough to log in with (RFC 5802, `ScramCredentialUtils`). */
export function encodeCredential(mechanism: ScramMechanism, given: SaltedPassword): string {
  const storedKey = storedKeyOf(mechanism, clientKeyOf(mechanism, given.saltedPassword)).toString('base64');
  const serverKey = serverKeyOf(mechanism, given.saltedPassword).toString('base64');
  const salt = Buffer.from(given.salt).toString('base64');
  return `salt=${salt},stored_key=${storedKey},server_key=${serverKey},iterations=${given.iterations}`;
}

/** What an exchange needs of a credential. */
export interface ScramCredential {
  readonly salt: Uint8Array;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
  readonly iterations: number;
}

/** Undefined where the text is not what `encodeCredential` writes: the same four fields, in any order. */
export function decodeCredential(text: string): ScramCredential | undefined {
  const fields = new Map(
    text.split(',').map((field): [string, string] => {
      const at = field.indexOf('=');
      return [field.slice(0, Math.max(at, 0)), field.slice(at + 1)];
    }),
  );
  const [salt, storedKey, serverKey] = ['salt', 'stored_key', 'server_key'].map((name) => base64In(fields.get(name)));
  const iterations = iterationsOf(text);
  if (salt === undefined || storedKey === undefined || serverKey === undefined) return undefined;
  return fields.size === 4 && iterations !== undefined ? { salt, storedKey, serverKey, iterations } : undefined;
}

function base64In(text: string | undefined): Buffer | undefined {
  const isBase64 = text !== undefined && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
  return isBase64 ? Buffer.from(text, 'base64') : undefined;
}

/** Undefined where the text is no credential. */
export function iterationsOf(credential: string): number | undefined {
  const found = /(?:^|,)iterations=(\d+)(?:,|$)/.exec(credential)?.[1];
  return found === undefined ? undefined : Number(found);
}
