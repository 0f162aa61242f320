import { assert, present } from '../../base/assert.ts';
import { Deque } from '../../base/deque.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Connection, ConnectionHandler, NetworkError } from '../../runtime/network.ts';
import { MalformedError } from '../../wire/errors.ts';
import { Writer } from '../../wire/writer.ts';
import { PacketSplitter } from './packet-splitter.ts';
import type { AuthExchange } from './quorum-auth.ts';
import { type QuorumPacket, writePacket } from './quorum-packet.ts';

export interface PeerLinkEvents {
  /** A connection that we make is there, and we have authenticated where that is asked. */
  connected?(): void;
  /** The packet's data is a view on what the socket brought. May call anything of the link. */
  received(packet: QuorumPacket): void;
  /** The peer sent what it must not, or `received` found so by throwing MalformedError; the link is closing. */
  faulty(error: MalformedError): void;
  /** Always the last, also after `close` and `faulty`; on a later turn than these. */
  closed(reason?: NetworkError): void;
}

export interface PeerLinkOptions {
  readonly clock: Pick<Clock, 'soon'>;
  /** Of a field of a packet, in bytes: `jute.maxbuffer` and `zookeeper.jute.maxbuffer.extrasize` together. */
  readonly sizeMax: number;
  readonly events: PeerLinkEvents;
}

interface Stream {
  readonly next: () => Uint8Array | undefined;
  readonly done: () => void;
}

/** While the link is held and so much waits, the socket is not read. */
const HELD_BYTES_MAX = 256 * 1024;
const OUT_SIZE_HINT_MAX = 64 * 1024;

/**
 * One connection between two peer ports: quorum packets both ways, and where the protocol has them, bytes without packets. What
 * one turn of the event loop sends leaves in one write.
 */
export class PeerLink implements ConnectionHandler {
  readonly #clock: Pick<Clock, 'soon'>;
  readonly #events: PeerLinkEvents;
  readonly #splitter: PacketSplitter;
  #connection: Connection | undefined;
  /** Undefined where there is none, and when it is over. */
  #exchange: AuthExchange | undefined;
  #isClosed = false;
  /** What waits for the end of the turn, or of the stream. */
  #out: Writer | undefined;
  #outSizeHint = 512;
  #isFlushScheduled = false;
  #stream: Stream | undefined;
  #peerIsSlow = false;
  /** What arrived and was not looked at: the rest of a chunk, then whole chunks. */
  #rest: Uint8Array | undefined;
  readonly #waiting = new Deque<Uint8Array>();
  #waitingBytes = 0;
  #takeRaw: ((chunk: Uint8Array) => Uint8Array | undefined) | undefined;
  #isHeld = false;
  #isDelivering = false;
  #isPaused = false;

  constructor({ clock, sizeMax, events }: PeerLinkOptions) {
    this.#clock = clock;
    this.#events = events;
    this.#splitter = new PacketSplitter(sizeMax);
  }

  /**
   * Before anything else. The link is the handler of this connection.
   * @param exchange comes before the packets (QuorumAuth); what is sent meanwhile waits
   */
  attach(connection: Connection, exchange?: AuthExchange): void {
    this.#connection = connection;
    if (exchange === undefined) return;
    this.#exchange = exchange;
    this.#takeRaw = (chunk) => this.#authenticate(exchange, chunk);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** What was sent and the system has not taken, in bytes. */
  get unsentBytes(): number {
    return (this.#connection?.unsentBytes ?? 0) + (this.#out?.size ?? 0);
  }

  // ---------------------------------------------------------------- sending

  /** Also before the connection is there. Order is kept over all ways of sending. */
  send(packet: QuorumPacket): void {
    if (this.#isClosed) return;
    writePacket(this.#gather(), packet);
  }

  /** A packet by `encodePacket`, which must not be changed any more: encoded once for many peers. */
  sendPrepared(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    this.#gather().slices({ chunks: [bytes], size: bytes.length });
  }

  /**
   * Sends what `next` gives, a piece at a turn and as the peer takes them, until it gives undefined; then `done` is called, unless
   * the link was closed. What is sent meanwhile leaves behind the stream. One at a time.
   */
  sendStream(next: () => Uint8Array | undefined, done: () => void): void {
    if (this.#isClosed) return;
    assert(this.#stream === undefined, 'a link sends one stream at a time');
    assert(this.#exchange === undefined, 'a stream is asked for by a peer that has authenticated');
    this.#flush();
    this.#stream = { next, done };
    if (!this.#peerIsSlow) this.#clock.soon(this.#sendPiece);
  }

  // ---------------------------------------------------------------- receiving

  /**
   * The bytes behind the packet that `received` has just been given go to `take`, until it answers those that are not its own,
   * possibly none: packets follow again. To be called inside `received`, or while the link has been held since then.
   */
  receiveRaw(take: (chunk: Uint8Array) => Uint8Array | undefined): void {
    assert(this.#splitter.isBetweenPackets, 'raw bytes begin behind a packet');
    this.#takeRaw = take;
  }

  /** What arrives waits, from the next packet on. */
  hold(): void {
    this.#isHeld = true;
  }

  /** What waits is delivered before this returns, or as soon as the delivery under way goes on. */
  release(): void {
    this.#isHeld = false;
    this.#deliver();
  }

  /** At once; what is unsent may be lost. */
  close(): void {
    if (this.#isClosed) return;
    this.#drop();
    this.#connection?.destroy();
  }

  // ---------------------------------------------------------------- the connection's events

  connected(): void {
    if (this.#isClosed) return;
    if (this.#exchange === undefined) this.#events.connected?.();
    else this.#exchange.begin?.();
  }

  data(chunk: Uint8Array): void {
    if (this.#isClosed) return;
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    this.#deliver();
  }

  drained(): void {
    this.#peerIsSlow = false;
    if (this.#stream !== undefined) this.#sendPiece();
  }

  closed(reason?: NetworkError): void {
    this.#drop();
    this.#events.closed(reason);
  }

  // ---------------------------------------------------------------- inside

  #gather(): Writer {
    this.#out ??= new Writer(this.#outSizeHint);
    this.#scheduleFlush();
    return this.#out;
  }

  /** Something goes before what was gathered. */
  get #mustWait(): boolean {
    return this.#stream !== undefined || this.#exchange !== undefined;
  }

  #scheduleFlush(): void {
    if (this.#isFlushScheduled || this.#mustWait) return;
    this.#isFlushScheduled = true;
    this.#clock.soon(this.#flushSoon);
  }

  readonly #flushSoon = (): void => {
    this.#isFlushScheduled = false;
    if (!this.#mustWait) this.#flush();
  };

  #flush(): void {
    const out = this.#out;
    if (out === undefined) return;
    this.#out = undefined;
    const { chunks, size } = out.finish();
    this.#outSizeHint = Math.min(Math.max(size + 64, 512), OUT_SIZE_HINT_MAX);
    this.#write(chunks);
  }

  #write(chunks: readonly Uint8Array[]): void {
    if (!present(this.#connection, 'a link is attached before it sends').write(chunks)) this.#peerIsSlow = true;
  }

  readonly #sendPiece = (): void => {
    const stream = this.#stream;
    if (stream === undefined) return;
    const piece = stream.next();
    if (this.#isClosed) return;
    if (piece === undefined) {
      this.#stream = undefined;
      this.#flush();
      stream.done();
      return;
    }
    this.#write([piece]);
    if (!this.#peerIsSlow) this.#clock.soon(this.#sendPiece);
  };

  #deliver(): void {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    try {
      while (!this.#isClosed && !this.#isHeld) {
        const chunk = this.#rest ?? this.#nextWaiting();
        if (chunk === undefined) break;
        this.#rest = undefined;
        const take = this.#takeRaw;
        const rest = take === undefined ? this.#splitter.push(chunk, this.#onPacket) : this.#giveRaw(take, chunk);
        if (!this.#isClosed) this.#rest = rest;
      }
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      this.close();
      this.#events.faulty(error);
    } finally {
      this.#isDelivering = false;
    }
    this.#regulateReading();
  }

  readonly #onPacket = (packet: QuorumPacket): boolean => {
    this.#events.received(packet);
    return !this.#isClosed && !this.#isHeld && this.#takeRaw === undefined;
  };

  #giveRaw(take: (chunk: Uint8Array) => Uint8Array | undefined, chunk: Uint8Array): Uint8Array | undefined {
    const rest = take(chunk);
    if (rest === undefined) return undefined;
    this.#takeRaw = undefined;
    return rest.length > 0 ? rest : undefined;
  }

  #authenticate(exchange: AuthExchange, chunk: Uint8Array): Uint8Array | undefined {
    const rest = exchange.take(chunk);
    if (rest === undefined) return undefined;
    this.#exchange = undefined;
    if (this.#out !== undefined) this.#scheduleFlush();
    if (exchange.begin !== undefined) this.#events.connected?.();
    return rest;
  }

  #nextWaiting(): Uint8Array | undefined {
    const chunk = this.#waiting.shift();
    if (chunk !== undefined) this.#waitingBytes -= chunk.length;
    return chunk;
  }

  #regulateReading(): void {
    if (this.#isClosed) return;
    const full = this.#isHeld && this.#waitingBytes + (this.#rest?.length ?? 0) >= HELD_BYTES_MAX;
    if (full === this.#isPaused) return;
    this.#isPaused = full;
    if (full) this.#connection?.pause();
    else this.#connection?.resume();
  }

  #drop(): void {
    this.#isClosed = true;
    this.#out = undefined;
    this.#stream = undefined;
    this.#rest = undefined;
    this.#waiting.clear();
    this.#waitingBytes = 0;
  }
}
