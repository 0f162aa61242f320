import { Deque } from '../../base/deque.ts';
import { isGap, type Zxid } from '../jute/ids.ts';
import type { CommittedProposal } from './recovery.ts';

/** `zookeeper.commitLogCount`, default and minimum (ZKDatabase.DEFAULT_COMMIT_LOG_COUNT). */
export const COMMIT_LOG_COUNT = 500;

/**
 * The newest committed proposals, in memory: what most learners lack that come back. Bounded by count alone, as Apache's; the bytes
 * must be the caller's own, and are kept as they are.
 */
export class CommittedLog {
  readonly #proposals = new Deque<CommittedProposal>();
  readonly #countMax: number;

  /** @param seed oldest first, as recovery answers them */
  constructor(countMax = COMMIT_LOG_COUNT, seed: readonly CommittedProposal[] = []) {
    this.#countMax = Math.max(countMax, COMMIT_LOG_COUNT);
    for (const { zxid, bytes } of seed) this.add(zxid, bytes);
  }

  /**
   * One that was committed. It is passed over where it is not newer than the newest; where it leaves a gap, what was there before is
   * of no use any more.
   */
  add(zxid: Zxid, bytes: Uint8Array): void {
    const { newest } = this;
    if (newest !== undefined && zxid <= newest) return;
    if (newest !== undefined && isGap(newest, zxid)) this.clear();
    this.#proposals.push({ zxid, bytes });
    if (this.#proposals.size > this.#countMax) this.#proposals.shift();
  }

  get size(): number {
    return this.#proposals.size;
  }

  get oldest(): Zxid | undefined {
    return this.#proposals.peek()?.zxid;
  }

  get newest(): Zxid | undefined {
    return this.#proposals.at(this.#proposals.size - 1)?.zxid;
  }

  /** Oldest first. */
  [Symbol.iterator](): IterableIterator<CommittedProposal> {
    return this.#proposals[Symbol.iterator]();
  }

  clear(): void {
    this.#proposals.clear();
  }
}
