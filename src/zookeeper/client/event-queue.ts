import { Deque } from '../../base/deque.ts';
import type { Reject, Resolve } from './client-errors.ts';

/** How a sequence ended: normally, or with what is thrown. */
type End = { readonly error: Error | undefined };

/** Values that come when they come, taken one after another with `for await`. The owner bounds it by what it puts in. */
export class EventQueue<T> {
  readonly #values = new Deque<T>();
  readonly #takers = new Deque<{ resolve: Resolve<IteratorResult<T, undefined>>; reject: Reject }>();
  #end: End | undefined;

  /** Values that nobody has taken yet. */
  get size(): number {
    return this.#values.size;
  }

  get isOver(): boolean {
    return this.#end !== undefined;
  }

  /** The youngest of the values that nobody has taken yet. */
  get last(): T | undefined {
    return this.#values.at(this.#values.size - 1);
  }

  put(value: T): void {
    if (this.#end !== undefined) return;
    const taker = this.#takers.shift();
    if (taker === undefined) this.#values.push(value);
    else taker.resolve({ done: false, value });
  }

  /** As `put`, in place of all values that nobody has taken yet. */
  replace(value: T): void {
    if (this.#end === undefined) this.#values.clear();
    this.put(value);
  }

  /** The end: normal, or with an error that is thrown once, after the values before it. Answers whether it was the first. */
  end(error?: Error): boolean {
    if (this.#end !== undefined) return false;
    this.#end = { error };
    for (let taker = this.#takers.shift(); taker !== undefined; taker = this.#takers.shift()) {
      void this.next().then(taker.resolve, taker.reject);
    }
    return true;
  }

  discard(): void {
    this.#values.clear();
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const value = this.#values.shift();
    if (value !== undefined) return Promise.resolve({ done: false, value });
    const end = this.#end;
    if (end === undefined) return new Promise((resolve, reject) => this.#takers.push({ resolve, reject }));
    this.#end = { error: undefined };
    if (end.error !== undefined) return Promise.reject(end.error);
    return Promise.resolve({ done: true, value: undefined });
  }
}
