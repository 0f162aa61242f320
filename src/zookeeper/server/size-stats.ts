/** Sizes of what is sent, in bytes; -1 before the first (BufferStats). */
export class SizeStats {
  #last = -1;
  #min = -1;
  #max = -1;

  get last(): number {
    return this.#last;
  }

  get min(): number {
    return this.#min;
  }

  get max(): number {
    return this.#max;
  }

  add(size: number): void {
    this.#last = size;
    if (this.#min < 0 || size < this.#min) this.#min = size;
    if (size > this.#max) this.#max = size;
  }

  reset(): void {
    this.#last = -1;
    this.#min = -1;
    this.#max = -1;
  }
}
