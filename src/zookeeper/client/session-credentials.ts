import { Deque } from '../../base/deque.ts';
import type { KeeperError } from '../jute/errors.ts';
import { OpCode, Xid } from '../jute/op-codes.ts';
import { AuthPacket } from '../jute/proto.ts';
import { encodeRequest } from './frames.ts';

interface Credentials {
  readonly scheme: string;
  readonly auth: Uint8Array | null;
  readonly confirm: () => void;
  readonly reject: (error: KeeperError) => void;
}

/** Which scheme a server has answered for. */
export interface AnsweredCredentials {
  readonly scheme: string;
  confirm(): void;
}

/** Identities of a session (`addAuth`): remembered, and told to every server that we connect to. */
export class SessionCredentials {
  readonly #all: Credentials[] = [];
  /** Told to the present server, whose answers are due in this order. */
  readonly #sent = new Deque<Credentials>();

  /**
   * @param send sends a frame at once; undefined: they wait for the next connection
   * @returns settles when a server has taken them, or with the error that ends the session
   */
  add(scheme: string, auth: Uint8Array | null, send: ((frame: Uint8Array) => void) | undefined): Promise<void> {
    return new Promise((confirm, reject) => {
      const credentials = { scheme, auth, confirm, reject };
      this.#all.push(credentials);
      send?.(this.#frame(credentials));
    });
  }

  /** A new connection: nothing is due from the one before. */
  connected(): void {
    this.#sent.clear();
  }

  /** What tells a server all of them. */
  frames(): Uint8Array[] {
    return this.#all.map((credentials) => this.#frame(credentials));
  }

  /** Whose answer has come. */
  takeAnswered(): AnsweredCredentials | undefined {
    return this.#sent.shift();
  }

  /** The session is over. Settled ones do not mind. */
  rejectAll(errorOf: () => KeeperError): void {
    for (const credentials of this.#all) credentials.reject(errorOf());
  }

  #frame(credentials: Credentials): Uint8Array {
    this.#sent.push(credentials);
    const { scheme, auth } = credentials;
    return encodeRequest(Xid.auth, OpCode.auth, (to) => AuthPacket.write(to, { type: 0, scheme, auth }));
  }
}
