const BLOCK_BYTES = 65_536;
/** What is shorter is allocated for itself: many connections may each have the beginning of a frame. */
const SMALL_BYTES = 16_384;
/** What is kept for the next frames, at most; beyond it the collector takes what comes back. */
const FREE_BLOCKS_MAX = 128;

/** Memory for frames that do not come in one read: blocks that are used again. */
export class FrameBlocks {
  readonly #free: Uint8Array[] = [];
  readonly #fillByte: number | undefined;

  /** @param fillByte debugging: what comes back is filled with it, so that whoever still reads it does not go unnoticed */
  constructor(fillByte?: number) {
    this.#fillByte = fillByte;
  }

  /** Room for so many bytes, or for less where a block is full before. */
  take(size: number): Uint8Array {
    if (size < SMALL_BYTES) return Buffer.allocUnsafe(size);
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES);
  }

  /** Nobody reads them any more. */
  giveBack(blocks: readonly Uint8Array[]): void {
    for (const block of blocks) {
      if (this.#fillByte !== undefined) block.fill(this.#fillByte);
      if (block.length !== BLOCK_BYTES || this.#free.length === FREE_BLOCKS_MAX) continue;
      this.#free.push(block);
    }
  }
}
