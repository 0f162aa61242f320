import type { DataTree } from '../../tree/data-tree.ts';

export interface SubtreeSize {
  /** The root is empty. */
  readonly path: string;
  /** Of data, its own too. */
  bytes: number;
  /** Below it. */
  nodes: number;
  readonly children: SubtreeSize[];
}

/** How much lies below each node of a snapshot. */
export class SnapshotSizes {
  /** All nodes that lie so deep; the root alone at 0. */
  readonly depths: SubtreeSize[][] = [];
  readonly #byPath = new Map<string, SubtreeSize>();

  constructor(tree: DataTree) {
    this.#measure(tree, '', 0);
  }

  find(path: string): SubtreeSize | undefined {
    return this.#byPath.get(path);
  }

  summary(): string {
    const lines = [
      `Node count: ${this.#byPath.size}`,
      `Total size: ${this.find('')?.bytes ?? 0}`,
      `Max depth: ${this.depths.length}`,
      ...this.depths.map((nodes, depth) => `Count of nodes at depth ${depth}: ${nodes.length}`),
    ];
    return lines.map((line) => `${line}\n`).join('');
  }

  #measure(tree: DataTree, path: string, depth: number): SubtreeSize {
    const node = tree.find(path);
    const size: SubtreeSize = { path, bytes: tree.dataLength(node), nodes: 0, children: [] };
    for (const name of tree.children(node)) {
      const child = this.#measure(tree, `${path}/${name}`, depth + 1);
      size.children.push(child);
      size.bytes += child.bytes;
      size.nodes += 1 + child.nodes;
    }
    while (this.depths.length <= depth) this.depths.push([]);
    this.depths[depth]?.push(size);
    this.#byPath.set(path, size);
    return size;
  }
}
