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

/** Undefined where the text is no credential. */
export function iterationsOf(credential: string): number | undefined {
  const found = /(?:^|,)iterations=(\d+)(?:,|$)/.exec(credential)?.[1];
  return found === undefined ? undefined : Number(found);
}
