import type { Address, Connection, ConnectionHandler } from '../../../runtime/network.ts';
import type { SimMachine } from '../../../runtime/sim/sim-machine.ts';
import type { ServerTls } from '../../../runtime/tls.ts';
import { encode } from '../../../wire/codec.ts';
import { FrameSplitter } from '../../../wire/framing.ts';
import { Reader } from '../../../wire/reader.ts';
import { build } from '../../../wire/schema.ts';
import { Writer } from '../../../wire/writer.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { SaslHandshakeResponse } from '../../protocol/messages/17-sasl-handshake.ts';
import { ApiVersionsResponse } from '../../protocol/messages/18-api-versions.ts';
import { SaslAuthenticateResponse } from '../../protocol/messages/36-sasl-authenticate.ts';

export const [HANDSHAKE, VERSIONS, AUTHENTICATE] = [17, 18, 36] as const;

export interface SaslScript {
  /** In place of an answer that authenticates, for the n-th SaslAuthenticate. */
  readonly authentication?: (nth: number) => Partial<SaslAuthenticateResponse> | 'silence';
  /** What is answered to a request that is none of SASL. */
  readonly answer: (apiKey: number, version: number) => Uint8Array;
  /** Ranges of what else it speaks. */
  readonly apiKeys: readonly { readonly apiKey: number; readonly minVersion: number; readonly maxVersion: number }[];
  readonly sessionLifetimeMs?: number;
  readonly tls?: ServerTls;
}

/** A broker that believes whoever says a token, unless its script says otherwise. */
export class SaslPeer {
  readonly address: Address;
  /** Keys in the order in which they came. */
  readonly asked: number[] = [];
  connectionCount = 0;
  readonly #script: SaslScript;
  #tokenCount = 0;

  constructor({ host }: SimMachine, script: SaslScript) {
    this.address = { host, port: 9092 };
    this.#script = script;
  }

  async listen({ runtime }: SimMachine): Promise<void> {
    await runtime.network.listen(this.address, (socket) => this.#accept(socket), { tls: this.#script.tls });
  }

  #accept(socket: Connection): ConnectionHandler {
    this.connectionCount += 1;
    const splitter = new FrameSplitter(1_000_000);
    return {
      data: (chunk) =>
        splitter.push(chunk, (frame) => {
          const reader = new Reader(frame);
          const [apiKey, version, correlationId] = [reader.int16(), reader.int16(), reader.int32()];
          this.asked.push(apiKey);
          const body = this.#answerTo(apiKey, version);
          if (body === undefined) return true;
          const writer = new Writer();
          writer.int32(4 + body.length);
          writer.int32(correlationId);
          writer.bytes(body);
          socket.write([writer.finishFlat()]);
          return true;
        }),
      closed: () => undefined,
    };
  }

  #answerTo(apiKey: number, version: number): Uint8Array | undefined {
    switch (apiKey) {
      case VERSIONS:
        return this.#versions(version);
      case HANDSHAKE:
        return encode(SaslHandshakeResponse, version, build(SaslHandshakeResponse, { mechanisms: ['PLAIN'] }));
      case AUTHENTICATE:
        return this.#authenticate(version);
      default:
        return this.#script.answer(apiKey, version);
    }
  }

  #versions(version: number): Uint8Array {
    const known = [HANDSHAKE, AUTHENTICATE].map((apiKey) => ({ apiKey, minVersion: 0, maxVersion: 1 }));
    const apiKeys = [...known, { apiKey: VERSIONS, minVersion: 0, maxVersion: 2 }, ...this.#script.apiKeys];
    const errorCode = version <= 2 ? ErrorCode.NONE : ErrorCode.UNSUPPORTED_VERSION;
    return encode(ApiVersionsResponse, version <= 2 ? version : 0, build(ApiVersionsResponse, { apiKeys, errorCode }));
  }

  #authenticate(version: number): Uint8Array | undefined {
    this.#tokenCount += 1;
    const { authentication, sessionLifetimeMs = 0 } = this.#script;
    const given = authentication?.(this.#tokenCount) ?? {};
    if (given === 'silence') return undefined;
    const answer = build(SaslAuthenticateResponse, { sessionLifetimeMs, ...given });
    return encode(SaslAuthenticateResponse, version, answer);
  }
}
