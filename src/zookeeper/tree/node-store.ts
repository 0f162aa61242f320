/** Words of 32 bits that a znode takes, and their meaning; 64-bit values have the high word first. */
const RECORD_WORDS = 30;
export const CZXID = 0;
export const MZXID = 2;
export const CTIME = 4;
export const MTIME = 6;
export const VERSION = 8;
/** The stored cversion: creations of children only. */
export const CVERSION = 9;
export const AVERSION = 10;
export const OWNER = 11;
/** Bytes, -1 for null. */
export const DATA_LENGTH = 13;
export const CHILD_COUNT = 14;
export const PZXID = 15;
export const ACL_ID = 17;
/** Where the arena holds the data, if its length is above 0. */
export const DATA_REF = 18;
/** The node's part of the tree digest, unsigned. */
export const DIGEST = 19;
/** CRC-32 over path and data, to which the stat is added. */
export const CRC_PREFIX = 20;
export const PARENT = 21;
/** Children form a ring: the first one's PREVIOUS is the last. -1 where there is none. */
export const FIRST_CHILD = 22;
export const NEXT = 23;
export const PREVIOUS = 24;
/** CRC-32 of the path, to which the data is added. */
export const CRC_PATH = 25;
/** The nodes created before and after it, -1 where there is none. */
export const OLDER = 26;
export const NEWER = 27;
/** Where the arena of paths holds its path, if it is not empty, and its bytes. */
export const PATH_REF = 28;
export const PATH_SIZE = 29;

const PAGE_BITS = 12;
const PAGE_NODES = 1 << PAGE_BITS;

const scratch64 = new BigInt64Array(1);
const scratch32 = new Int32Array(scratch64.buffer);
scratch64[0] = 1n;
/** Which half of the scratch is the low one: 0 on a little-endian machine. */
const LOW = scratch32[0] === 1 ? 0 : 1;
const HIGH = 1 - LOW;
const TWO_32 = 4_294_967_296;

/**
 * The fixed-size part of all znodes, in pages of 32-bit words: a tenth of what objects with boxed 64-bit numbers take, nothing
 * for the garbage collector to trace, and no copying when it grows.
 */
export class NodeStore {
  readonly #pages: Int32Array[] = [];
  /** Freed ids, chained through PARENT. */
  #freeHead = -1;
  #nextId = 0;

  get bytesHeld(): number {
    return this.#pages.length * PAGE_NODES * RECORD_WORDS * 4;
  }

  /** A node of zeros without path, children, data or parent. */
  allocate(): number {
    let id = this.#freeHead;
    if (id >= 0) {
      this.#freeHead = this.get(id, PARENT);
    } else {
      id = this.#nextId;
      this.#nextId += 1;
      if (id >> PAGE_BITS === this.#pages.length) this.#pages.push(new Int32Array(PAGE_NODES * RECORD_WORDS));
    }
    const words = this.words(id);
    const at = this.at(id);
    for (let word = 0; word < RECORD_WORDS; word += 1) words[at + word] = 0;
    words[at + PARENT] = -1;
    words[at + FIRST_CHILD] = -1;
    words[at + DATA_LENGTH] = -1;
    return id;
  }

  free(id: number): void {
    this.set(id, PARENT, this.#freeHead);
    this.#freeHead = id;
  }

  /** The page of a node, for several accesses in a row; with `at`. */
  words(id: number): Int32Array {
    return this.#pages[id >> PAGE_BITS] as Int32Array;
  }

  at(id: number): number {
    return (id & (PAGE_NODES - 1)) * RECORD_WORDS;
  }

  get(id: number, word: number): number {
    return this.words(id)[this.at(id) + word] as number;
  }

  set(id: number, word: number, value: number): void {
    this.words(id)[this.at(id) + word] = value;
  }

  getBigint(id: number, word: number): bigint {
    const words = this.words(id);
    const at = this.at(id) + word;
    scratch32[HIGH] = words[at] as number;
    scratch32[LOW] = words[at + 1] as number;
    return scratch64[0] as bigint;
  }

  setBigint(id: number, word: number, value: bigint): void {
    scratch64[0] = value;
    const words = this.words(id);
    const at = this.at(id) + word;
    words[at] = scratch32[HIGH] as number;
    words[at + 1] = scratch32[LOW] as number;
  }

  getNumber(id: number, word: number): number {
    const words = this.words(id);
    const at = this.at(id) + word;
    return (words[at] as number) * TWO_32 + ((words[at + 1] as number) >>> 0);
  }

  setNumber(id: number, word: number, value: number): void {
    const words = this.words(id);
    const at = this.at(id) + word;
    words[at] = Math.floor(value / TWO_32);
    words[at + 1] = value | 0;
  }

  /** Appends to the parent's ring of children. */
  link(parent: number, child: number): void {
    this.set(child, PARENT, parent);
    this.set(parent, CHILD_COUNT, this.get(parent, CHILD_COUNT) + 1);
    const first = this.get(parent, FIRST_CHILD);
    if (first < 0) {
      this.set(parent, FIRST_CHILD, child);
      this.set(child, NEXT, child);
      this.set(child, PREVIOUS, child);
      return;
    }
    const last = this.get(first, PREVIOUS);
    this.set(last, NEXT, child);
    this.set(child, PREVIOUS, last);
    this.set(child, NEXT, first);
    this.set(first, PREVIOUS, child);
  }

  unlink(child: number): void {
    const parent = this.get(child, PARENT);
    this.set(parent, CHILD_COUNT, this.get(parent, CHILD_COUNT) - 1);
    const next = this.get(child, NEXT);
    if (next === child) {
      this.set(parent, FIRST_CHILD, -1);
      return;
    }
    const previous = this.get(child, PREVIOUS);
    this.set(previous, NEXT, next);
    this.set(next, PREVIOUS, previous);
    if (this.get(parent, FIRST_CHILD) === child) this.set(parent, FIRST_CHILD, next);
  }

  /** The sibling after a child, -1 after the last. */
  nextSibling(child: number): number {
    const next = this.get(child, NEXT);
    return this.get(this.get(child, PARENT), FIRST_CHILD) === next ? -1 : next;
  }
}
