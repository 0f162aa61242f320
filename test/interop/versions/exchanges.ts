/** What a recording proxy saw, read as Kafka's requests with their answers. */
import { ApiKey } from '../../../src/kafka/protocol/api-keys.ts';
import { apis } from '../../../src/kafka/protocol/apis.ts';
import { ErrorCode } from '../../../src/kafka/protocol/errors.ts';
import { ResponseHeader, responseHeaderVersion } from '../../../src/kafka/protocol/headers.ts';
import { codecFor } from '../../../src/wire/codec.ts';
import { Reader } from '../../../src/wire/reader.ts';
import type { Frame } from '../peers/capture.ts';

export interface Question {
  readonly apiKey: number;
  readonly version: number;
}

export interface Exchange extends Question {
  /** The error codes anywhere in the answer. */
  readonly errors: readonly number[];
}

/** Given every frame in order, tells for an answer which request it answers. */
export function followQuestions(): (frame: Frame) => Question | undefined {
  const open = new Map<string, Question>();
  return ({ connection, direction, bytes }) => {
    if (direction === '>') {
      const question = { apiKey: bytes.readInt16BE(0), version: bytes.readInt16BE(2) };
      open.set(`${connection} ${bytes.readInt32BE(4)}`, question);
      return undefined;
    }
    const question = open.get(`${connection} ${bytes.readInt32BE(0)}`);
    if (question === undefined) throw new RangeError(`an answer without a question on connection ${connection}`);
    return question;
  };
}

/** Every request that was answered, in the order of the answers. */
export function exchangesOf(frames: readonly Frame[]): Exchange[] {
  const questionOf = followQuestions();
  return frames.flatMap((frame) => {
    const question = questionOf(frame);
    return question === undefined ? [] : { ...question, errors: errorsOf(decodeAnswer(question, frame.bytes).answer) };
  });
}

/** @returns the version that the answer is written in, too: ApiVersions refuses a version in version 0 (KIP-511) */
export function decodeAnswer(
  { apiKey, version }: Question,
  bytes: Buffer,
): { readonly writtenIn: number; readonly answer: unknown } {
  const api = apis.get(apiKey);
  if (api === undefined) throw new RangeError(`api key ${apiKey}`);
  const refused = apiKey === ApiKey.ApiVersions && bytes.readInt16BE(4) === ErrorCode.UNSUPPORTED_VERSION;
  const writtenIn = refused ? 0 : version;
  const from = new Reader(bytes);
  codecFor(ResponseHeader, responseHeaderVersion(apiKey, writtenIn)).read(from);
  const answer = codecFor(api.response, writtenIn).read(from);
  if (from.remaining > 0) throw new RangeError(`${from.remaining} bytes after ${api.name} v${writtenIn}`);
  return { writtenIn, answer };
}

function errorsOf(value: unknown): number[] {
  if (Array.isArray(value)) return value.flatMap(errorsOf);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, field]) => {
    if (name === 'errorCode') return field === 0 ? [] : [Number(field)];
    return errorsOf(field);
  });
}
