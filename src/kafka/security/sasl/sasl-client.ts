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

export const loginMechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const;
/** Mechanisms that a client can log in by. */
export type LoginMechanism = (typeof loginMechanisms)[number];

/** Who a client is, and what proves it. Never to be logged. */
export type SaslLogin = PasswordLogin | OAuthLogin;

/** By a name and what only its owner knows. */
export interface PasswordLogin {
  readonly mechanism: Exclude<LoginMechanism, 'OAUTHBEARER'>;
  /** With `isToken` the id of a delegation token. */
  readonly username: string;
  /** With `isToken` the token's HMAC, as it was given out. */
  readonly password: string;
  /** By a delegation token (KIP-48); SCRAM only. Default false. */
  readonly isToken?: boolean;
}

/** By a token that somebody else has given out (KIP-255). */
export interface OAuthLogin {
  readonly mechanism: 'OAUTHBEARER';
  /**
   * Gives a token that is valid now: asked for each connection, and again before the session of one ends. Whoever keeps
   * tokens renews them himself. What it throws fails the authentication.
   */
  readonly oauthToken: () => Promise<OAuthToken>;
}

export interface OAuthToken {
  /** As it is sent. */
  readonly value: string;
  /** What else the broker is told; names are letters. Default none. */
  readonly extensions?: Readonly<Record<string, string>>;
}
