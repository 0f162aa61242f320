import type { Random } from '../../runtime/random.ts';
import type { Reader } from '../../wire/reader.ts';
import { OpCode } from '../jute/op-codes.ts';
import { GetSASLRequest, type ReplyHeader, SetSASLResponse } from '../jute/proto.ts';
import { DigestMd5Client } from '../sasl/digest-md5-client.ts';
import { SaslError } from '../sasl/directives.ts';
import { encodeRequest } from './frames.ts';

/** Who the client is by SASL DIGEST-MD5: a user of the `Server` section in the server's JAAS file. */
export interface SaslCredentials {
  readonly username: string;
  readonly password: string;
}

/** The exchange of one connection, before any other request (ZooKeeperSaslClient). */
export class SaslExchange {
  readonly #client: DigestMd5Client;
  readonly #takeXid: () => number;

  constructor(credentials: SaslCredentials, random: Random, takeXid: () => number) {
    this.#client = new DigestMd5Client({ random, ...credentials });
    this.#takeXid = takeXid;
  }

  get isComplete(): boolean {
    return this.#client.isComplete;
  }

  /** The frame that asks for the challenge. */
  begin(): Uint8Array {
    return this.#frameOf(new Uint8Array(0));
  }

  /**
   * The frame that answers a reply; undefined once the exchange is complete.
   * @throws SaslError the server refuses us, has no SASL, or does not know our password either
   */
  answer(header: ReplyHeader, body: Reader): Uint8Array | undefined {
    const token = header.err === 0 ? SetSASLResponse.read(body).token : null;
    if (token === null) throw new SaslError(`the server refuses (error ${header.err})`);
    const next = this.#client.evaluate(token);
    return next && this.#frameOf(next);
  }

  #frameOf(token: Uint8Array): Uint8Array {
    return encodeRequest(this.#takeXid(), OpCode.sasl, (to) => GetSASLRequest.write(to, { token }));
  }
}
