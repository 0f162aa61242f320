/** Sends one request in one version and decodes the answer, without any client's opinion. */
import { connect } from 'node:net';
import type { Slices } from '../../../src/base/slices.ts';
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
import { build, type Fields, type Message } from '../../../src/wire/schema.ts';
import { Writer } from '../../../src/wire/writer.ts';
import { PATIENCE_MS } from '../peers/process.ts';

export type Answer = Record<string, unknown>;

/** The decoded body; 'closed' when the broker closes the connection instead. */
export function ask(
  port: number,
  apiKey: number,
  version: number,
  fields: object,
  { localAddress = '127.0.0.1' }: { readonly localAddress?: string } = {},
): Promise<Answer | 'closed'> {
  const api = apis.get(apiKey);
  if (api === undefined) return Promise.reject(new RangeError(`api key ${apiKey}`));
  const request = encodeRequest(apiKey, version, fields);
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    const splitter = new FrameSplitter(100 << 20);
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new RangeError(`port ${port} did not answer ${api.name} v${version}`));
    }, PATIENCE_MS);
    const finish = (answer: Answer | 'closed'): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    socket.on('data', (chunk) => {
      splitter.push(chunk, (frame) => {
        finish(decodeAnswer(apiKey, version, frame));
        return false;
      });
    });
    socket.on('close', () => finish('closed'));
    socket.on('error', () => finish('closed'));
    for (const part of request.chunks) socket.write(part);
  });
}

/** A whole frame with its length. */
export function encodeRequest(apiKey: number, version: number, fields: object): Slices {
  const { request: schema } = apiOf(apiKey);
  const writer = new Writer();
  const size = writer.placeInt32();
  const header = build(RequestHeader, {
    requestApiKey: apiKey,
    requestApiVersion: version,
    correlationId: 1,
    clientId: 'differential',
  });
  codecFor(RequestHeader, requestHeaderVersion(apiKey, version)).write(writer, header);
  codecFor(schema, version).write(writer, build(schema, fields) as never);
  writer.patchInt32(size, writer.size - 4);
  return writer.finish();
}

/** The body of an answer's frame; every byte of it must be accounted for. */
export function decodeAnswer(apiKey: number, version: number, frame: Slices): Answer {
  const { response: schema } = apiOf(apiKey);
  const from = new Reader(frame);
  codecFor(ResponseHeader, responseHeaderVersion(apiKey, version)).read(from);
  const answer = codecFor(schema, version).read(from) as Answer;
  if (from.remaining > 0) throw new RangeError(`${from.remaining} bytes after ${schema.name} v${version}`);
  return answer;
}

function apiOf(apiKey: number): { readonly request: Message<Fields>; readonly response: Message<Fields> } {
  const api = apis.get(apiKey);
  if (api === undefined) throw new RangeError(`api key ${apiKey}`);
  return api;
}
