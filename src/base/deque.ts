/** A ring's length is a power of two; many queues never hold anything and have none. */
const RING_MIN = 16;

/** A first-in first-out queue on a ring: push and shift are constant time, unlike an array's shift. */
export class Deque<T> {
  #ring: (T | undefined)[] = [];
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(value: T): void {
    if (this.#size === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.#size) & (this.#ring.length - 1)] = value;
    this.#size += 1;
  }

  shift(): T | undefined {
    if (this.#size === 0) return undefined;
    const value = this.#ring[this.#head];
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#size -= 1;
    return value;
  }

  peek(): T | undefined {
    return this.#size === 0 ? undefined : this.#ring[this.#head];
  }

  /** The element at a distance from the head. */
  at(index: number): T | undefined {
    if (index < 0 || index >= this.#size) return undefined;
    return this.#ring[(this.#head + index) & (this.#ring.length - 1)];
  }

  clear(): void {
    this.#ring = [];
    this.#head = 0;
    this.#size = 0;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (let index = 0; index < this.#size; index += 1) yield this.at(index) as T;
  }

  #grow(): void {
    const grown: (T | undefined)[] = new Array(Math.max(RING_MIN, this.#ring.length * 2));
    for (let index = 0; index < this.#size; index += 1) grown[index] = this.at(index);
    this.#ring = grown;
    this.#head = 0;
  }
}
