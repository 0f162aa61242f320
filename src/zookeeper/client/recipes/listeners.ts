import type { ZookeeperClient } from '../client.ts';

/** Who hears of a recipe's events. A fault in the program that uses us must not break the recipe. */
export class Listeners<E> {
  readonly #listeners = new Set<(event: E) => void>();

  /** Answers how to stop listening. */
  add(listener: (event: E) => void): () => void {
    const heard = (event: E): void => listener(event); // the same function may listen twice
    this.#listeners.add(heard);
    return () => void this.#listeners.delete(heard);
  }

  tell(client: ZookeeperClient, event: E): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (error) {
        client.runtime.log.error('a listener failed', { error });
      }
    }
  }
}
