import type { Zxid } from '../jute/ids.ts';
import type { CommittedProposal } from './recovery.ts';
export class CommittedLog {
  #all: CommittedProposal[] = [];
  constructor(count: number, seed: readonly CommittedProposal[]) {
    void count;
    this.#all = [...seed];
  }
  add(zxid: Zxid, bytes: Uint8Array): void {
    this.#all.push({ zxid, bytes });
    if (this.#all.length > 1000) this.#all.splice(0, 500);
  }
  clear(): void {
    this.#all = [];
  }
  [Symbol.iterator](): IterableIterator<CommittedProposal> {
    return this.#all.values();
  }
}
