import type { PasswordLogin, SaslClient } from './sasl-client.ts';

/** PLAIN (RFC 4616): name and password in one message, and nothing in return. */
export class PlainClient implements SaslClient {
  readonly #message: Uint8Array;
  #isComplete = false;

  constructor({ username, password }: Pick<PasswordLogin, 'username' | 'password'>) {
    this.#message = Buffer.from(`\0${username}\0${password}`);
  }

  get isComplete(): boolean {
    return this.#isComplete;
  }

  respond(): Uint8Array {
    this.#isComplete = true;
    return this.#message;
  }
}
