import { present } from '../../base/assert.ts';

/** Blocks of one size class share a page. */
const PAGE_BYTES = 65_536;
/** A reference names a unit of 16 bytes: 12 bits inside the page, 19 for the page, so 32 GiB at most. */
const UNIT_BITS = 12;
/** Larger data has memory of its own, which is never overwritten: replies may refer to it. */
export const BLOCK_BYTES_MAX = 8_192;

/** Block sizes: steps of 16 up to 128, then eight to a doubling, so that at most an eighth is wasted. */
const blockSizes: readonly number[] = buildBlockSizes();
/** Class of every size, by multiples of 16. */
const classOf: Uint8Array = buildClassOf();

function buildBlockSizes(): number[] {
  const sizes: number[] = [];
  let size = 16;
  while (size <= BLOCK_BYTES_MAX) {
    sizes.push(size);
    size += size < 128 ? 16 : 2 ** (Math.floor(Math.log2(size)) - 3);
  }
  return sizes;
}

function buildClassOf(): Uint8Array {
  const classes = new Uint8Array(BLOCK_BYTES_MAX / 16 + 1);
  let index = 0;
  for (let units = 0; units < classes.length; units += 1) {
    while ((blockSizes[index] as number) < units * 16) index += 1;
    classes[units] = index;
  }
  return classes;
}

interface Page {
  readonly bytes: Uint8Array;
  /** Offsets of free blocks are chained inside the blocks themselves. */
  readonly words: Int32Array;
  blockSize: number;
  usedCount: number;
  /** First freed block, -1 if there is none. */
  freeHead: number;
  /** Blocks beyond this offset were never used. */
  freshAt: number;
  /** Whether the page stands in its class's list of pages with room. */
  listed: boolean;
}

/**
 * The memory of znode data. A Uint8Array for each of a million znodes would cost more than the data itself; here the data of
 * up to 8 KiB lies in pages of equal blocks, and is named by a number. An empty page serves any class again.
 */
export class DataArena {
  readonly #pages: Page[] = [];
  readonly #emptyPages: number[] = [];
  /** By class: indices of pages with a free block. */
  readonly #roomy: number[][] = blockSizes.map(() => []);
  /** Data above BLOCK_BYTES_MAX, by index; undefined where the index is free. */
  readonly #large: (Uint8Array | undefined)[] = [];
  readonly #freeLarge: number[] = [];
  #largeBytes = 0;

  /** Memory held, free blocks included. */
  get bytesHeld(): number {
    return this.#pages.length * PAGE_BYTES + this.#largeBytes;
  }

  /** Whether two sizes share a block size, so that one may overwrite the other in place. */
  static sameBlock(a: number, b: number): boolean {
    if (a > BLOCK_BYTES_MAX || b > BLOCK_BYTES_MAX || a === 0 || b === 0) return false;
    return classOf[(a + 15) >> 4] === classOf[(b + 15) >> 4];
  }

  /** Copies data of at least one byte in; answers its reference. */
  put(data: Uint8Array): number {
    const reference = this.reserve(data.length);
    copyInto(this.bytes(reference), offsetOf(reference), data);
    return reference;
  }

  /** A block for so many bytes; answers its reference, 32 bits: page and 16-byte unit, negative for large data. */
  reserve(size: number): number {
    if (size > BLOCK_BYTES_MAX) return this.#reserveLarge(size);
    const sizeClass = classOf[(size + 15) >> 4] as number;
    const roomy = this.#roomy[sizeClass] as number[];
    let pageIndex = roomy[roomy.length - 1];
    if (pageIndex === undefined) {
      pageIndex = this.#takePage(blockSizes[sizeClass] as number);
      roomy.push(pageIndex);
    }
    const page = this.#pages[pageIndex] as Page;
    const offset = this.#takeBlock(page);
    if (page.freeHead < 0 && page.freshAt + page.blockSize > PAGE_BYTES) {
      roomy.pop();
      page.listed = false;
    }
    return (pageIndex << UNIT_BITS) | (offset >> 4);
  }

  /** Overwrites a block with data of the same block size (`sameBlock`). */
  replace(reference: number, data: Uint8Array): void {
    copyInto(this.bytes(reference), offsetOf(reference), data);
  }

  free(reference: number): void {
    if (reference < 0) {
      const index = -1 - reference;
      this.#largeBytes -= this.bytes(reference).length;
      this.#large[index] = undefined;
      this.#freeLarge.push(index);
      return;
    }
    const pageIndex = reference >> UNIT_BITS;
    const offset = offsetOf(reference);
    const page = this.#pages[pageIndex] as Page;
    page.words[offset >> 2] = page.freeHead;
    page.freeHead = offset;
    page.usedCount -= 1;
    if (page.usedCount === 0) this.#releasePage(page, pageIndex);
    else if (!page.listed) {
      page.listed = true;
      (this.#roomy[classOf[page.blockSize >> 4] as number] as number[]).push(pageIndex);
    }
  }

  /**
   * The memory in which a block lies, at `offsetOf`: to be read before the next change. Large data (a negative reference) has
   * an array of its own that is never overwritten.
   */
  bytes(reference: number): Uint8Array {
    if (reference < 0) return present(this.#large[-1 - reference], 'large data is there', reference);
    return (this.#pages[reference >> UNIT_BITS] as Page).bytes;
  }

  #reserveLarge(size: number): number {
    const index = this.#freeLarge.pop() ?? this.#large.length;
    this.#large[index] = new Uint8Array(size);
    this.#largeBytes += size;
    return -1 - index;
  }

  #takePage(blockSize: number): number {
    const reused = this.#emptyPages.pop();
    if (reused !== undefined) {
      const page = this.#pages[reused] as Page;
      page.blockSize = blockSize;
      page.freeHead = -1;
      page.freshAt = 0;
      page.listed = true;
      return reused;
    }
    const memory = new ArrayBuffer(PAGE_BYTES);
    const page = { bytes: new Uint8Array(memory), words: new Int32Array(memory) };
    this.#pages.push({ ...page, blockSize, usedCount: 0, freeHead: -1, freshAt: 0, listed: true });
    return this.#pages.length - 1;
  }

  #takeBlock(page: Page): number {
    page.usedCount += 1;
    if (page.freeHead >= 0) {
      const offset = page.freeHead;
      page.freeHead = page.words[offset >> 2] as number;
      return offset;
    }
    const offset = page.freshAt;
    page.freshAt += page.blockSize;
    return offset;
  }

  #releasePage(page: Page, pageIndex: number): void {
    const roomy = this.#roomy[classOf[page.blockSize >> 4] as number] as number[];
    if (page.listed) {
      const at = roomy.lastIndexOf(pageIndex);
      const last = roomy.pop() as number;
      if (at < roomy.length) roomy[at] = last;
    }
    page.listed = false;
    this.#emptyPages.push(pageIndex);
  }
}

/** Where in `bytes(reference)` a block begins. */
export function offsetOf(reference: number): number {
  return reference < 0 ? 0 : (reference & ((1 << UNIT_BITS) - 1)) << 4;
}

/** A loop beats the call into the engine for little data. */
function copyInto(target: Uint8Array, offset: number, data: Uint8Array): void {
  const size = data.length;
  if (size > 64) {
    target.set(data, offset);
    return;
  }
  for (let index = 0; index < size; index += 1) target[offset + index] = data[index] as number;
}
