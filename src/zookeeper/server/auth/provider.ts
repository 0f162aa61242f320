import type { Id } from '../../jute/data.ts';
import type { AclScheme } from '../../tree/acl.ts';

/** Whom a provider looks at. */
export interface AuthClient {
  /** Its address as text. */
  readonly host: string;
  /** DER, the client's own first; empty without TLS. */
  readonly certificates: readonly Uint8Array[];
}

/**
 * What the client has proved to be. `failed` is answered with AuthFailed before the connection ends; `disconnect` ends it without
 * a word, so that the client looks for another server.
 */
export type AuthOutcome = readonly Id[] | 'failed' | 'disconnect';

/** One scheme: how clients authenticate in it, and what its ids mean in ACLs (AuthenticationProvider). */
export interface AuthenticationProvider extends AclScheme {
  /** @param credentials of an auth packet */
  authenticate(credentials: Uint8Array | null, client: AuthClient): AuthOutcome;
}
