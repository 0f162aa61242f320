import type { ZooCfg } from '../../config/zoo-cfg.ts';
import { wordLength } from './words/four-letter-words.ts';

/** Of a word, in bytes. */
export const LETTERS = 4;

/** The first bytes of a connection: a four-letter word with what belongs to it, or the length of the first frame. */
export class Greeting {
  readonly #config: ZooCfg;
  #bytes: Uint8Array | undefined;

  constructor(config: ZooCfg) {
    this.#config = config;
  }

  /** All that came so far, once that is enough to tell which of the two it is; undefined: more has to come. */
  add(chunk: Uint8Array): Uint8Array | undefined {
    const bytes = this.#bytes === undefined ? chunk : Buffer.concat([this.#bytes, chunk]);
    const isEnough = bytes.length >= LETTERS && bytes.length >= wordLength(wordOf(bytes), this.#config);
    this.#bytes = isEnough ? undefined : bytes;
    return isEnough ? bytes : undefined;
  }
}

export function wordOf(bytes: Uint8Array): string {
  return Buffer.prototype.latin1Slice.call(bytes, 0, LETTERS);
}
