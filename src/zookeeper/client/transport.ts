import { Deque } from '../../base/deque.ts';
import type { Slices } from '../../base/slices.ts';
import type { Timer } from '../../runtime/clock.ts';
import { type Address, type Connection, type ConnectionHandler, NetworkError } from '../../runtime/network.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { ClientTls } from '../../runtime/tls.ts';
import { MalformedError } from '../../wire/errors.ts';
import { FrameSplitter } from '../../wire/framing.ts';
import { Reader } from '../../wire/reader.ts';
import { OpCode, Xid } from '../jute/op-codes.ts';
import { ConnectRequest, ConnectResponse, ReplyHeader } from '../jute/proto.ts';
import { encodeRecord, encodeRequest } from './frames.ts';

export interface TransportOptions {
  readonly address: Address;
  readonly tls: ClientTls | undefined;
  readonly hello: ConnectRequest;
  /** From the call to connect until the session is confirmed. */
  readonly connectTimeoutMs: number;
  readonly frameSizeMax: number;
}

/** Who uses a connection. After `lost` nothing more is called, and nothing at all after `drop`. */
export interface TransportOwner {
  /** The server answered the handshake; `timeOut` 0 means that it knows no such session. */
  established(response: ConnectResponse): void;
  /** Replies and events in the server's order. */
  received(header: ReplyHeader, body: Reader): void;
  drained(): void;
  lost(reason: Error): void;
}

/** Nothing is sent for this long, however long the session's timeout is (ClientCnxn.SendThread). */
const PING_INTERVAL_MS_MAX = 10_000;

/**
 * One connection to one server: handshake, frames, pings, and the judgement that the server is gone.
 *
 *   connecting ── response ──▶ established ── silence, reset, malformed ──▶ lost
 */
export class Transport {
  readonly #runtime: Runtime;
  readonly #options: TransportOptions;
  readonly #connection: Connection;
  readonly #splitter: FrameSplitter;
  readonly #inbox = new Deque<Slices>();
  /** Undefined once lost or dropped. */
  #owner: TransportOwner | undefined;
  #established = false;
  #timer: Timer | undefined;
  #readTimeoutMs: number;
  #pingIntervalMs = PING_INTERVAL_MS_MAX;
  #lastHeardMs: number;
  #lastSentMs: number;
  /** Replies were handed out in this turn of the loop: their promises' continuations have not run yet. */
  #repliesThisTurn = false;
  /** Delivery goes on in a later turn. */
  #resumes = false;
  #closedBy: Error | undefined;

  constructor(runtime: Runtime, options: TransportOptions, owner: TransportOwner) {
    this.#runtime = runtime;
    this.#options = options;
    this.#owner = owner;
    this.#splitter = new FrameSplitter(options.frameSizeMax);
    this.#readTimeoutMs = options.connectTimeoutMs;
    this.#lastHeardMs = runtime.clock.monotonicMs();
    this.#lastSentMs = this.#lastHeardMs;
    const handler: ConnectionHandler = {
      connected: () => this.#greet(),
      data: (chunk) => this.#take(chunk),
      drained: () => this.#owner?.drained(),
      closed: (reason) => this.#close(reason ?? new NetworkError('ECONNRESET', 'the server closed the connection')),
    };
    this.#connection = runtime.network.connect(options.address, handler, { tls: options.tls });
    this.#arm();
  }

  /** Monotonic time at which the server was last heard. */
  get lastHeardMs(): number {
    return this.#lastHeardMs;
  }

  get local(): Address {
    return this.#connection.local;
  }

  /** Answers false when the server reads too slowly: `drained` follows. */
  send(frames: readonly Uint8Array[]): boolean {
    this.#lastSentMs = this.#runtime.clock.monotonicMs();
    return this.#connection.write(frames);
  }

  /** Closes without a further word to the owner. */
  drop(): void {
    this.#owner = undefined;
    this.#timer?.cancel();
    this.#inbox.clear();
    this.#connection.destroy();
  }

  #greet(): void {
    if (this.#owner === undefined) return;
    this.send([encodeRecord(ConnectRequest, this.#options.hello)]);
  }

  #take(chunk: Uint8Array): void {
    if (this.#owner === undefined) return;
    this.#lastHeardMs = this.#runtime.clock.monotonicMs();
    this.#repliesThisTurn = false;
    try {
      this.#splitter.push(chunk, (frame) => {
        this.#inbox.push(frame);
        return true;
      });
    } catch (error) {
      this.#closedBy = asMalformed(error);
    }
    this.#deliver();
  }

  /**
   * Hands out what has arrived. A reply settles a promise, whose continuation runs only when we return to the loop; so an event
   * behind a reply waits for the next turn, or it would be seen before that reply.
   */
  #deliver(): void {
    if (this.#resumes) return;
    for (let frame = this.#inbox.peek(); frame !== undefined && this.#owner !== undefined; frame = this.#inbox.peek()) {
      if (this.#repliesThisTurn && isEvent(frame)) {
        this.#resumeLater();
        return;
      }
      this.#inbox.shift();
      try {
        this.#handle(frame);
      } catch (error) {
        this.#lose(asMalformed(error));
      }
    }
    if (this.#closedBy !== undefined) this.#lose(this.#closedBy);
  }

  #resumeLater(): void {
    this.#resumes = true;
    this.#connection.pause();
    this.#runtime.clock.soon(() => {
      this.#resumes = false;
      this.#repliesThisTurn = false;
      if (this.#owner === undefined) return;
      this.#connection.resume();
      this.#deliver();
    });
  }

  #handle(frame: Slices): void {
    const reader = new Reader(frame);
    if (!this.#established) {
      this.#establish(ConnectResponse.read(reader));
      return;
    }
    const header = ReplyHeader.read(reader);
    if (header.xid === Xid.ping) return;
    if (header.xid !== Xid.notification) this.#repliesThisTurn = true;
    this.#owner?.received(header, reader);
  }

  #establish(response: ConnectResponse): void {
    this.#established = true;
    if (response.timeOut > 0) {
      this.#readTimeoutMs = (response.timeOut * 2) / 3;
      this.#pingIntervalMs = pingIntervalOf(this.#readTimeoutMs);
      this.#arm();
    }
    this.#owner?.established(response);
  }

  /** One timer for the two deadlines: the next ping, and the end of patience. */
  #arm(): void {
    this.#timer?.cancel();
    const nowMs = this.#runtime.clock.monotonicMs();
    const silentMs = this.#lastHeardMs + this.#readTimeoutMs - nowMs;
    const pingMs = this.#established ? this.#lastSentMs + this.#pingIntervalMs - nowMs : Infinity;
    this.#timer = this.#runtime.clock.after(Math.max(0, Math.min(silentMs, pingMs)), () => this.#checkDeadlines());
  }

  #checkDeadlines(): void {
    if (this.#owner === undefined) return;
    const nowMs = this.#runtime.clock.monotonicMs();
    if (nowMs - this.#lastHeardMs >= this.#readTimeoutMs) {
      // After a stall of ours the answer may wait in the kernel: it counts.
      this.#runtime.clock.afterPoll(() => this.#judgeSilence());
      return;
    }
    if (this.#established && nowMs - this.#lastSentMs >= this.#pingIntervalMs) {
      this.send([encodeRequest(Xid.ping, OpCode.ping)]);
    }
    this.#arm();
  }

  #judgeSilence(): void {
    if (this.#owner === undefined) return;
    const silentMs = this.#runtime.clock.monotonicMs() - this.#lastHeardMs;
    if (silentMs < this.#readTimeoutMs) this.#arm();
    else this.#lose(new NetworkError('ETIMEDOUT', `the server was silent for ${Math.round(silentMs)} ms`));
  }

  /** The connection is closed; what arrived before still counts. */
  #close(reason: Error): void {
    if (this.#owner === undefined) return;
    this.#closedBy ??= reason;
    this.#deliver();
  }

  #lose(reason: Error): void {
    const owner = this.#owner;
    if (owner === undefined) return;
    this.drop();
    owner.lost(reason);
  }
}

/** Ping a little before half the read timeout, so that a ping that gets lost leaves time for a second. */
function pingIntervalOf(readTimeoutMs: number): number {
  const half = readTimeoutMs / 2;
  return Math.min(half > 2000 ? half - 1000 : half, PING_INTERVAL_MS_MAX);
}

/** The first four bytes of a reply or an event are its xid. */
function isEvent(frame: Slices): boolean {
  return frame.size >= 4 && new Reader(frame).int32() === Xid.notification;
}

/** What the server sent could not be read: its fault, and the end of this connection. Anything else is ours. */
function asMalformed(error: unknown): MalformedError {
  if (error instanceof MalformedError) return error;
  throw error;
}
