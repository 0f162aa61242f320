import type { Random } from '../../../runtime/random.ts';
import type { TokenSecret, TokenSecrets } from '../sasl/token-secrets.ts';
import { clientKeyOf, saltPassword, serverKeyOf, storedKeyOf } from '../scram.ts';
import { ITERATIONS_MIN, type ScramCredential, type ScramMechanism, scramMechanisms } from '../scram-credential.ts';
import { type DelegationToken, tokenHmac } from './delegation-token.ts';

const SALT_BYTES = 16;

interface Known {
  readonly token: DelegationToken;
  readonly hmac: Buffer;
  /** By mechanism: made when the first client needs them, which takes milliseconds, and kept as long as the token. */
  readonly credentials: Map<string, ScramCredential>;
}

/**
 * The tokens of a cluster, as one broker knows them (`DelegationTokenCache`). A client logs in by SCRAM with the id as its name and
 * the secret, as base64, as its password.
 */
export class TokenCache implements TokenSecrets {
  readonly #secretKey: string;
  readonly #random: Random;
  readonly #known = new Map<string, Known>();
  /** Ids by secret, as base64: that is how clients name a token that they renew. */
  readonly #ids = new Map<string, string>();

  constructor(secretKey: string, random: Random) {
    this.#secretKey = secretKey;
    this.#random = random;
  }

  get tokens(): DelegationToken[] {
    return [...this.#known.values()].map(({ token }) => token);
  }

  hmacOf(tokenId: string): Buffer {
    return this.#known.get(tokenId)?.hmac ?? tokenHmac(tokenId, this.#secretKey);
  }

  ofHmac(hmac: Uint8Array): DelegationToken | undefined {
    const id = this.#ids.get(Buffer.from(hmac).toString('base64'));
    return id === undefined ? undefined : this.#known.get(id)?.token;
  }

  put(token: DelegationToken): void {
    const { tokenId } = token;
    const hmac = this.hmacOf(tokenId);
    this.#known.set(tokenId, { token, hmac, credentials: this.#known.get(tokenId)?.credentials ?? new Map() });
    this.#ids.set(hmac.toString('base64'), tokenId);
  }

  remove(tokenId: string): void {
    this.#ids.delete(this.hmacOf(tokenId).toString('base64'));
    this.#known.delete(tokenId);
  }

  find(tokenId: string, mechanism: string): TokenSecret | undefined {
    const known = this.#known.get(tokenId);
    if (known === undefined) return undefined;
    const { token } = known;
    return {
      credential: this.#credential(known, mechanism),
      owner: token.owner.name,
      expiresAtMs: token.expiryTimestampMs,
    };
  }

  #credential({ hmac, credentials }: Known, name: string): ScramCredential | undefined {
    const mechanism = scramMechanisms.find((one) => one.name === name);
    if (mechanism === undefined) return undefined;
    const made = credentials.get(name) ?? credentialOf(mechanism, hmac, this.#random.bytes(SALT_BYTES));
    credentials.set(name, made);
    return made;
  }
}

/** What a server checks a token's holder by. */
export function credentialOf(mechanism: ScramMechanism, hmac: Buffer, salt: Uint8Array): ScramCredential {
  const salted = saltPassword(mechanism, hmac.toString('base64'), salt, ITERATIONS_MIN);
  const storedKey = storedKeyOf(mechanism, clientKeyOf(mechanism, salted));
  return { salt, storedKey, serverKey: serverKeyOf(mechanism, salted), iterations: ITERATIONS_MIN };
}
