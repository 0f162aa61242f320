/** Kafka requests as bytes, encoded before the clock runs; and one request asked for its answer. */
import { connect } from 'node:net';
import { RequestHeader, requestHeaderVersion, responseHeaderVersion } from '../../src/kafka/protocol/headers.ts';
import { ProduceRequest } from '../../src/kafka/protocol/messages/00-produce.ts';
import { FetchRequest } from '../../src/kafka/protocol/messages/01-fetch.ts';
import type { CodecName } from '../../src/kafka/records/batch.ts';
import { buildBatch } from '../../src/kafka/records/builder.ts';
import { codecFor } from '../../src/wire/codec.ts';
import { Reader } from '../../src/wire/reader.ts';
import { build, type Fields, type Message, type Value } from '../../src/wire/schema.ts';
import { Writer } from '../../src/wire/writer.ts';
import { PeerError } from '../../test/interop/peers/process.ts';

const PRODUCE_VERSION = 9;
const FETCH_VERSION = 12;

/** With the length prefix. */
export function requestFrame<F extends Fields>(schema: Message<F>, version: number, given: Partial<Value<F>>): Buffer {
  const writer = new Writer();
  const place = writer.placeInt32();
  codecFor(RequestHeader, requestHeaderVersion(schema.apiKey, version)).write(writer, {
    requestApiKey: schema.apiKey,
    requestApiVersion: version,
    correlationId: 1,
    clientId: 'bench',
  });
  codecFor(schema, version).write(writer, build(schema, given));
  writer.patchInt32(place, writer.size - 4);
  return Buffer.from(writer.finishFlat());
}

export interface ProduceShape {
  readonly topic: string;
  readonly partitions: readonly number[];
  readonly recordsPerPartition: number;
  readonly valueBytes: number;
  /** Default `none`. */
  readonly codec?: CodecName;
}

/** acks=all, one batch for each partition. */
export function produceFrame(shape: ProduceShape): Buffer {
  const { topic, partitions, recordsPerPartition, valueBytes, codec = 'none' } = shape;
  const timestamp = Date.now();
  const records = Array.from({ length: recordsPerPartition }, (_, index) => ({
    timestamp,
    value: codec === 'none' ? Buffer.alloc(valueBytes, 97 + (index % 26)) : textOf(index, valueBytes),
  }));
  return requestFrame(ProduceRequest, PRODUCE_VERSION, {
    acks: -1,
    timeoutMs: 30_000,
    topicData: [
      {
        name: topic,
        topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
        partitionData: partitions.map((index) => ({ index, records: buildBatch({ records, codec }) })),
      },
    ],
  });
}

/** Digits without a pattern, which compress to about half. */
function textOf(seed: number, size: number): Buffer {
  let text = '';
  for (let state = seed + 1; text.length < size; ) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    text += state;
  }
  return Buffer.from(text.slice(0, size));
}

/** Where the first partition's error code stands in a Produce answer with one-byte lengths. */
export function produceErrorAt(topic: string): number {
  return 12 + topic.length;
}

export function fetchFrame(topic: string, fetchOffset: number, maxBytes: number, version = FETCH_VERSION): Buffer {
  const blank = { currentLeaderEpoch: -1, lastFetchedEpoch: -1, logStartOffset: -1, highWatermark: Infinity };
  const partition = {
    ...blank,
    partition: 0,
    fetchOffset,
    partitionMaxBytes: maxBytes,
    replicaDirectoryId: 'AAAAAAAAAAAAAAAAAAAAAA',
  };
  return requestFrame(FetchRequest, version, {
    maxWaitMs: 500,
    minBytes: 1,
    maxBytes,
    topics: [{ topic, topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partitions: [partition] }],
  });
}

/** In v3 and v12 it is the same place. */
export function fetchErrorAt(topic: string): number {
  return 22 + topic.length;
}

/** Sends one frame, answers the first frame that comes back, without its length. */
export function exchange(port: number, frame: Uint8Array, hello?: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    let helloLeft = hello === undefined ? 0 : 1;
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(hello ?? frame));
    socket.setTimeout(60_000, () => socket.destroy(new PeerError('no answer within a minute')));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
        const answer = received.subarray(4, 4 + received.readInt32BE(0));
        received = received.subarray(4 + answer.length);
        if (helloLeft > 0) {
          helloLeft -= 1;
          socket.write(frame);
          continue;
        }
        socket.destroy();
        return resolve(answer);
      }
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new PeerError('closed before the answer')));
  });
}

export async function ask<Q extends Fields, A extends Fields>(
  port: number,
  [request, response]: readonly [Message<Q>, Message<A>],
  version: number,
  given: Partial<Value<Q>>,
): Promise<Value<A>> {
  return answerIn(
    new Reader(await exchange(port, requestFrame(request, version, given))),
    [request, response],
    version,
  );
}

/** What a frame behind its length says. */
export function answerIn<Q extends Fields, A extends Fields>(
  reader: Reader,
  [request, response]: readonly [Message<Q>, Message<A>],
  version: number,
): Value<A> {
  reader.skip(responseHeaderVersion(request.apiKey, version) === 1 ? 5 : 4);
  return codecFor(response, version).read(reader);
}
