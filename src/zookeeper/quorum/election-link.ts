import { present } from '../../base/assert.ts';
import { flatten } from '../../base/slices.ts';
import type { Address, Connection } from '../../runtime/network.ts';
import { MalformedError } from '../../wire/errors.ts';
import { FrameSplitter } from '../../wire/framing.ts';
import { decodeHello, type Hello } from './hello.ts';
import type { AuthExchange } from './quorum-auth.ts';

export interface ElectionLinkEvents {
  /**
   * The peer has said who it is, and has authenticated where that is asked; false closes the connection. Undefined on a connection
   * that we made: nobody greets us there.
   */
  readonly greeted: ((hello: Hello) => boolean) | undefined;
  /** The exchange on a connection that we made is over. */
  readonly authenticated?: () => void;
  readonly received: (message: Uint8Array) => void;
  readonly faulty: (error: MalformedError) => void;
  readonly closed: (link: ElectionLink) => void;
}

const MESSAGE_BYTES_MAX = 512 * 1024;
/** A hello with the longest address. */
const HELLO_BYTES_MAX = 4096;

/** One connection between two election ports: hello, authentication, then messages with their length before them. */
export class ElectionLink {
  readonly #events: ElectionLinkEvents;
  readonly #splitter = new FrameSplitter(MESSAGE_BYTES_MAX);
  #connection: Connection | undefined;
  #unread: Uint8Array | undefined;
  #hello: Hello | undefined;
  /** Comes behind the hello; undefined where there is none, and when it is over. */
  #exchange: AuthExchange | undefined;
  /** Messages follow. */
  #isOpen = false;
  #isClosed = false;
  #isFull = false;

  constructor(events: ElectionLinkEvents) {
    this.#events = events;
  }

  attach(connection: Connection, exchange?: AuthExchange): void {
    this.#connection = connection;
    this.#exchange = exchange;
    this.#isOpen = exchange === undefined && this.#events.greeted === undefined;
  }

  get remote(): Address {
    return present(this.#connection, 'a link is attached first').remote;
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
      const rest = this.#isOpen ? chunk : this.#open(chunk);
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
    // Who will be called back says its hello and no more, and may be none that authenticates.
    if (this.#hello !== undefined && this.#exchange?.isOptional === true) this.#events.greeted?.(this.#hello);
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

  /** The bytes behind hello and authentication; undefined until both are over. */
  #open(chunk: Uint8Array): Uint8Array | undefined {
    let rest: Uint8Array | undefined = chunk;
    if (this.#events.greeted !== undefined && this.#hello === undefined) rest = this.#readHello(rest);
    if (rest !== undefined && this.#exchange !== undefined) rest = this.#exchange.take(rest);
    if (rest === undefined) return undefined;
    this.#isOpen = true;
    this.#exchange = undefined;
    this.#events.authenticated?.();
    if (this.#hello !== undefined && this.#events.greeted?.(this.#hello) === false) this.close();
    return this.#isClosed ? undefined : rest;
  }

  #readHello(chunk: Uint8Array): Uint8Array | undefined {
    const bytes = this.#unread === undefined ? chunk : Buffer.concat([this.#unread, chunk]);
    const found = decodeHello(bytes);
    if (found === undefined) {
      if (bytes.length > HELLO_BYTES_MAX) throw new MalformedError('a hello without end');
      this.#unread = bytes;
      return undefined;
    }
    this.#unread = undefined;
    this.#hello = found.hello;
    return bytes.subarray(found.size);
  }
}
