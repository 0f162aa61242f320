import { timingSafeEqual } from 'node:crypto';
import type { Random } from '../../../runtime/random.ts';
import { clientKeyOf, saltPassword, saslName, serverKeyOf, sign, storedKeyOf, xor } from '../scram.ts';
import { ITERATIONS_MIN, type ScramMechanism } from '../scram-credential.ts';
import { type PasswordLogin, type SaslClient, SaslError } from './sasl-client.ts';

/** Beyond any credential: a server that asks for more would stop our loop for as long as it likes. */
const ITERATIONS_MAX = 1_000_000;

/** No channel binding, no other name to act for. */
const GS2_HEADER = 'n,,';
const BASE64 = '(?:[a-zA-Z0-9/+]{4})*(?:[a-zA-Z0-9/+]{3}=|[a-zA-Z0-9/+]{2}==)?';
const EXTENSIONS = '(?:,[A-Za-z]+=[^,]+)*';
const SERVER_FIRST = new RegExp(`^(?:m=[^,]+,)?r=([\\x21-\\x2b\\x2d-\\x7e]+),s=(${BASE64}),i=(\\d+)${EXTENSIONS}$`);
const SERVER_FINAL = new RegExp(`^(?:e=([^=,]+)|v=(${BASE64})${EXTENSIONS})$`);

interface ServerFirst {
  readonly nonce: string;
  readonly salt: Uint8Array;
  readonly iterations: number;
}

/**
 * SCRAM (RFC 5802, as `ScramSaslClient`): neither side shows the password, and each proves that it knows of it.
 *
 *   greeting ── client-first ──▶ proving ── server-first, client-final ──▶ verifying ── server-final ──▶ complete
 */
export class ScramClient implements SaslClient {
  readonly #mechanism: ScramMechanism;
  readonly #login: PasswordLogin;
  readonly #nonce: string;
  #state: 'greeting' | 'proving' | 'verifying' | 'complete' = 'greeting';
  #expected: Uint8Array = new Uint8Array(0);

  constructor(mechanism: ScramMechanism, login: PasswordLogin, random: Random) {
    this.#mechanism = mechanism;
    this.#login = login;
    this.#nonce = Buffer.from(random.bytes(18)).toString('base64url');
  }

  get isComplete(): boolean {
    return this.#state === 'complete';
  }

  respond(challenge: Uint8Array): Uint8Array | undefined {
    const text = Buffer.from(challenge).toString();
    switch (this.#state) {
      case 'greeting':
        this.#state = 'proving';
        return Buffer.from(`${GS2_HEADER}${this.#firstBare}`);
      case 'proving':
        this.#state = 'verifying';
        return Buffer.from(this.#prove(text));
      case 'verifying':
        this.#verify(text);
        this.#state = 'complete';
        return undefined;
      case 'complete':
        throw new SaslError('Unexpected challenge in Sasl client state COMPLETE');
      default:
        return this.#state satisfies never;
    }
  }

  get #firstBare(): string {
    const { username, isToken = false } = this.#login;
    return `n=${saslName(username)},r=${this.#nonce}${isToken ? ',tokenauth=true' : ''}`;
  }

  /** Also notes how the server will have to sign. */
  #prove(serverFirst: string): string {
    const mechanism = this.#mechanism;
    const { nonce, salt, iterations } = this.#checked(serverFirst);
    const salted = saltPassword(mechanism, this.#login.password, salt, iterations);
    const withoutProof = `c=${Buffer.from(GS2_HEADER).toString('base64')},r=${nonce}`;
    const authMessage = `${this.#firstBare},${serverFirst},${withoutProof}`;
    const clientKey = clientKeyOf(mechanism, salted);
    const proof = xor(clientKey, sign(mechanism, storedKeyOf(mechanism, clientKey), authMessage));
    this.#expected = sign(mechanism, serverKeyOf(mechanism, salted), authMessage);
    return `${withoutProof},p=${proof.toString('base64')}`;
  }

  #checked(serverFirst: string): ServerFirst {
    const { name } = this.#mechanism;
    const [, nonce = '', salt = '', count = ''] = SERVER_FIRST.exec(serverFirst) ?? [];
    if (nonce === '') throw new SaslError(`Invalid SCRAM server first message format: ${serverFirst}`);
    const iterations = Number(count);
    if (!nonce.startsWith(this.#nonce)) {
      throw new SaslError('Invalid server nonce: does not start with client nonce');
    }
    if (iterations < ITERATIONS_MIN) {
      throw new SaslError(
        `Requested iterations ${iterations} is less than the minimum ${ITERATIONS_MIN} for ${javaName(name)}`,
      );
    }
    if (iterations > ITERATIONS_MAX) {
      throw new SaslError(
        `Requested iterations ${iterations} is more than the maximum ${ITERATIONS_MAX} of this client`,
      );
    }
    return { nonce, salt: Buffer.from(salt, 'base64'), iterations };
  }

  #verify(serverFinal: string): void {
    const [isFinal, error, signature = ''] = SERVER_FINAL.exec(serverFinal) ?? [];
    if (isFinal === undefined) throw new SaslError(`Invalid SCRAM server final message format: ${serverFinal}`);
    if (error !== undefined) {
      throw new SaslError(`Sasl authentication using ${javaName(this.#mechanism.name)} failed with error: ${error}`);
    }
    const given = Buffer.from(signature, 'base64');
    if (given.length !== this.#expected.length || !timingSafeEqual(given, this.#expected)) {
      throw new SaslError('Invalid server signature in server final message');
    }
  }
}

/** As Java prints the enum. */
function javaName(mechanism: string): string {
  return mechanism.replaceAll('-', '_');
}
