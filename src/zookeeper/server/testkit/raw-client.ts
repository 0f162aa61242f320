import { flatten } from '../../../base/slices.ts';
import type { Connection, ConnectionHandler, ConnectOptions, NetworkError } from '../../../runtime/network.ts';
import type { Runtime } from '../../../runtime/runtime.ts';
import { FrameSplitter } from '../../../wire/framing.ts';
import { Reader } from '../../../wire/reader.ts';
import { Writer } from '../../../wire/writer.ts';
import { Xid } from '../../jute/op-codes.ts';
import { ConnectRequest, ConnectResponse, ReplyHeader, WatcherEvent } from '../../jute/proto.ts';

export interface RawReply {
  readonly xid: number;
  readonly zxid: bigint;
  readonly err: number;
  readonly body: Uint8Array;
}

export interface Hello {
  readonly sessionId?: bigint;
  readonly passwd?: Uint8Array;
  readonly timeOut?: number;
  readonly lastZxidSeen?: bigint;
  /** Undefined leaves the byte out. */
  readonly readOnly?: boolean | undefined;
}

/**
 * A client that does what the test says and nothing else: no pings, no reconnect, frames as they are. It keeps everything it
 * heard in order.
 */
export class RawClient {
  readonly connection: Connection;
  /** Replies and events in the order of arrival. */
  readonly heard: RawReply[] = [];
  /** Bytes outside of frames: answers to four-letter words. */
  text = '';
  session: ConnectResponse | undefined;
  isConnected = false;
  isClosed = false;
  closedBy: NetworkError | undefined;
  #expectsText = false;
  #nextXid = 1;
  readonly #splitter = new FrameSplitter(64 * 1024 * 1024);

  constructor(runtime: Runtime, server: { readonly host: string; readonly port: number }, options?: ConnectOptions) {
    const handler: ConnectionHandler = {
      connected: () => {
        this.isConnected = true;
      },
      data: (chunk) => this.#take(chunk),
      closed: (reason) => {
        this.isClosed = true;
        this.closedBy = reason;
      },
    };
    this.connection = runtime.network.connect(server, handler, options);
  }

  hello(hello: Hello = {}): void {
    this.connection.write([helloFrame(hello)]);
  }

  word(text: string): void {
    this.#expectsText = true;
    this.connection.write([Buffer.from(text)]);
  }

  /** Sends a request; answers its xid. */
  send(type: number, body: (to: Writer) => void = () => undefined, xid = this.#nextXid++): number {
    this.connection.write([requestFrame(xid, type, body)]);
    return xid;
  }

  /** Several requests in one write. */
  sendTogether(requests: readonly { readonly type: number; readonly body: (to: Writer) => void }[]): number[] {
    const first = this.#nextXid;
    const frames = requests.map(({ type, body }) => requestFrame(this.#nextXid++, type, body));
    this.connection.write([Buffer.concat(frames)]);
    return frames.map((_, index) => first + index);
  }

  raw(bytes: Uint8Array): void {
    this.connection.write([bytes]);
  }

  reply(xid: number): RawReply | undefined {
    return this.heard.find((reply) => reply.xid === xid);
  }

  get events(): { type: number; path: string; zxid: bigint }[] {
    return this.heard
      .filter(({ xid }) => xid === Xid.notification)
      .map(({ body, zxid }) => {
        const { type, path } = WatcherEvent.read(new Reader(body));
        return { type, path, zxid };
      });
  }

  #take(chunk: Uint8Array): void {
    if (this.#expectsText) {
      this.text += Buffer.from(chunk).toString();
      return;
    }
    this.#splitter.push(chunk, (frame) => {
      const bytes = flatten(frame);
      const from = new Reader(bytes);
      if (this.session === undefined) {
        this.session = ConnectResponse.read(from);
      } else {
        const { xid, zxid, err } = ReplyHeader.read(from);
        this.heard.push({ xid, zxid, err, body: bytes.slice(16) });
      }
      return true;
    });
  }
}

export function helloFrame({
  sessionId = 0n,
  passwd = new Uint8Array(16),
  timeOut = 10_000,
  lastZxidSeen = 0n,
  ...rest
}: Hello = {}): Uint8Array {
  const readOnly = 'readOnly' in rest ? rest.readOnly : false;
  return frameOf((to) =>
    ConnectRequest.write(to, { protocolVersion: 0, lastZxidSeen, timeOut, sessionId, passwd, readOnly }),
  );
}

export function requestFrame(xid: number, type: number, body: (to: Writer) => void): Uint8Array {
  return frameOf((to) => {
    to.int32(xid);
    to.int32(type);
    body(to);
  });
}

function frameOf(write: (to: Writer) => void): Uint8Array {
  const writer = new Writer();
  const size = writer.placeInt32();
  write(writer);
  writer.patchInt32(size, writer.size - 4);
  return writer.finishFlat();
}
