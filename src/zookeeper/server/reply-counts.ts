import { OpCode } from '../jute/op-codes.ts';
import type { ApplyResult } from '../tree/data-tree.ts';
import type { ConnectionHost } from './connection-host.ts';
import type { ConnectionStats } from './connection-stats.ts';
import type { Session } from './sessions.ts';

/** Counts a client's requests and replies, for its own line of `cons`, for the server and for its metrics. */
export class ReplyCounts {
  readonly #host: ConnectionHost;
  readonly #own: ConnectionStats;
  /** Reads answered since they were last reported, for the latency. */
  #reads = 0;

  constructor(host: ConnectionHost, own: ConnectionStats) {
    this.#host = host;
    this.#own = own;
  }

  received(): void {
    this.#own.packetsReceived += 1;
    this.#host.stats.packetsReceived += 1;
  }

  /** A reply that is no answer to a read. */
  sent(): void {
    this.#own.packetsSent += 1;
    this.#own.lastZxid = this.#host.tree.lastProcessedZxid;
    this.#host.stats.packetsSent += 1;
  }

  /** A reply outside the order of requests: authentication, or the end of the connection. */
  sentAside(size: number): void {
    this.#host.stats.responded(size);
    this.sent();
  }

  /** A session has come to be. Only that of a whole ensemble was a write. */
  sessionCreated(scope: Session['scope'], latencyMs: number): void {
    const { stats, metrics } = this.#host;
    this.#own.sessionCreated(latencyMs);
    stats.answered(latencyMs);
    if (scope === 'local') metrics.answeredReads(latencyMs, 1);
    else metrics.answeredWrite(latencyMs);
  }

  eventSent(size: number): void {
    const { stats } = this.#host;
    stats.responded(size);
    stats.watchBytes += size;
    stats.packetsSent += 1;
    this.#own.packetsSent += 1;
  }

  readAnswered(type: number, size: number): void {
    const { stats } = this.#host;
    this.#reads += 1;
    stats.responded(size);
    if (type !== OpCode.ping) stats.responseBytes += size;
  }

  /** ThrottledOp in the place of an answer: the size is not told. */
  throttledRefused(): void {
    this.#reads += 1;
  }

  /** Reads of one event share one latency: they came together and leave together. */
  reportReads(receivedMs: number): void {
    const count = this.#reads;
    if (count === 0) return;
    this.#reads = 0;
    const { clock, stats, metrics, tree } = this.#host;
    const latencyMs = clock.monotonicMs() - receivedMs;
    this.#own.answered(latencyMs, count);
    this.#own.packetsSent += count;
    this.#own.lastZxid = tree.lastProcessedZxid;
    stats.answered(latencyMs, count);
    metrics.answeredReads(latencyMs, count);
    stats.packetsSent += count;
  }

  /** @param result undefined for sync */
  writeAnswered(result: ApplyResult | undefined, latencyMs: number, size: number): void {
    const { stats, metrics } = this.#host;
    stats.answered(latencyMs);
    // As Apache's, which does not get as far as naming it.
    if (result?.type === OpCode.error) this.#own.lastType = 0;
    if (result === undefined) metrics.answeredReads(latencyMs, 1);
    else metrics.answeredWrite(latencyMs);
    stats.responded(size);
    stats.responseBytes += size;
    this.#own.answered(latencyMs, 1);
    this.sent();
  }
}
