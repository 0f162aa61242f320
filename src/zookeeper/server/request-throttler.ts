import { Deque } from '../../base/deque.ts';
import type { Summary } from '../../base/metrics.ts';
import type { Slices } from '../../base/slices.ts';
import type { ServerLimits } from '../../config/zoo-cfg-limits.ts';
import type { Clock, Timer } from '../../runtime/clock.ts';
import { OpCode } from '../jute/op-codes.ts';
import type { ServerStats } from './server-stats.ts';

/** A connection whose requests may have to wait. */
export interface Throttled {
  readonly isClosed: boolean;
  /** It will take no request any more. */
  readonly isInvalid: boolean;
  readonly sessionTimeoutMs: number;
  /** The request's turn has come. */
  proceed(type: number, xid: number, frame: Slices): void;
  /** It waited too long: ThrottledOp, in its place in the session's order. */
  refuseThrottled(xid: number): void;
  /** A request of it is lost, so none after it may be handled: it ends. */
  invalidate(): void;
}

interface Waiting {
  readonly from: Throttled;
  readonly type: number;
  readonly xid: number;
  readonly frame: Slices;
  readonly queuedMs: number;
}

export interface RequestThrottlerOptions {
  readonly limits: ServerLimits;
  readonly clock: Clock;
  readonly stats: ServerStats;
  /** Requests in progress. */
  readonly inProgress: () => number;
  /** Hears how long each request waited. */
  readonly queueTime: Pick<Summary, 'add'>;
}

/**
 * One queue in front of the pipeline, for requests of all connections (RequestThrottler): while `request_throttle_max_requests`
 * are in progress, the next ones wait. `globalOutstandingLimit` alone lets every connection have one.
 */
export class RequestThrottler {
  readonly #options: RequestThrottlerOptions;
  readonly #queue = new Deque<Waiting>();
  #timer: Timer | undefined;
  #isDraining = false;
  #isClosed = false;

  constructor(options: RequestThrottlerOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#queue.size;
  }

  submit(from: Throttled, type: number, xid: number, frame: Slices): void {
    this.#queue.push({ from, type, xid, frame, queuedMs: this.#options.clock.monotonicMs() });
    this.drain();
  }

  /** Something was done, or time has passed. */
  drain(): void {
    if (this.#isDraining || this.#isClosed) return;
    this.#isDraining = true;
    try {
      while (this.#takeNext());
    } finally {
      this.#isDraining = false;
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#queue.clear();
  }

  /** False: the queue is empty or has to wait. */
  #takeNext(): boolean {
    const next = this.#queue.peek();
    if (next === undefined) return false;
    const { limits, stats, clock, inProgress } = this.#options;
    const { from, type, xid, frame, queuedMs } = next;
    const waitedMs = clock.monotonicMs() - queuedMs;
    const isStale = this.#isStale(next, waitedMs);
    if (from.isInvalid && type !== OpCode.closeSession && !(from.isClosed && isStale)) {
      this.#queue.shift();
    } else if (isStale && limits.throttleDropStale) {
      this.#queue.shift();
      stats.staleRequestsDropped += 1;
      from.invalidate();
    } else if (inProgress() >= limits.throttleMaxRequests) {
      this.#stall();
      return false;
    } else {
      this.#queue.shift();
      this.#options.queueTime.add(Math.floor(waitedMs));
      if (isStale) stats.staleRequests += 1;
      if (limits.throttledOpWaitMs > 0 && waitedMs > limits.throttledOpWaitMs && isThrottlable(type)) {
        stats.throttledOps += 1;
        from.refuseThrottled(xid);
      } else {
        from.proceed(type, xid, frame);
      }
    }
    return true;
  }

  /** The end of a session may outlive its connection, to clean up. */
  #isStale({ from, type }: Waiting, waitedMs: number): boolean {
    const { staleConnectionCheck, staleLatencyCheck } = this.#options.limits;
    if (type === OpCode.closeSession) return false;
    return (staleConnectionCheck && from.isClosed) || (staleLatencyCheck && waitedMs > from.sessionTimeoutMs);
  }

  #stall(): void {
    const { clock, stats, limits } = this.#options;
    stats.requestThrottleWaitCount += 1;
    this.#timer?.cancel();
    this.#timer = clock.after(limits.throttleStallMs, () => this.drain());
  }
}

function isThrottlable(type: number): boolean {
  return type !== OpCode.ping && type !== OpCode.closeSession;
}
