import { assert } from '../../../base/assert.ts';
import type { Random } from '../../../runtime/random.ts';
import { digest, KeyDigest } from './key-digest.ts';

/** What one key takes: 16 bytes of digest, 8 of offset, as in Apache's SkimpyOffsetMap. */
export const ENTRY_BYTES = 24;

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
  readonly #digests: Int32Array;
  /** The offset plus one; 0 is an empty slot. */
  readonly #offsets: Float64Array;
  readonly #keyDigest: KeyDigest;
  #size = 0;
  #latestOffset = -1;

  constructor({ bytesMax, loadFactor, keysMax, random }: OffsetMapOptions) {
    const slotsMax = Math.floor(bytesMax / ENTRY_BYTES);
    this.entriesMax = Math.floor(slotsMax * loadFactor);
    assert(this.entriesMax > 0, 'an offset map has room for a key', bytesMax, loadFactor);
    // One slot is always empty: there a search for a key that is not in it ends.
    this.#slots = Math.min(slotsMax, Math.ceil(keysMax / loadFactor)) + 1;
    this.#digests = new Int32Array(this.#slots * 4);
    this.#offsets = new Float64Array(this.#slots);
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
    const slot = this.#slotOf(bytes, start, end);
    if (this.#offsets[slot] === 0) {
      assert(this.#size < this.entriesMax, 'an offset map is overfilled', this.#size);
      this.#digests.set(digest, slot * 4);
      this.#size += 1;
    }
    this.#offsets[slot] = offset + 1;
    this.#latestOffset = offset;
  }

  /** -1 for a key that is not in it. */
  get(bytes: Uint8Array, start: number, end: number): number {
    return this.#offsets[this.#slotOf(bytes, start, end)]! - 1;
  }

  /** Where a key stands or would stand: from its first slot on, the first that is its own or empty. */
  #slotOf(bytes: Uint8Array, start: number, end: number): number {
    this.#keyDigest.compute(bytes, start, end);
    const digests = this.#digests;
    const offsets = this.#offsets;
    const slots = this.#slots;
    const [d0, d1, d2, d3] = [digest[0], digest[1], digest[2], digest[3]];
    let slot = (d0! >>> 0) % slots;
    while (offsets[slot] !== 0) {
      const at = slot * 4;
      if (digests[at] === d0 && digests[at + 1] === d1 && digests[at + 2] === d2 && digests[at + 3] === d3) break;
      slot += 1;
      if (slot === slots) slot = 0;
    }
    return slot;
  }
}
