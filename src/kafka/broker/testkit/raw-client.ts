import { Deque } from '../../../base/deque.ts';
import type { Slices } from '../../../base/slices.ts';
import { type Connection, type ConnectionHandler, NetworkError } from '../../../runtime/network.ts';
import type { Runtime } from '../../../runtime/runtime.ts';
import type { TlsMaterial, TlsSession } from '../../../runtime/tls.ts';
import { codecFor } from '../../../wire/codec.ts';
import { FrameSplitter } from '../../../wire/framing.ts';
import { Reader } from '../../../wire/reader.ts';
import { build, type Fields, type Message, type Value } from '../../../wire/schema.ts';
import { Writer } from '../../../wire/writer.ts';
import { RequestHeader, ResponseHeader, requestHeaderVersion, responseHeaderVersion } from '../../protocol/headers.ts';

const TLS = { protocols: ['TLSv1.2', 'TLSv1.3'], handshakeTimeoutMs: 10_000, verifyHostname: false } as const;

/** One connection that says exactly what a test wants, and nothing else. */
export class RawClient {
  readonly #connection: Connection;
  readonly #waiting = new Deque<{ resolve(frame: Slices): void; reject(error: Error): void }>();
  /** Answers that nobody asked for yet. */
  readonly #arrived = new Deque<Slices>();
  readonly closed: Promise<void>;
  #isClosed = false;

  /** @param tls given: whom the client trusts, and who it is */
  constructor(runtime: Runtime, bootstrap: string, tls?: TlsMaterial) {
    const [host = '', port] = bootstrap.split(':');
    const splitter = new FrameSplitter(200 << 20);
    let onClosed: () => void = () => undefined;
    this.closed = new Promise((resolve) => {
      onClosed = resolve;
    });
    const handler: ConnectionHandler = {
      data: (chunk) =>
        splitter.push(chunk, (frame) => {
          const next = this.#waiting.shift();
          if (next === undefined) this.#arrived.push(frame);
          else next.resolve(frame);
          return true;
        }),
      closed: (reason) => {
        this.#isClosed = true;
        const error = reason ?? new NetworkError('ECONNRESET', 'closed by the broker');
        for (let one = this.#waiting.shift(); one !== undefined; one = this.#waiting.shift()) one.reject(error);
        onClosed();
      },
    };
    const options = tls === undefined ? {} : { tls: { ...TLS, material: tls, serverName: host } };
    this.#connection = runtime.network.connect({ host, port: Number(port) }, handler, options);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get tls(): TlsSession | undefined {
    return this.#connection.tls;
  }

  /** What the broker has not read yet, and the network not taken. */
  get unsentBytes(): number {
    return this.#connection.unsentBytes;
  }

  /** Stops reading: the broker's answers pile up. */
  pause(): void {
    this.#connection.pause();
  }

  resume(): void {
    this.#connection.resume();
  }

  close(): void {
    this.#connection.destroy();
  }

  write(bytes: Uint8Array): void {
    this.#connection.write([bytes]);
  }

  /** Sends a request; the answer is decoded in the same version. */
  ask<Q extends Fields, R extends Fields>(
    request: Message<Q>,
    response: Message<R>,
    version: number,
    fields: Partial<Value<Q>>,
  ): Promise<Value<R>> {
    this.write(encodeRequest(request, version, fields));
    return this.#answer((frame) => {
      const from = new Reader(frame);
      codecFor(ResponseHeader, responseHeaderVersion(request.apiKey, version)).read(from);
      return codecFor(response, version).read(from);
    });
  }

  /** The next frame, as it is. */
  nextFrame(): Promise<Slices> {
    return this.#answer((frame) => frame);
  }

  #answer<T>(read: (frame: Slices) => T): Promise<T> {
    const arrived = this.#arrived.shift();
    if (arrived !== undefined) return Promise.resolve(read(arrived));
    return new Promise<T>((resolve, reject) => {
      if (this.#isClosed) reject(new NetworkError('ECONNRESET', 'closed by the broker'));
      else this.#waiting.push({ resolve: (frame) => resolve(read(frame)), reject });
    });
  }
}

/** A whole frame with its length. */
export function encodeRequest<Q extends Fields>(
  request: Message<Q>,
  version: number,
  fields: Partial<Value<Q>>,
): Uint8Array {
  const writer = new Writer();
  const size = writer.placeInt32();
  const header = build(RequestHeader, {
    requestApiKey: request.apiKey,
    requestApiVersion: version,
    correlationId: 7,
    clientId: 'raw',
  });
  codecFor(RequestHeader, requestHeaderVersion(request.apiKey, version)).write(writer, header);
  codecFor(request, version).write(writer, build(request, fields));
  writer.patchInt32(size, writer.size - 4);
  return writer.finishFlat();
}
