import { below, fraction, type Random } from '../../runtime/random.ts';

export interface SnapshotTriggerOptions {
  /** `zookeeper.snapCount`, default 100000, at least 2. */
  readonly snapCount?: number;
  /** `zookeeper.snapSizeLimitInKb` in bytes, default 4 GiB; 0 or less turns it off. */
  readonly snapSizeBytes?: number;
}

/**
 * When to roll the log and take a snapshot: after half of the limit and a random part of the other half, so that the members of an
 * ensemble do not all write at once (SyncRequestProcessor.shouldSnapshot).
 */
export class SnapshotTrigger {
  readonly #random: Random;
  readonly #snapCount: number;
  readonly #snapSizeBytes: number;
  #count = 0;
  #countLimit = 0;
  #sizeLimit = 0;

  constructor(random: Random, options: SnapshotTriggerOptions = {}) {
    this.#random = random;
    this.#snapCount = Math.max(options.snapCount ?? 100_000, 2);
    this.#snapSizeBytes = options.snapSizeBytes ?? 4 * 1024 * 1024 * 1024;
    this.#draw();
  }

  /** After each transaction appended. True: roll the log and take a snapshot, now. */
  logged(logBytes: number): boolean {
    this.#count += 1;
    const bySize = this.#snapSizeBytes > 0 && logBytes > this.#sizeLimit;
    if (this.#count <= this.#countLimit && !bySize) return false;
    this.#count = 0;
    this.#draw();
    return true;
  }

  #draw(): void {
    const half = Math.floor(this.#snapCount / 2);
    this.#countLimit = half + below(this.#random, Math.max(half, 1));
    this.#sizeLimit = (this.#snapSizeBytes / 2) * (1 + fraction(this.#random));
  }
}
