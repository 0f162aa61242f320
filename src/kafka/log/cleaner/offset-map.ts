import { assert } from '../../../base/assert.ts';
import type { Random } from '../../../runtime/random.ts';
import { digest, KeyDigest } from './key-digest.ts';

/** What one key takes: 16 bytes of digest, 8 of offset, as in Apache's SkimpyOffsetMap. */
export const ENTRY_BYTES = 24;

const SLOT_WORDS = ENTRY_BYTES / 4;
const TWO_32 = 4_294_967_296;

export interface OffsetMapOptions {
  /** Bytes that the map may take. */
  readonly bytesMax: number;
  /** The share of them that is used. */
  readonly loadFactor: number;
  /** Keys that can come at most: a small log needs no large map. */
  readonly keysMax: number;
  readonly random: Random;
}

/** The last offset of each key in the part of a log that is being compacted. Keys are digests; none is ever removed. */
export class OffsetMap {
  /** Keys that it takes. */
  readonly entriesMax: number;
  readonly #slots: number;
  /** Six words a slot: the digest, then the offset plus one, low and high word; 0 is an empty slot. */
  readonly #words: Int32Array;
  readonly #keyDigest: KeyDigest;
  #size = 0;
  #latestOffset = -1;

  constructor({ bytesMax, loadFactor, keysMax, random }: OffsetMapOptions) {
    const slotsMax = Math.floor(bytesMax / ENTRY_BYTES);
    this.entriesMax = Math.floor(slotsMax * loadFactor);
    assert(this.entriesMax > 0, 'an offset map has room for a key', bytesMax, loadFactor);
    // One slot is always empty: there a search for a key that is not in it ends.
    this.#slots = Math.min(slotsMax, Math.ceil(keysMax / loadFactor)) + 1;
    this.#words = new Int32Array(this.#slots * SLOT_WORDS);
    this.#keyDigest = new KeyDigest(random);
  }

  get size(): number {
    return this.#size;
  }

  /** Nothing above is known here. -1 before the first. */
  get latestOffset(): number {
    return this.#latestOffset;
  }

  set latestOffset(offset: number) {
    this.#latestOffset = offset;
  }

  get isFull(): boolean {
    return this.#size >= this.entriesMax;
  }

  /** Offsets come in ascending order. Not when full. */
  put(bytes: Uint8Array, start: number, end: number, offset: number): void {
    const at = this.#placeOf(bytes, start, end);
    const words = this.#words;
    if (words[at + 4] === 0 && words[at + 5] === 0) {
      assert(this.#size < this.entriesMax, 'an offset map is overfilled', this.#size);
      for (let word = 0; word < 4; word += 1) words[at + word] = digest[word]!;
      this.#size += 1;
    }
    words[at + 4] = offset + 1;
    words[at + 5] = Math.floor((offset + 1) / TWO_32);
    this.#latestOffset = offset;
  }

  /** -1 for a key that is not in it. */
  get(bytes: Uint8Array, start: number, end: number): number {
    const at = this.#placeOf(bytes, start, end);
    return this.#words[at + 5]! * TWO_32 + (this.#words[at + 4]! >>> 0) - 1;
  }

  /** Where the slot of a key begins: from its first on, the first that is its own or empty. */
  #placeOf(bytes: Uint8Array, start: number, end: number): number {
    this.#keyDigest.compute(bytes, start, end);
    const words = this.#words;
    const d0 = digest[0]!;
    const d1 = digest[1]!;
    const d2 = digest[2]!;
    const d3 = digest[3]!;
    let at = ((d0 >>> 0) % this.#slots) * SLOT_WORDS;
    while (words[at + 4] !== 0 || words[at + 5] !== 0) {
      if (words[at] === d0 && words[at + 1] === d1 && words[at + 2] === d2 && words[at + 3] === d3) break;
      at += SLOT_WORDS;
      if (at === words.length) at = 0;
    }
    return at;
  }
}
