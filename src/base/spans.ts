/** Part of a piece of memory. Cheaper than a view, which is made only where a view is wanted. */
export interface Span {
  readonly memory: Uint8Array;
  readonly start: number;
  readonly end: number;
}

export function spanOf(memory: Uint8Array): Span {
  return { memory, start: 0, end: memory.length };
}

/** Makes views of spans, one of neighbours: fewer entries of a vectored read or write. */
export class ViewList {
  /** All but the last; there is mostly but one. */
  #views: Uint8Array[] | undefined;
  #memory: Uint8Array | undefined;
  #start = 0;
  #end = 0;

  add({ memory, start, end }: Span): void {
    if (memory === this.#memory && start === this.#end) {
      this.#end = end;
      return;
    }
    if (this.#memory !== undefined) this.#close(this.#memory);
    this.#memory = memory;
    this.#start = start;
    this.#end = end;
  }

  /** The list must not be used afterwards. */
  finish(): readonly Uint8Array[] {
    const memory = this.#memory;
    if (memory === undefined) return [];
    if (this.#views === undefined) return [this.#view(memory)];
    this.#close(memory);
    return this.#views;
  }

  #close(memory: Uint8Array): void {
    this.#views ??= [];
    this.#views.push(this.#view(memory));
  }

  #view(memory: Uint8Array): Uint8Array {
    const isWhole = this.#start === 0 && this.#end === memory.length;
    return isWhole ? memory : memory.subarray(this.#start, this.#end);
  }
}
