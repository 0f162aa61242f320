import { connect, type Socket } from 'node:net';
import { FrameSplitter } from '../../src/wire/framing.ts';
import { Reader } from '../../src/wire/reader.ts';
import type { Fields, Message, Value } from '../../src/wire/schema.ts';
import { PeerError } from '../../test/interop/peers/process.ts';
import { answerIn, requestFrame } from './kafka-frames.ts';

const ANSWER_BYTES_MAX = 104_857_600;

/** A connection that stays: requests one after the other. */
export class KafkaLane {
  readonly #socket: Socket;
  readonly #splitter = new FrameSplitter(ANSWER_BYTES_MAX);
  #waiting: { resolve(frame: Reader): void; reject(error: Error): void } | undefined;

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (chunk) => {
      this.#splitter.push(chunk, (frame) => {
        this.#waiting?.resolve(new Reader(frame));
        return true;
      });
    });
    this.#socket.on('error', (error) => this.#waiting?.reject(error));
    this.#socket.on('close', () => this.#waiting?.reject(new PeerError('closed before the answer')));
  }

  async ask<Q extends Fields, A extends Fields>(
    [request, response]: readonly [Message<Q>, Message<A>],
    version: number,
    given: Partial<Value<Q>>,
  ): Promise<Value<A>> {
    return answerIn(await this.send(requestFrame(request, version, given)), [request, response], version);
  }

  /** @param bytes a frame, or the beginning of one that gets no answer */
  send(bytes: Uint8Array): Promise<Reader> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(bytes);
    });
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }
}
