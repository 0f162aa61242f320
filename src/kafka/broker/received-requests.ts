import { Deque } from '../../base/deque.ts';
import { copyOf, type Slices, slicesOf } from '../../base/slices.ts';
import { type FrameLoan, type FrameMemory, FrameSplitter } from '../../wire/framing.ts';
import type { ByteBudget } from './byte-budget.ts';

/** Requests of one connection that may wait unhandled before we stop reading its socket. */
const QUEUED_FRAMES_MAX = 64;
const QUEUED_BYTES_MAX = 1 << 20;

/** A request as it was received. */
export interface Received {
  frame: Slices;
  /** Where its beginning lies; its end lies in a chunk that is ours until `data` returns. */
  readonly loans: readonly FrameLoan[];
  /** The frame lies in memory of its own. */
  isOwned: boolean;
  /** When its end came; 0 unless somebody looks at metrics. */
  readonly receivedMs: number;
}

export interface ReceivedRequestsOptions {
  readonly budget: ByteBudget;
  readonly requestMemory: FrameMemory;
  readonly requestBytesMax: number;
}

/** What a connection has received and not handled yet, with its bytes of the budget. */
export class ReceivedRequests {
  readonly #budget: ByteBudget;
  readonly #splitter: FrameSplitter;
  readonly #frames = new Deque<Received>();
  #queuedBytes = 0;
  /** What the unfinished request holds of the budget: all that its size announces, or nothing yet. */
  #reserved = 0;

  constructor({ budget, requestMemory, requestBytesMax }: ReceivedRequestsOptions) {
    this.#budget = budget;
    this.#splitter = new FrameSplitter(requestBytesMax, requestMemory);
  }

  get count(): number {
    return this.#frames.size;
  }

  /** What the unfinished request announces, -1 before its size is known. */
  get wantedBytes(): number {
    return this.#splitter.wantedBytes;
  }

  /** So much waits that no more is to be read. */
  get isFull(): boolean {
    return this.#frames.size >= QUEUED_FRAMES_MAX || this.#queuedBytes >= QUEUED_BYTES_MAX;
  }

  /** @throws MalformedError on a negative or too large size */
  push(chunk: Uint8Array, receivedMs: number): void {
    this.#splitter.push(chunk, (frame, loans) => this.#enqueue({ frame, loans, isOwned: false, receivedMs }));
  }

  #enqueue(received: Received): boolean {
    const { size } = received.frame;
    this.#frames.push(received);
    this.#queuedBytes += size;
    if (this.#reserved === 0) this.#budget.take(size);
    this.#reserved = 0;
    return true;
  }

  peek(): Received | undefined {
    return this.#frames.peek();
  }

  /** The first is being answered: its bytes of the budget go with it. */
  shift(): void {
    const received = this.#frames.shift();
    if (received !== undefined) this.#queuedBytes -= received.frame.size;
  }

  /** The first was not for a handler. */
  drop(): void {
    const received = this.#frames.peek();
    if (received === undefined) return;
    this.shift();
    this.#budget.release(received.frame.size);
    if (!received.isOwned) giveBack(received);
  }

  /** What still waits lies in memory that is not ours for long. */
  ownAll(): void {
    if (this.#frames.size > 0) for (const received of this.#frames) own(received);
  }

  /**
   * An unfinished request takes the whole of its size at once, as from Apache's pool, and then is read to its end whoever else
   * waits: requests that each have a part of the budget would wait for each other. Answers whether reading may go on.
   */
  reserve(): boolean {
    if (this.#reserved > 0) return true;
    if (this.#budget.exhausted) return false;
    const { wantedBytes } = this.#splitter;
    if (wantedBytes > 0) {
      this.#reserved = wantedBytes;
      this.#budget.take(wantedBytes);
    }
    return true;
  }

  close(): void {
    this.#budget.release(this.#queuedBytes + this.#reserved);
    this.#reserved = 0;
    this.#frames.clear();
  }
}

/** Copies a request into memory of its own. */
export function own(received: Received): void {
  if (received.isOwned) return;
  received.frame = slicesOf(copyOf(received.frame));
  received.isOwned = true;
  giveBack(received);
}

export function giveBack({ loans }: Received): void {
  for (const loan of loans) loan.giveBack();
}
