import { flatten } from '../../base/slices.ts';
import type { Connection } from '../../runtime/network.ts';
import { MalformedError } from '../../wire/errors.ts';
import { FrameSplitter } from '../../wire/framing.ts';
import { decodeHello, type Hello } from './hello.ts';

export interface ElectionLinkEvents {
  /** A hello is awaited before anything else; false closes the connection. Undefined on a connection that we made: nothing is said back. */
  readonly greeted: ((hello: Hello) => boolean) | undefined;
  readonly received: (message: Uint8Array) => void;
  readonly faulty: (error: MalformedError) => void;
  readonly closed: (link: ElectionLink) => void;
}

const MESSAGE_BYTES_MAX = 512 * 1024;
/** A hello with the longest address. */
const HELLO_BYTES_MAX = 4096;

/** One connection between two election ports: hello, then messages with their length before them. */
export class ElectionLink {
  readonly #events: ElectionLinkEvents;
  readonly #splitter = new FrameSplitter(MESSAGE_BYTES_MAX);
  #connection: Connection | undefined;
  #unread: Uint8Array | undefined;
  #isGreeted: boolean;
  #isClosed = false;
  #isFull = false;

  constructor(events: ElectionLinkEvents) {
    this.#events = events;
    this.#isGreeted = events.greeted === undefined;
  }

  attach(connection: Connection): void {
    this.#connection = connection;
  }

  /** False if the peer reads too slowly: wait for `drained`. */
  send(message: Uint8Array): boolean {
    if (this.#isClosed || this.#isFull || this.#connection === undefined) return false;
    const length = Buffer.alloc(4);
    length.writeInt32BE(message.length);
    this.#isFull = !this.#connection.write([length, message]);
    return true;
  }

  drained(): void {
    this.#isFull = false;
  }

  data(chunk: Uint8Array): void {
    if (this.#isClosed) return;
    try {
      const rest = this.#isGreeted ? chunk : this.#greet(chunk);
      if (rest !== undefined) this.#splitter.push(rest, this.#onFrame);
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      this.#events.faulty(error);
      this.close();
    }
  }

  closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#events.closed(this);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#connection?.destroy();
    this.closed();
  }

  readonly #onFrame = (frame: Parameters<Parameters<FrameSplitter['push']>[1]>[0]): boolean => {
    const message = flatten(frame);
    if (message.length === 0) throw new MalformedError('a message of 0 bytes');
    this.#events.received(message);
    return !this.#isClosed;
  };

  #greet(chunk: Uint8Array): Uint8Array | undefined {
    const bytes = this.#unread === undefined ? chunk : Buffer.concat([this.#unread, chunk]);
    const found = decodeHello(bytes);
    if (found === undefined) {
      if (bytes.length > HELLO_BYTES_MAX) throw new MalformedError('a hello without end');
      this.#unread = bytes;
      return undefined;
    }
    this.#unread = undefined;
    this.#isGreeted = true;
    if (this.#events.greeted?.(found.hello) === false) {
      this.close();
      return undefined;
    }
    return bytes.subarray(found.size);
  }
}
