import { assert } from '../../base/assert.ts';
import { Deque } from '../../base/deque.ts';
import type { ConnectionHost } from './connection-host.ts';
import type { PendingRequest } from './pending-request.ts';
import { isAnsweredHere } from './request-kind.ts';

/** Reads that may wait behind a session's own writes. */
const READS_MAX = 128;

/** The order of one session: its writes under way, and the reads behind them, each in its place until it may be answered. */
export class RequestOrder {
  readonly #host: Pick<ConnectionHost, 'outstandingCount' | 'largeRequests'>;
  readonly #pending = new Deque<PendingRequest>();
  #readCount = 0;
  #isAbandoned = false;

  constructor(host: Pick<ConnectionHost, 'outstandingCount' | 'largeRequests'>) {
    this.#host = host;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** No more reads may wait. */
  get isFull(): boolean {
    return this.#readCount >= READS_MAX;
  }

  addWrite(request: PendingRequest): void {
    this.#add(request);
  }

  /** A read that waits until all before it is done. */
  addRead(request: PendingRequest): void {
    this.#readCount += 1;
    this.#add(request);
  }

  /** The pipeline is done with a write. */
  completed(write: PendingRequest): void {
    this.#left(write);
    if (this.#isAbandoned) return;
    assert(this.#pending.shift() === write, "writes complete in their session's order", write.xid);
  }

  /** Takes the next read that no write holds back any more. */
  takeRead(): PendingRequest | undefined {
    const next = this.#pending.peek();
    if (next === undefined || !isAnsweredHere(next)) return undefined;
    this.#pending.shift();
    this.#readCount -= 1;
    this.#left(next);
    return next;
  }

  /** Nobody waits for answers any more. Writes under way go on; the pipeline will tell their completion. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#host.outstandingCount -= this.#readCount;
    this.#readCount = 0;
    const { largeRequests } = this.#host;
    if (largeRequests !== undefined) {
      for (const request of this.#pending) if (isAnsweredHere(request)) largeRequests.finished(request);
    }
    this.#pending.clear();
  }

  #add(request: PendingRequest): void {
    this.#pending.push(request);
    this.#host.outstandingCount += 1;
    this.#host.largeRequests?.begun(request, request.frame.size);
  }

  #left(request: PendingRequest): void {
    this.#host.outstandingCount -= 1;
    this.#host.largeRequests?.finished(request);
  }
}
