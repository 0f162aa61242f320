/** What one read can bring: more in a system call than the 64 KiB that Node reserves for each read of each socket. */
const READ_BYTES_MAX = 262_144;
/** What was received is packed into slabs of this size. */
const SLAB_BYTES = 1_048_576;

/**
 * All sockets of a process read into one buffer: a read and its handling are one after the other. What came is then copied
 * behind what other reads brought. That costs less than what Node does by itself, which is to allocate 64 KiB for each read, be
 * it of a hundred bytes, and to leave them to the garbage collector.
 */
export class ReceiveBuffer {
  readonly shared: Buffer = Buffer.allocUnsafeSlow(READ_BYTES_MAX);
  #slab: Buffer = Buffer.alloc(0);
  #used = 0;

  /** The first bytes of the shared buffer, until the next read. */
  lend(size: number): Uint8Array {
    return this.shared.subarray(0, size);
  }

  /** The first bytes of the shared buffer as a chunk that nobody changes any more. */
  take(size: number): Uint8Array {
    if (this.#used + size > this.#slab.length) {
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += size;
    this.shared.copy(this.#slab, start, 0, size);
    return this.#slab.subarray(start, this.#used);
  }
}
