import type { ServerLimits } from '../../config/zoo-cfg-limits.ts';
import { MalformedError } from '../../wire/errors.ts';
import type { ServerStats } from './server-stats.ts';

/** The bytes of large requests in progress (ZooKeeperServer.checkRequestSizeWhenMessageReceived). */
export class LargeRequests {
  readonly #limits: ServerLimits;
  readonly #stats: ServerStats;
  /** By who waits: a request that has its place in its session's order. */
  readonly #sizes = new Map<object, number>();
  #bytes = 0;

  constructor(limits: ServerLimits, stats: ServerStats) {
    this.#limits = limits;
    this.#stats = stats;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @throws MalformedError if a request of this size may not be handled now: its connection ends */
  admit(size: number): void {
    if (size <= this.#limits.largeRequestThreshold || this.#bytes + size <= this.#limits.largeRequestMaxBytes) return;
    this.#stats.largeRequestsRejected += 1;
    throw new MalformedError(`a large request of ${size} bytes`);
  }

  /** It is in progress until `finished`. */
  begun(request: object, size: number): void {
    if (size <= this.#limits.largeRequestThreshold) return;
    this.#sizes.set(request, size);
    this.#bytes += size;
  }

  finished(request: object): void {
    const size = this.#sizes.get(request);
    if (size === undefined) return;
    this.#sizes.delete(request);
    this.#bytes -= size;
  }
}
