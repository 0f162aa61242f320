import { crc32, crc32OfPath, crc32Word, DigestSum } from './digest.ts';
import { CRC_PATH, CRC_PREFIX, CTIME, CZXID, DATA_LENGTH, DIGEST, MZXID, type NodeStore, PZXID } from './node-store.ts';
import type { PathStore } from './path-store.ts';

/** What each node adds to the digest of the tree. The parts that changes leave alone are kept: CRC-32 goes on from any place. */
export class NodeDigests {
  /** Over all nodes; 0 when the feature is off. */
  readonly sum = new DigestSum();
  readonly isEnabled: boolean;
  readonly #nodes: NodeStore;
  readonly #paths: PathStore;

  constructor(nodes: NodeStore, paths: PathStore, isEnabled: boolean) {
    this.#nodes = nodes;
    this.#paths = paths;
    this.isEnabled = isEnabled;
  }

  /** A node's part, unsigned 32 bits. */
  of(node: number): number {
    return this.#nodes.get(node, DIGEST) >>> 0;
  }

  pathSet(node: number, path: string): void {
    if (this.isEnabled) this.#nodes.set(node, CRC_PATH, crc32OfPath(path));
  }

  drop(node: number): void {
    this.sum.subtract(this.of(node));
  }

  /** Of the data, and perhaps of the stat. */
  dataChanged(node: number, data: Uint8Array | null): void {
    if (!this.isEnabled) return;
    const ofPath = this.#nodes.get(node, CRC_PATH);
    this.#nodes.set(node, CRC_PREFIX, data === null ? ofPath : crc32(data, 0, data.length, ofPath));
    this.statChanged(node);
  }

  statChanged(node: number): void {
    if (!this.isEnabled || this.#paths.isExcludedFromDigest(node)) return;
    const words = this.#nodes.words(node);
    const at = this.#nodes.at(node);
    let crc = words[at + CRC_PREFIX] as number;
    for (const word of IDS) crc = crc32Word(words[at + word] as number, crc);
    for (let word = CTIME; word < DATA_LENGTH; word += 1) crc = crc32Word(words[at + word] as number, crc);
    this.sum.subtract((words[at + DIGEST] as number) >>> 0);
    this.sum.add(crc >>> 0);
    words[at + DIGEST] = crc;
  }
}

/** In the order of DigestCalculator, before times, versions and owner. */
const IDS = [CZXID, CZXID + 1, MZXID, MZXID + 1, PZXID, PZXID + 1] as const;
