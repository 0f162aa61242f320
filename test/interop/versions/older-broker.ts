import { flatten } from '../../../src/base/slices.ts';
import { ApiKey } from '../../../src/kafka/protocol/api-keys.ts';
import { ApiVersionsResponse } from '../../../src/kafka/protocol/messages/18-api-versions.ts';
import { codecFor } from '../../../src/wire/codec.ts';
import type { Infer } from '../../../src/wire/schema.ts';
import { Writer } from '../../../src/wire/writer.ts';
import type { Frame } from '../peers/capture.ts';
import { decodeAnswer, followQuestions } from './exchanges.ts';

/**
 * For a proxy's `rewrite`: the broker behind it seems to end at these versions, by API key. A client takes the newest version
 * that both sides speak, so this is how one of today is made to speak those in between.
 */
export function endingAt(newest: ReadonlyMap<number, number>): (frame: Frame) => Buffer {
  const questionOf = followQuestions();
  return (frame) => {
    const question = questionOf(frame);
    if (question?.apiKey !== ApiKey.ApiVersions) return frame.bytes;
    const { writtenIn, answer } = decodeAnswer(question, frame.bytes);
    const full = answer as Infer<typeof ApiVersionsResponse>;
    const apiKeys = full.apiKeys.map((api) => ({
      ...api,
      maxVersion: Math.min(api.maxVersion, newest.get(api.apiKey) ?? api.maxVersion),
    }));
    const writer = new Writer();
    codecFor(ApiVersionsResponse, writtenIn).write(writer, { ...full, apiKeys });
    return Buffer.concat([frame.bytes.subarray(0, CORRELATION_ID_SIZE), flatten(writer.finish())]);
  };
}

/** The whole header of every answer to ApiVersions. */
const CORRELATION_ID_SIZE = 4;
