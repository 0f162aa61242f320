/** One mechanism of SASL, the client's side of one exchange. */
export interface SaslClient {
  /** Nothing more is to be said or heard. */
  readonly isComplete: boolean;
  /**
   * What is said to a challenge; the first one is empty. Undefined where nothing is.
   * @throws SaslError
   */
  respond(challenge: Uint8Array): Uint8Array | undefined;
}

/** The server said what it should not have; the text is that of Apache's SaslException. */
export class SaslError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SaslError';
  }
}

export const loginMechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;
/** Mechanisms that a client can log in by. */
export type LoginMechanism = (typeof loginMechanisms)[number];

/** Who a client is, and what proves it. Never to be logged. */
export interface SaslLogin {
  readonly mechanism: LoginMechanism;
  /** With `isToken` the id of a delegation token. */
  readonly username: string;
  /** With `isToken` the token's HMAC, as it was given out. */
  readonly password: string;
  /** By a delegation token (KIP-48); SCRAM only. Default false. */
  readonly isToken?: boolean;
}
