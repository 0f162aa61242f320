import { assert } from '../base/assert.ts';

export interface BufferPoolOptions {
  /** Of each buffer that is used again. */
  readonly bufferBytes: number;
  /** What is left of a loan's sizes must come to so much before it is worth a whole buffer. */
  readonly lentFromBytes: number;
  /** What is kept for the next borrowers, at most; beyond it the collector takes what comes back. */
  readonly freeBytesMax: number;
  /** Debugging: what comes back is filled with it, so that whoever still reads it does not go unnoticed. */
  readonly fillByte?: number;
}

/** Memory of one borrower, who alone gives it back. */
export interface Loan {
  /** One for each size that was asked for. They hold what the last borrower left. */
  readonly buffers: readonly Uint8Array[];
  /**
   * Once, when nothing reads or writes the buffers any more: neither a read in flight, nor an answer that a socket has not
   * taken. Where that cannot be told, never: then the collector has them, which costs time and no bytes.
   */
  giveBack(): void;
}

/**
 * Buffers for large reads, used again: the system clears fresh memory page by page, and the collector is driven by it, which
 * together cost more than reading and sending what is in it.
 */
export class BufferPool {
  readonly #options: BufferPoolOptions;
  /** Used from its end: the newest is the warmest. */
  readonly #free: Uint8Array[] = [];

  constructor(options: BufferPoolOptions) {
    this.#options = options;
  }

  /** Undefined in production. */
  get fillByte(): number | undefined {
    return this.#options.fillByte;
  }

  get freeBytes(): number {
    return this.#free.length * this.#options.bufferBytes;
  }

  /** Small pieces share a buffer; what is larger than a buffer, or would leave most of one unused, is allocated. */
  lend(sizes: readonly number[]): Loan {
    const { bufferBytes, lentFromBytes } = this.#options;
    const blocks: Uint8Array[] = [];
    let at = 0;
    let left = 0;
    for (const size of sizes) if (size <= bufferBytes) left += size;
    const buffers = sizes.map((size) => {
      if (size > bufferBytes) return Buffer.allocUnsafe(size);
      let block = blocks.at(-1);
      if (block === undefined || at + size > bufferBytes) {
        if (left < lentFromBytes) return Buffer.allocUnsafe(size);
        block = this.#free.pop() ?? Buffer.allocUnsafeSlow(bufferBytes);
        blocks.push(block);
        at = 0;
      }
      left -= size;
      at += size;
      return block.subarray(at - size, at);
    });
    let isLent = true;
    const giveBack = (): void => {
      assert(isLent, 'a loan is given back twice');
      isLent = false;
      this.#takeBack(buffers, blocks);
    };
    return { buffers, giveBack };
  }

  #takeBack(buffers: readonly Uint8Array[], blocks: readonly Uint8Array[]): void {
    const { bufferBytes, freeBytesMax, fillByte } = this.#options;
    if (fillByte !== undefined) for (const buffer of buffers) buffer.fill(fillByte);
    for (const block of blocks) if (this.freeBytes + bufferBytes <= freeBytesMax) this.#free.push(block);
  }
}
