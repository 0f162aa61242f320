import { Deque } from '../../base/deque.ts';
import type { Reader } from '../../wire/reader.ts';
import type { Writer } from '../../wire/writer.ts';
import { ErrorCode, KeeperError } from '../jute/errors.ts';
import type { ReplyHeader } from '../jute/proto.ts';
import { encodeCall } from './frames.ts';

/** A request; exactly one of `replied` and `failed` is called, unless it was withdrawn. */
export interface Request {
  readonly type: number;
  /** For the error. */
  readonly path: string | undefined;
  writeBody?(to: Writer): void;
  /** The reply: `err` of its header, and the body if that is 0. */
  replied(header: ReplyHeader, body: Reader): void;
  failed(error: KeeperError): void;
}

/**
 *   waiting ──▶ sent ──▶ done
 *      └──▶ withdrawn
 */
export interface Packet {
  readonly xid: number;
  readonly frame: Uint8Array;
  readonly request: Request;
  /** Monotonic; 0 when requests have no deadline. */
  readonly sinceMs: number;
  stage: 'waiting' | 'sent' | 'withdrawn' | 'done';
}

export interface RequestQueueOptions {
  /** Requests sent or waiting, and their bytes; above that a request is refused with THROTTLEDOP. */
  readonly requestsMax: number;
  readonly requestBytesMax: number;
  /** Default 1. */
  readonly firstXid?: number;
}

/** Withdrawn requests are swept out once there are so many, and more than others. */
const SWEEP_COUNT = 64;
const XID_MAX = 0x7fff_ffff;

/** Requests in the order of the calls: those that wait to be sent, then those whose replies are due in that order. */
export class RequestQueue {
  readonly #options: RequestQueueOptions;
  #waiting = new Deque<Packet>();
  readonly #sent = new Deque<Packet>();
  /** Of the waiting and the sent. */
  #bytes = 0;
  /** Among the waiting. */
  #withdrawnCount = 0;
  #nextXid: number;

  constructor(options: RequestQueueOptions) {
    this.#options = options;
    this.#nextXid = options.firstXid ?? 1;
  }

  /** Neither answered nor withdrawn. */
  get size(): number {
    return this.#waiting.size - this.#withdrawnCount + this.#sent.size;
  }

  get hasWaiting(): boolean {
    return this.#waiting.size > this.#withdrawnCount;
  }

  /** Undefined for a request that was refused. */
  add(request: Request, nowMs: number): Packet | undefined {
    const { requestsMax, requestBytesMax } = this.#options;
    if (this.size >= requestsMax || this.#bytes >= requestBytesMax) {
      request.failed(new KeeperError(ErrorCode.THROTTLEDOP, request.path));
      return undefined;
    }
    return this.addLast(request, nowMs);
  }

  /** The request that no other follows: there is always room for it. */
  addLast(request: Request, nowMs: number): Packet {
    const xid = this.takeXid();
    const packet: Packet = { xid, frame: encodeCall(xid, request), request, sinceMs: nowMs, stage: 'waiting' };
    this.#bytes += packet.frame.length;
    this.#waiting.push(packet);
    return packet;
  }

  /** Takes back a request that was not sent; false when it is too late, and its reply will come. */
  withdraw(packet: Packet): boolean {
    if (packet.stage !== 'waiting') return false;
    packet.stage = 'withdrawn';
    this.#bytes -= packet.frame.length;
    this.#withdrawnCount += 1;
    if (this.#withdrawnCount >= SWEEP_COUNT && this.#withdrawnCount * 2 > this.#waiting.size) this.#sweep();
    return true;
  }

  /** Frames of about so many bytes, which are sent from now on. */
  takeWaiting(bytes: number): Uint8Array[] {
    const frames: Uint8Array[] = [];
    for (let size = 0; size < bytes; ) {
      const packet = this.#waiting.shift();
      if (packet === undefined) break;
      if (packet.stage === 'withdrawn') {
        this.#withdrawnCount -= 1;
        continue;
      }
      packet.stage = 'sent';
      this.#sent.push(packet);
      frames.push(packet.frame);
      size += packet.frame.length;
    }
    return frames;
  }

  /** The request that a reply answers: the oldest that was sent, or else undefined. */
  takeAnswered(xid: number): Packet | undefined {
    const packet = this.#sent.peek();
    if (packet === undefined || packet.xid !== xid) return undefined;
    this.#sent.shift();
    this.#bytes -= packet.frame.length;
    packet.stage = 'done';
    return packet;
  }

  /** For how long the oldest request has been under way; undefined when there is none. */
  oldestSinceMs(): number | undefined {
    const [oldest] = this.#live();
    return oldest?.sinceMs;
  }

  failAll(code: number, cause?: Error): void {
    this.#fail([...this.#live()], code, cause);
  }

  /** Those sent, or not yet sent, before a time. */
  failOlderThan(sinceMs: number, code: number): void {
    const old: Packet[] = [];
    for (const packet of this.#live()) {
      if (packet.sinceMs > sinceMs) break;
      old.push(packet);
    }
    this.#fail(old, code);
  }

  /** The oldest ones, or all. */
  #fail(packets: readonly Packet[], code: number, cause?: Error): void {
    for (const packet of packets) {
      packet.stage = 'done';
      this.#bytes -= packet.frame.length;
    }
    while (this.#sent.peek()?.stage === 'done') this.#sent.shift();
    this.#sweep();
    const options = cause === undefined ? undefined : { cause }; // an undefined cause would be shown
    for (const { request } of packets) request.failed(new KeeperError(code, request.path, options));
  }

  *#live(): IterableIterator<Packet> {
    yield* this.#sent;
    for (const packet of this.#waiting) if (packet.stage === 'waiting') yield packet;
  }

  /** Keeps what still waits. */
  #sweep(): void {
    const waiting = new Deque<Packet>();
    for (const packet of this.#waiting) if (packet.stage === 'waiting') waiting.push(packet);
    this.#waiting = waiting;
    this.#withdrawnCount = 0;
  }

  /** The next number of the sequence; the largest is skipped, as in ClientCnxn.getXid. */
  takeXid(): number {
    const xid = this.#nextXid >= XID_MAX ? 1 : this.#nextXid;
    this.#nextXid = xid + 1;
    return xid;
  }
}
