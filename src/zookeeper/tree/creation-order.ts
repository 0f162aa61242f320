import { NEWER, type NodeStore, OLDER } from './node-store.ts';

/** Where an iteration stands: on the node that it answered last, -1 before the first. */
interface Cursor {
  at: number;
}

/**
 * All nodes from the oldest to the newest, so a parent comes before its children. An iteration may pause while nodes come and
 * go: what is created meanwhile comes last, what is deleted does not come.
 */
export class CreationOrder {
  readonly #store: NodeStore;
  readonly #cursors = new Set<Cursor>();
  #oldest = -1;
  #newest = -1;

  constructor(store: NodeStore) {
    this.#store = store;
  }

  append(node: number): void {
    this.#store.set(node, OLDER, this.#newest);
    this.#store.set(node, NEWER, -1);
    if (this.#newest < 0) this.#oldest = node;
    else this.#store.set(this.#newest, NEWER, node);
    this.#newest = node;
  }

  remove(node: number): void {
    const older = this.#store.get(node, OLDER);
    const newer = this.#store.get(node, NEWER);
    if (older < 0) this.#oldest = newer;
    else this.#store.set(older, NEWER, newer);
    if (newer < 0) this.#newest = older;
    else this.#store.set(newer, OLDER, older);
    for (const cursor of this.#cursors) if (cursor.at === node) cursor.at = older;
  }

  /** Who does not iterate to the end calls `return`. */
  *nodes(): Generator<number, void> {
    const cursor: Cursor = { at: -1 };
    this.#cursors.add(cursor);
    try {
      for (let next = this.#oldest; next >= 0; next = this.#after(cursor)) {
        cursor.at = next;
        yield next;
      }
    } finally {
      this.#cursors.delete(cursor);
    }
  }

  #after({ at }: Cursor): number {
    return at < 0 ? this.#oldest : this.#store.get(at, NEWER);
  }
}
