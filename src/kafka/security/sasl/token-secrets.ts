import type { ScramCredential } from '../scram-credential.ts';

/** What a server must know of a delegation token to let its holder in (KIP-48). */
export interface TokenSecret {
  /** Of the mechanism that was asked for; undefined where tokens have none for it. */
  readonly credential: ScramCredential | undefined;
  /** Name of the principal that whoever holds the token is, without its type. */
  readonly owner: string;
  /** By the clock of the day; the session ends no later. */
  readonly expiresAtMs: number;
}

/** Where the SCRAM server looks for a client that says `tokenauth=true`, whose user name is the id of a token. */
export interface TokenSecrets {
  /** Mechanism as `SCRAM-SHA-256`. */
  find(tokenId: string, mechanism: string): TokenSecret | undefined;
}

/** Of a broker without delegation tokens. */
export const noTokenSecrets: TokenSecrets = { find: () => undefined };
