import { type Slices, sliceOf } from '../base/slices.ts';
import { MalformedError } from './errors.ts';

/** A beginning shorter than this is copied: the rest may be long in coming, and a view would keep all around it alive. */
const COPIED_BELOW_BYTES = 16_384;

/** Lends pieces of memory (`BufferPool`). */
export interface FrameMemory {
  lend(sizes: readonly number[]): FrameLoan;
}

export interface FrameLoan {
  readonly buffers: readonly Uint8Array[];
  giveBack(): void;
}

/** What is lent at once; longer frames lie in several pieces. */
export const FRAME_PIECE_BYTES = 65_536;

const noRoom: Uint8Array = new Uint8Array(0);
const noLoans: readonly FrameLoan[] = [];

/**
 * Cuts a byte stream into frames (`size:int32 | payload`, Kafka's and ZooKeeper's alike). A frame is the list of the
 * chunks it lies in; nothing is joined.
 */
export class FrameSplitter {
  readonly #sizeMax: number;
  readonly #memory: FrameMemory | undefined;
  /** What the beginning of the unfinished frame was copied into, and what is left of the last piece. */
  #loans: FrameLoan[] = [];
  #room = noRoom;
  /** What was delivered of the unfinished frame. */
  #pending: Uint8Array[] = [];
  #pendingSize = 0;
  /** Payload size of the unfinished frame, -1 while its four size bytes are incomplete. */
  #wanted = -1;
  #sizeBytes = 0;
  #sizeValue = 0;

  /**
   * @param sizeMax frames above this many bytes are refused
   * @param memory given: chunks are only lent, and what has to wait for the rest of its frame is copied into pieces of it
   */
  constructor(sizeMax: number, memory?: FrameMemory) {
    this.#sizeMax = sizeMax;
    this.#memory = memory;
  }

  /** Bytes held of a frame that has not fully arrived. */
  get heldBytes(): number {
    return this.#pendingSize;
  }

  /** Announced payload size of the unfinished frame, -1 before its size is known. */
  get wantedBytes(): number {
    return this.#wanted;
  }

  /**
   * Takes a chunk, hands out every frame that it completes. `onFrame` may answer false to stop (the connection closed). It also
   * gets the loans that the frame's beginning lies in; its end then lies in the chunk.
   * @throws MalformedError on a negative or too large size
   */
  push(chunk: Uint8Array, onFrame: (frame: Slices, loans: readonly FrameLoan[]) => boolean | undefined): void {
    let at = 0;
    for (;;) {
      if (this.#wanted < 0) {
        at = this.#readSize(chunk, at);
        if (this.#wanted < 0) return;
      }
      const missing = this.#wanted - this.#pendingSize;
      if (chunk.length - at < missing) {
        if (at < chunk.length) this.#keep(chunk, at);
        this.#pendingSize += chunk.length - at;
        return;
      }
      const frame = this.#complete(chunk, at, at + missing);
      const loans = this.#takeLoans();
      at += missing;
      if (onFrame(frame, loans) === false) return;
    }
  }

  #readSize(chunk: Uint8Array, from: number): number {
    let at = from;
    while (this.#sizeBytes < 4) {
      if (at === chunk.length) return at;
      this.#sizeValue = (this.#sizeValue << 8) | chunk[at]!;
      this.#sizeBytes += 1;
      at += 1;
    }
    const size = this.#sizeValue;
    this.#sizeBytes = 0;
    this.#sizeValue = 0;
    if (size < 0 || size > this.#sizeMax)
      throw new MalformedError(`a frame of ${size} bytes (at most ${this.#sizeMax})`);
    this.#wanted = size;
    return at;
  }

  #takeLoans(): readonly FrameLoan[] {
    if (this.#loans.length === 0) return noLoans;
    const loans = this.#loans;
    this.#loans = [];
    this.#room = noRoom;
    return loans;
  }

  #keep(chunk: Uint8Array, from: number): void {
    const memory = this.#memory;
    if (memory === undefined) {
      this.#pending.push(remainder(chunk, from));
      return;
    }
    let missing = this.#wanted - this.#pendingSize;
    for (let at = from; at < chunk.length; ) {
      if (this.#room.length === 0) {
        const loan = memory.lend([Math.min(missing, FRAME_PIECE_BYTES)]);
        this.#loans.push(loan);
        this.#room = loan.buffers[0]!;
      }
      const size = Math.min(chunk.length - at, this.#room.length);
      this.#room.set(chunk.subarray(at, at + size));
      this.#pending.push(this.#room.subarray(0, size));
      this.#room = this.#room.subarray(size);
      missing -= size;
      at += size;
    }
  }

  #complete(chunk: Uint8Array, from: number, to: number): Slices {
    const last = chunk.subarray(from, to);
    let frame: Slices;
    if (this.#pending.length === 0) {
      frame = sliceOf(last);
    } else {
      if (last.length > 0) this.#pending.push(last);
      frame = { chunks: this.#pending, size: this.#wanted };
      this.#pending = [];
      this.#pendingSize = 0;
    }
    this.#wanted = -1;
    return frame;
  }
}

function remainder(chunk: Uint8Array, from: number): Uint8Array {
  return chunk.length - from < COPIED_BELOW_BYTES ? Buffer.from(chunk.subarray(from)) : chunk.subarray(from);
}
