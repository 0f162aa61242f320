import { flatten, type Slices } from '../../base/slices.ts';
import { juteSize } from '../../wire/codec-steps.ts';
import { MalformedError } from '../../wire/errors.ts';

/**
 * Reads the fields of hot requests straight from their bytes: one object for all frames, where a Reader would cost each frame
 * more than its whole answer. What it hands out does not depend on it.
 */
export class RequestCursor {
  readonly #texts = new TextCache();
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;

  /** @param at where to begin: 8 is the body of a request */
  open(frame: Slices, at: number): this {
    const { chunks } = frame;
    // A frame that lies in several chunks is a large one: its copy is the smaller part of its cost.
    this.#bytes = chunks.length === 1 ? (chunks[0] as Uint8Array) : flatten(frame);
    if (at > this.#bytes.length) throw new MalformedError(`a request of ${this.#bytes.length} bytes`);
    this.#at = at;
    return this;
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  int32(): number {
    const at = this.#need(4);
    const bytes = this.#bytes;
    return (
      ((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)
    );
  }

  bool(): boolean {
    return this.#bytes[this.#need(1)] !== 0;
  }

  /** A string that may not be null: a path, or a part of an ACL. */
  text(): string {
    const text = this.nullableText();
    if (text === null) throw new MalformedError('a null string');
    return text;
  }

  nullableText(): string | null {
    const size = juteSize(this.int32());
    if (size < 0) return null;
    const at = this.#need(size);
    return this.#texts.get(this.#bytes, at, at + size);
  }

  /** A view into the frame. */
  buffer(): Uint8Array | null {
    const size = juteSize(this.int32());
    if (size < 0) return null;
    const at = this.#need(size);
    return this.#bytes.subarray(at, at + size);
  }

  #need(size: number): number {
    const at = this.#at;
    if (size > this.#bytes.length - at) {
      throw new MalformedError(`${size} bytes wanted at position ${at}, ${this.remaining} are there`);
    }
    this.#at = at + size;
    return at;
  }
}

const CACHE_ENTRIES = 4096;
/** Longer texts are not kept. */
const CACHED_BYTES_MAX = 128;

/**
 * The texts seen last, by a hash of their bytes. Clients name the same paths again and again, and a string that the tree's table
 * has met before is found without hashing or comparing it.
 */
class TextCache {
  readonly #entries: string[] = new Array(CACHE_ENTRIES).fill('');

  get(bytes: Uint8Array, start: number, end: number): string {
    if (end - start > CACHED_BYTES_MAX) return Buffer.prototype.utf8Slice.call(bytes, start, end);
    // FNV-1a.
    let hash = 0x811c9dc5;
    let isAscii = true;
    for (let at = start; at < end; at += 1) {
      const byte = bytes[at] as number;
      if (byte >= 0x80) isAscii = false;
      hash = Math.imul(hash ^ byte, 0x01000193);
    }
    if (!isAscii) return Buffer.prototype.utf8Slice.call(bytes, start, end);
    const slot = (hash ^ (hash >>> 15)) & (CACHE_ENTRIES - 1);
    const known = this.#entries[slot] as string;
    if (equals(known, bytes, start, end)) return known;
    const text = Buffer.prototype.latin1Slice.call(bytes, start, end);
    this.#entries[slot] = text;
    return text;
  }
}

function equals(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let index = 0; index < text.length; index += 1) {
    if (text.charCodeAt(index) !== bytes[start + index]) return false;
  }
  return true;
}
