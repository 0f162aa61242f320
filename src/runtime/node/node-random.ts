import { randomFillSync } from 'node:crypto';
import type { Random } from '../random.ts';

const poolBytes = 4096;

/** The system's randomness, fetched a page at a time: a call costs microseconds whatever its size. */
export class NodeRandom implements Random {
  readonly #pool = Buffer.alloc(poolBytes);
  #position = poolBytes;

  uint32(): number {
    const position = this.#reserve(4);
    return this.#pool.readUInt32LE(position);
  }

  bytes(count: number): Uint8Array {
    if (count > poolBytes / 4) return randomFillSync(new Uint8Array(count));
    const position = this.#reserve(count);
    return new Uint8Array(this.#pool.subarray(position, position + count));
  }

  #reserve(count: number): number {
    if (this.#position + count > poolBytes) {
      randomFillSync(this.#pool);
      this.#position = 0;
    }
    const position = this.#position;
    this.#position += count;
    return position;
  }
}
