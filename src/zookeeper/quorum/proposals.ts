import { assert } from '../../base/assert.ts';
import type { Zxid } from '../jute/ids.ts';
import type { QuorumVerifier, ServerId } from './quorum-verifier.ts';

/** Proposals that the same memberships decide on. */
interface Stretch {
  readonly from: Zxid;
  /** All of them have to agree: two while a membership is being replaced. */
  readonly verifiers: readonly QuorumVerifier[];
}

/**
 * What a leader has proposed and not committed (Leader.outstandingProposals). Zab commits in the order of zxids: a quorum for a
 * later proposal waits for every earlier one. A server logs in that order too, so what it acknowledges stands for all before it.
 */
export class Proposals {
  #lastProposed: Zxid;
  #lastCommitted: Zxid;
  /** Up to where each server has logged. */
  readonly #acknowledged = new Map<ServerId, Zxid>();
  /** Those of proposals that are not committed, oldest first. */
  readonly #stretches: Stretch[] = [];

  /** @param last the zxid before the leader's first proposal: the one that opens its epoch */
  constructor(last: Zxid) {
    this.#lastProposed = last;
    this.#lastCommitted = last;
  }

  get lastProposed(): Zxid {
    return this.#lastProposed;
  }

  get lastCommitted(): Zxid {
    return this.#lastCommitted;
  }

  /** Up to where each server has logged. */
  get acknowledged(): ReadonlyMap<ServerId, Zxid> {
    return this.#acknowledged;
  }

  get size(): number {
    return Number(this.#lastProposed - this.#lastCommitted);
  }

  propose(zxid: Zxid, verifiers: readonly QuorumVerifier[]): void {
    assert(zxid === this.#lastProposed + 1n, 'proposals have no gaps', zxid, this.#lastProposed);
    this.#lastProposed = zxid;
    if (this.#stretches.at(-1)?.verifiers !== verifiers) this.#stretches.push({ from: zxid, verifiers });
  }

  /**
   * A server, we too, has everything up to this on its disk. Of what is committed already that is normal; of what was never
   * proposed it is the peer's fault and says nothing. True: more may be committed now.
   */
  acknowledge(zxid: Zxid, from: ServerId): boolean {
    if (zxid <= this.#lastCommitted || zxid > this.#lastProposed) return false;
    const before = this.#acknowledged.get(from);
    if (before !== undefined && zxid <= before) return false;
    this.#acknowledged.set(from, zxid);
    return true;
  }

  /** The server may truncate its log to what is committed: what it had beyond that it has to acknowledge again. */
  forget(server: ServerId): void {
    this.#acknowledged.delete(server);
  }

  /** Commits what quorums have; answers how many proposals that are, of the oldest. */
  advance(): number {
    const before = this.#lastCommitted;
    for (let stretch = this.#stretches[0]; stretch !== undefined; stretch = this.#stretches[0]) {
      const next = this.#stretches[1];
      const end = next === undefined ? this.#lastProposed : ((next.from - 1n) as Zxid);
      const agreed = this.#agreedBy(stretch.verifiers);
      if (agreed > this.#lastCommitted) this.#lastCommitted = agreed < end ? agreed : end;
      if (this.#lastCommitted < end) break;
      this.#stretches.shift();
    }
    return Number(this.#lastCommitted - before);
  }

  /** The newest zxid that a quorum of each has logged. */
  #agreedBy(verifiers: readonly QuorumVerifier[]): Zxid {
    const marks = [...new Set(this.#acknowledged.values())].sort((one, other) => (one < other ? 1 : -1));
    for (const mark of marks) {
      const servers = [...this.#acknowledged].filter(([, zxid]) => zxid >= mark).map(([server]) => server);
      if (verifiers.every((verifier) => verifier.isQuorum(servers))) return mark;
    }
    return this.#lastCommitted;
  }
}
