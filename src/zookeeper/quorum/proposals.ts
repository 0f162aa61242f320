import { assert } from '../../base/assert.ts';
import { Deque } from '../../base/deque.ts';
import { counterOf, type Zxid } from '../jute/ids.ts';
import type { QuorumVerifier, ServerId } from './quorum-verifier.ts';

interface Outstanding {
  readonly zxid: Zxid;
  readonly acks: Set<ServerId>;
  /** All of them have to agree: two while a membership is being replaced. */
  readonly verifiers: readonly QuorumVerifier[];
}

/**
 * What a leader has proposed and not committed (Leader.outstandingProposals). Zab commits in the order of zxids: a quorum for a
 * later proposal waits for every earlier one.
 */
export class Proposals {
  readonly #outstanding = new Deque<Outstanding>();
  #lastProposed: Zxid;
  #lastCommitted: Zxid;

  /** @param newEpoch the zxid that opens the leader's epoch */
  constructor(newEpoch: Zxid) {
    assert(counterOf(newEpoch) === 0, 'an epoch begins with counter 0', newEpoch);
    this.#lastProposed = newEpoch;
    this.#lastCommitted = newEpoch;
  }

  get lastProposed(): Zxid {
    return this.#lastProposed;
  }

  get lastCommitted(): Zxid {
    return this.#lastCommitted;
  }

  get size(): number {
    return this.#outstanding.size;
  }

  propose(zxid: Zxid, verifiers: readonly QuorumVerifier[]): void {
    assert(zxid === this.#lastProposed + 1n, 'proposals have no gaps', zxid, this.#lastProposed);
    this.#lastProposed = zxid;
    this.#outstanding.push({ zxid, acks: new Set(), verifiers });
  }

  /**
   * A server, we too, has the proposal on its disk. Answers what is committed by that, in order. An acknowledgement of what is
   * committed already is normal; one of what was never proposed is the peer's fault and says nothing.
   */
  acknowledge(zxid: Zxid, from: ServerId): Zxid[] {
    if (zxid <= this.#lastCommitted || zxid > this.#lastProposed) return [];
    // No gaps: its place follows from its zxid.
    this.#outstanding.at(Number(zxid - this.#lastCommitted) - 1)?.acks.add(from);
    const committed: Zxid[] = [];
    for (let next = this.#outstanding.peek(); next !== undefined; next = this.#outstanding.peek()) {
      const { acks, verifiers } = next;
      if (!verifiers.every((verifier) => verifier.isQuorum(acks))) break;
      this.#outstanding.shift();
      this.#lastCommitted = next.zxid;
      committed.push(next.zxid);
    }
    return committed;
  }
}
