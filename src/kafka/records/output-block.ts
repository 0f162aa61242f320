import { viewOf } from './bytes.ts';

/** One piece of memory that grows, for what is written batch after batch. */
export class OutputBlock {
  /** Only `end` bytes of it have a meaning. It may be another one after `reserve`. */
  bytes: Uint8Array<ArrayBuffer>;
  view: DataView;
  end = 0;

  /** @param memory what is used first */
  constructor(memory: Uint8Array<ArrayBuffer>) {
    this.bytes = memory;
    this.view = viewOf(memory);
  }

  /** Makes room for so many more bytes. */
  reserve(size: number): void {
    if (this.end + size <= this.bytes.length) return;
    const wanted = Math.max(2 * this.bytes.length, this.end + size);
    // Not cleared, and of no pool: it can change hands as a whole.
    const larger = new Uint8Array(Buffer.allocUnsafeSlow(wanted).buffer);
    larger.set(this.bytes.subarray(0, this.end));
    this.bytes = larger;
    this.view = viewOf(larger);
  }

  add(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.end);
    this.end += bytes.length;
  }

  /** Memory beyond so many bytes is let go. */
  empty(keptBytesMax: number): void {
    this.end = 0;
    if (this.bytes.length <= keptBytesMax) return;
    this.bytes = new Uint8Array(0);
    this.view = viewOf(this.bytes);
  }

  /** What was written, in the memory that it was written to. */
  written(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, this.end);
  }
}
