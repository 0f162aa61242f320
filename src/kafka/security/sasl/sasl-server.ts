/** Who a client has proved to be. */
export interface SaslIdentity {
  /** The user's name, without its type. */
  readonly name: string;
  /** By a delegation token of that user. */
  readonly isTokenAuthenticated: boolean;
  /** When what was proved is worth nothing any more, by the clock of the day. */
  readonly expiresAtMs?: number | undefined;
}

/** What a mechanism makes of a client's response. */
export type SaslOutcome =
  | { readonly kind: 'challenge'; readonly bytes: Uint8Array }
  | { readonly kind: 'complete'; readonly bytes: Uint8Array; readonly identity: SaslIdentity }
  /** `told` is for the client; without it the client hears no more than that it failed, whatever the reason. */
  | { readonly kind: 'refused'; readonly told?: string; readonly reason: string }
  /** The exchange cannot even be answered. */
  | { readonly kind: 'broken'; readonly reason: string };

/** The server's side of one exchange. */
export interface SaslServer {
  evaluate(response: Uint8Array): SaslOutcome;
}

/** A refusal whose reason the client may know. */
export function refusedOpenly(reason: string): SaslOutcome {
  return { kind: 'refused', told: reason, reason };
}
