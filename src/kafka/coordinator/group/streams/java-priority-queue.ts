/**
 * A binary heap that moves its elements as `java.util.PriorityQueue` does: which of several equals comes first decides who gets a
 * task.
 */
export class JavaPriorityQueue<T> {
  readonly #heap: T[] = [];
  readonly #orderOf: (item: T) => number;

  constructor(orderOf: (item: T) => number) {
    this.#orderOf = orderOf;
  }

  get size(): number {
    return this.#heap.length;
  }

  add(item: T): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (this.#orderOf(item) >= this.#orderOf(heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = item;
  }

  poll(): T | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let at = 0;
    while (at < heap.length >>> 1) {
      let child = 2 * at + 1;
      const right = child + 1;
      if (right < heap.length && this.#orderOf(heap[child]!) > this.#orderOf(heap[right]!)) child = right;
      if (this.#orderOf(last) <= this.#orderOf(heap[child]!)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}
