/** A connection that stays, of a client with a name of its own: quotas count by it. */
import { connect, type Socket } from 'node:net';
import { apis } from '../../../src/kafka/protocol/apis.ts';
import {
  RequestHeader,
  ResponseHeader,
  requestHeaderVersion,
  responseHeaderVersion,
} from '../../../src/kafka/protocol/headers.ts';
import { codecFor } from '../../../src/wire/codec.ts';
import { FrameSplitter } from '../../../src/wire/framing.ts';
import { Reader } from '../../../src/wire/reader.ts';
import { build } from '../../../src/wire/schema.ts';
import { Writer } from '../../../src/wire/writer.ts';

export class NamedClient {
  readonly #socket: Socket;
  readonly #clientId: string;
  #waiting: ((answer: Reader) => void) | undefined;

  constructor(port: number, clientId: string, localAddress = '127.0.0.1') {
    this.#clientId = clientId;
    this.#socket = connect({ port, host: '127.0.0.1', localAddress });
    const splitter = new FrameSplitter(100 << 20);
    this.#socket.on('data', (chunk) => {
      splitter.push(chunk, (frame) => {
        this.#waiting?.(new Reader(frame));
        return true;
      });
    });
  }

  /** One request after the other. */
  ask<T>(apiKey: number, version: number, fields: object): Promise<T> {
    const api = apis.get(apiKey);
    if (api === undefined) return Promise.reject(new RangeError(`api key ${apiKey}`));
    const writer = new Writer();
    const size = writer.placeInt32();
    const header = { requestApiKey: apiKey, requestApiVersion: version, correlationId: 1, clientId: this.#clientId };
    codecFor(RequestHeader, requestHeaderVersion(apiKey, version)).write(writer, build(RequestHeader, header));
    codecFor(api.request, version).write(writer, build(api.request, fields) as never);
    writer.patchInt32(size, writer.size - 4);
    return new Promise((resolve, reject) => {
      this.#socket.once('close', () => reject(new RangeError(`no answer to ${api.name} v${version}`)));
      this.#waiting = (from) => {
        codecFor(ResponseHeader, responseHeaderVersion(apiKey, version)).read(from);
        resolve(codecFor(api.response, version).read(from) as T);
      };
      for (const part of writer.finish().chunks) this.#socket.write(part);
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}
