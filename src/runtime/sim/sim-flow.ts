import { Deque } from '../../base/deque.ts';
import type { Scheduler } from './scheduler.ts';
import type { SimLink } from './sim-link.ts';

/** One read of the receiver brings at most so much. */
export const joinedBytesMax = 65_536;

export type Signal = 'fin' | 'reset';

/** A piece of a stream on its way. */
interface Segment {
  readonly parts: Uint8Array[];
  readonly signal: Signal | undefined;
}

/** A buffer that the kernel has not taken; the last of its write says so when it is gone. */
interface Unsent {
  readonly bytes: Uint8Array;
  sent: (() => void) | undefined;
}

/** What hears of a flow: the connection that sends it, and the one that receives it. */
export interface FlowEnds {
  arrived(bytes: Uint8Array): void;
  arrivedSignal(signal: Signal): void;
  /** The kernel took everything that was written. */
  emptied(): void;
  /** The buffers of one write are not looked at any more. */
  released(sent: () => void): void;
  /** The receiving machine can answer. */
  reachable(): boolean;
}

/**
 * One direction of a connection. Bytes are `unsent` until the sender's kernel takes them (then they are copied, and the sender may
 * reuse its buffers), and fill the window until the receiver reads them. They arrive in order, cut anywhere.
 */
export class SimFlow {
  readonly #scheduler: Scheduler;
  readonly #link: SimLink;
  readonly #back: SimLink;
  readonly #ends: FlowEnds;
  /** The sender's and the receiver's kernel buffers together. */
  readonly #windowBytes: number;
  readonly #unsent = new Deque<Unsent>();
  #headPosition = 0;
  #unsentBytes = 0;
  #windowUsed = 0;
  /** The newest segment on its way: what is sent behind it may arrive with it. */
  #last: { readonly segment: Segment; readonly atMs: number; size: number } | undefined;
  #lastArrivalMs = 0;
  readonly #held: Segment[] = [];
  /** Nobody sends again what is lost from now on. */
  #isSilent = false;
  /** Something was lost for ever: what was sent behind it never reaches the receiver's stream. */
  #hasGap = false;
  #ackPending = false;
  #ending = false;
  #ended = false;
  #resetSent = false;
  #open = false;

  constructor(scheduler: Scheduler, links: { link: SimLink; back: SimLink }, windowBytes: number, ends: FlowEnds) {
    this.#scheduler = scheduler;
    this.#link = links.link;
    this.#back = links.back;
    this.#windowBytes = windowBytes;
    this.#ends = ends;
  }

  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  /** The end of the stream is with the kernel. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The connection is established; what was written before goes out. */
  open(): void {
    this.#open = true;
    this.#pump();
    if (this.#unsentBytes === 0) this.#ends.emptied();
  }

  write(buffers: readonly Uint8Array[], sent: (() => void) | undefined): void {
    let last: Unsent | undefined;
    for (const bytes of buffers) {
      if (bytes.length === 0) continue;
      last = { bytes, sent: undefined };
      this.#unsent.push(last);
      this.#unsentBytes += bytes.length;
    }
    if (last !== undefined) last.sent = sent;
    else if (sent !== undefined) this.#ends.released(sent);
    this.#pump();
  }

  /** Ends the stream after what was written. */
  end(): void {
    this.#ending = true;
    this.#pump();
  }

  /** Ends the stream with a reset, also after its end: the answer to bytes that nobody wants. */
  reset(): void {
    this.drop();
    if (!this.#open || this.#resetSent) return;
    this.#ended = true;
    this.#resetSent = true;
    this.#sendSignal('reset');
  }

  /** Forgets what the kernel has not taken. */
  drop(): void {
    for (const { sent } of this.#unsent) if (sent !== undefined) this.#ends.released(sent);
    this.#unsent.clear();
    this.#unsentBytes = 0;
    this.#headPosition = 0;
  }

  /** The sending machine lost power: nobody retransmits what was lost. */
  silence(): void {
    this.drop();
    this.#ended = true;
    this.#isSilent = true;
    this.#hasGap ||= this.#held.length > 0;
    this.#held.length = 0;
    this.#link.holding.delete(this);
  }

  /** The receiver has read so many bytes: the window opens again, which the sender hears a little later. */
  consumed(bytes: number): void {
    this.#windowUsed -= bytes;
    if (this.#unsentBytes === 0 || this.#ackPending) return;
    this.#ackPending = true;
    this.#scheduler.after(this.#back.latencyMs(), 'ack', 0, undefined, () => this.#acknowledged());
  }

  #acknowledged(): void {
    if (this.#back.blocked) {
      this.#back.lostAcks.push(() => this.#acknowledged());
      return;
    }
    this.#ackPending = false;
    this.#pump();
    if (this.#unsentBytes === 0) this.#ends.emptied();
  }

  #pump(): void {
    if (!this.#open || this.#ended) return;
    while (this.#unsentBytes > 0 && this.#windowUsed < this.#windowBytes) {
      const size = Math.min(this.#unsentBytes, this.#windowBytes - this.#windowUsed);
      this.#send(this.#take(this.#link.pieceSize(size)));
    }
    if (this.#unsentBytes > 0 || !this.#ending) return;
    this.#ended = true;
    this.#sendSignal('fin');
  }

  #sendSignal(signal: Signal): void {
    this.#schedule({ parts: [], signal }, this.#scheduler.nowMs + this.#link.latencyMs());
  }

  /** A copy of the next bytes, in memory of its own: the receiver may write into it. */
  #take(size: number): Uint8Array {
    const piece = Buffer.allocUnsafe(size);
    let position = 0;
    while (position < size) {
      const { bytes, sent } = this.#unsent.peek()!;
      const part = bytes.subarray(this.#headPosition, this.#headPosition + size - position);
      piece.set(part, position);
      position += part.length;
      this.#headPosition += part.length;
      if (this.#headPosition < bytes.length) break;
      this.#unsent.shift();
      if (sent !== undefined) this.#ends.released(sent);
      this.#headPosition = 0;
    }
    this.#unsentBytes -= size;
    this.#windowUsed += size;
    return piece;
  }

  #send(piece: Uint8Array): void {
    const arrivalMs = this.#link.departureMs(this.#scheduler.nowMs, piece.length) + this.#link.latencyMs();
    const last = this.#last;
    const joins = last !== undefined && last.atMs >= arrivalMs && last.size + piece.length <= joinedBytesMax;
    if (!joins || !this.#link.joins()) {
      this.#schedule({ parts: [piece], signal: undefined }, arrivalMs);
      return;
    }
    last.segment.parts.push(piece);
    last.size += piece.length;
  }

  /** Never before what was sent earlier. */
  #schedule(segment: Segment, arrivalMs: number): void {
    const inMs = Math.max(arrivalMs, this.#lastArrivalMs) - this.#scheduler.nowMs;
    const event = this.#scheduler.after(inMs, 'segment', 0, undefined, () => this.#arrive(segment));
    this.#lastArrivalMs = event.atMs;
    const size = segment.parts[0]?.length ?? joinedBytesMax;
    this.#last = { segment, atMs: event.atMs, size };
  }

  #arrive(segment: Segment): void {
    if (this.#last?.segment === segment) this.#last = undefined;
    const isLost = this.#link.blocked || this.#held.length > 0 || !this.#ends.reachable();
    // A reset answers what comes after the silence, and is sent again as often as that is.
    if (this.#isSilent && segment.signal !== 'reset') {
      this.#hasGap ||= isLost;
      if (this.#hasGap) return;
    }
    if (isLost) {
      this.#held.push(segment);
      this.#link.holding.add(this);
      return;
    }
    this.#hand(segment);
  }

  /** The way is free again: what was lost is sent once more, in order and before anything newer. */
  retransmit(): void {
    this.#scheduler.after(this.#link.retransmissionMs(), 'retransmit', this.#held.length, undefined, () => {
      if (this.#link.blocked || !this.#ends.reachable()) return;
      this.#link.holding.delete(this);
      for (const segment of this.#held.splice(0)) this.#hand(segment);
    });
  }

  #hand(segment: Segment): void {
    const [first] = segment.parts;
    if (segment.signal !== undefined) this.#ends.arrivedSignal(segment.signal);
    else if (segment.parts.length === 1 && first !== undefined) this.#ends.arrived(first);
    else this.#ends.arrived(Buffer.concat(segment.parts));
  }
}
