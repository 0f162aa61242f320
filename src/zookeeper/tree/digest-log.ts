import type { Zxid } from '../jute/ids.ts';
import type { DigestSum } from './digest.ts';

const INTERVAL = 128n;
const LIMIT = 1024;

export interface ZxidDigest {
  readonly zxid: Zxid;
  readonly digest: bigint;
}

/**
 * The digests of every 128th transaction, and the state of a tree that was loaded from a snapshot: until replay reaches the
 * transaction at which the snapshot's writer ended, the tree mixes states, and no digest means anything.
 */
export class DigestLog {
  readonly #entries: ZxidDigest[] = [];
  #snapshotDigest: ZxidDigest | undefined;
  #snapshotMatches: boolean | undefined;

  get entries(): readonly ZxidDigest[] {
    return this.#entries;
  }

  get isFuzzy(): boolean {
    return this.#snapshotDigest !== undefined;
  }

  /** Whether the tree had the snapshot's digest when replay came to its end; undefined while unknown. */
  get snapshotMatches(): boolean | undefined {
    return this.#snapshotMatches;
  }

  /** @param atZxid what the loaded tree stands for: it may be the snapshot's end already */
  loaded(snapshotDigest: ZxidDigest, atZxid: Zxid, sum: DigestSum): void {
    // Below the snapshot's first zxid it belongs to an earlier epoch and says nothing.
    if (snapshotDigest.zxid <= 0n || snapshotDigest.zxid < atZxid) return;
    this.#snapshotDigest = snapshotDigest;
    this.#compare(atZxid, sum);
  }

  applied(zxid: Zxid, sum: DigestSum): void {
    if (this.#snapshotDigest !== undefined) this.#compare(zxid, sum);
    if (this.#snapshotDigest === undefined && zxid % INTERVAL === 0n) {
      this.#entries.push({ zxid, digest: sum.value });
      if (this.#entries.length > LIMIT) this.#entries.shift();
    }
  }

  #compare(zxid: Zxid, sum: DigestSum): void {
    const expected = this.#snapshotDigest as ZxidDigest;
    if (zxid < expected.zxid) return;
    if (zxid === expected.zxid) this.#snapshotMatches = sum.value === expected.digest;
    this.#snapshotDigest = undefined;
  }
}
