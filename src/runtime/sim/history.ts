import { textHash } from './sim-random.ts';

/** How many bytes of a message or a write are hashed: enough to notice a different one. */
const sampledBytes = 64;
const traceLength = 1024;

/**
 * All that happened, as a running hash that proves two runs equal, and the last events as text for the message of a failure.
 */
export class History {
  #low = 0x811c9dc5 | 0;
  #high = 0x9e3779b9 | 0;
  #count = 0;
  readonly #at = new Float64Array(traceLength);
  readonly #who: string[] = new Array(traceLength).fill('');
  readonly #kind: string[] = new Array(traceLength).fill('');
  readonly #detail: (string | number)[] = new Array(traceLength).fill('');
  /** The hash of each kind and machine name, computed once. */
  readonly #words = new Map<string, number>();

  /** Events so far. */
  get count(): number {
    return this.#count;
  }

  /** Equal for equal histories; 16 hexadecimal digits. */
  get hash(): string {
    return hex(this.#high) + hex(this.#low);
  }

  record(atMs: number, who: string, kind: string, detail: string | number): void {
    const slot = this.#count % traceLength;
    this.#count += 1;
    this.#at[slot] = atMs;
    this.#who[slot] = who;
    this.#kind[slot] = kind;
    this.#detail[slot] = detail;
    this.#mix(atMs * 1024); // times are whole multiples of 2^-10 ms
    this.#mix(this.#word(who));
    this.#mix(this.#word(kind));
    this.#mix(typeof detail === 'number' ? detail : textHash(detail));
  }

  /** The content of a message or a write: two runs that differ only there differ. */
  recordBytes(bytes: Uint8Array): void {
    const count = Math.min(bytes.length, sampledBytes);
    for (let index = 0; index < count; index += 1) this.#mix(bytes[index]!);
  }

  /** The last events, one a line. */
  trace(lines: number): string {
    const count = Math.min(lines, this.#count, traceLength);
    let text = '';
    for (let index = this.#count - count; index < this.#count; index += 1) {
      const slot = index % traceLength;
      text += `${this.#at[slot]!.toFixed(3).padStart(14)} ${this.#who[slot]} ${this.#kind[slot]} ${this.#detail[slot]}\n`;
    }
    return text;
  }

  #word(text: string): number {
    let word = this.#words.get(text);
    if (word === undefined) {
      word = textHash(text);
      this.#words.set(text, word);
    }
    return word;
  }

  #mix(value: number): void {
    this.#low = Math.imul(this.#low ^ value, 0x01000193);
    this.#high = Math.imul(((this.#high << 13) | (this.#high >>> 19)) ^ value, 0x85ebca6b) + this.#low;
    this.#high |= 0;
  }
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
