/** What `srvr`, `stat` and `mntr` count (ServerStats). Latencies are milliseconds from the arrival of a request to its reply. */
export class ServerStats {
  packetsReceived = 0;
  packetsSent = 0;
  lastResponseSize = -1;
  minResponseSize = -1;
  maxResponseSize = -1;
  /** Connections whose certificate was refused, as Apache counts; failed auth packets are not among them. */
  authFailedCount = 0;
  // Counters of the metrics: they only grow.
  bytesReceived = 0;
  connectionRequests = 0;
  connectionsRejected = 0;
  connectionsDropped = 0;
  sessionlessExpired = 0;
  sessionsExpired = 0;
  ensembleAuthSuccess = 0;
  ensembleAuthFail = 0;
  ensembleAuthSkip = 0;
  #latencyCount = 0;
  #latencyTotalMs = 0;
  #latencyMinMs = Infinity;
  #latencyMaxMs = 0;

  get latencyMinMs(): number {
    return this.#latencyCount === 0 ? 0 : this.#latencyMinMs;
  }

  get latencyMaxMs(): number {
    return this.#latencyMaxMs;
  }

  get latencyAvgMs(): number {
    return this.#latencyCount === 0 ? 0 : this.#latencyTotalMs / this.#latencyCount;
  }

  /** So many requests were answered, each after so long. */
  answered(latencyMs: number, count = 1): void {
    const wholeMs = Math.floor(latencyMs);
    this.#latencyCount += count;
    this.#latencyTotalMs += wholeMs * count;
    if (wholeMs < this.#latencyMinMs) this.#latencyMinMs = wholeMs;
    if (wholeMs > this.#latencyMaxMs) this.#latencyMaxMs = wholeMs;
  }

  responded(size: number): void {
    this.lastResponseSize = size;
    if (this.minResponseSize < 0 || size < this.minResponseSize) this.minResponseSize = size;
    if (size > this.maxResponseSize) this.maxResponseSize = size;
  }

  /** `srst`. */
  reset(): void {
    this.packetsReceived = 0;
    this.packetsSent = 0;
    this.lastResponseSize = -1;
    this.minResponseSize = -1;
    this.maxResponseSize = -1;
    this.authFailedCount = 0;
    this.#latencyCount = 0;
    this.#latencyTotalMs = 0;
    this.#latencyMinMs = Infinity;
    this.#latencyMaxMs = 0;
  }
}
