/**
 * What `srvr`, `stat` and `mntr` count: of the server that serves now (ServerStats), and of the process. Latencies are milliseconds from the arrival of a request to
 * its reply.
 */
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
  /** Of replies, without pings. */
  responseBytes = 0;
  watchBytes = 0;
  /** Beyond `fsync.warningthresholdms`. */
  slowSyncs = 0;
  connectionRequests = 0;
  connectionsRejected = 0;
  connectionsDropped = 0;
  sessionlessExpired = 0;
  sessionsExpired = 0;
  /** `tls_handshake_exceeded`: refused for the limit of handshakes at a time. */
  tlsHandshakesExceeded = 0;
  /** `unsuccessful_handshake`. */
  unsuccessfulHandshakes = 0;
  /** Plain connections from other machines, and from this one, where TLS is to be had: they only grow. */
  nonMtlsRemoteConnections = 0;
  nonMtlsLocalConnections = 0;
  /** `outstanding_tls_handshake`: begun and not ended, now. */
  outstandingTlsHandshakes = 0;
  /** How often the request throttler's queue had to wait. */
  requestThrottleWaitCount = 0;
  /** Requests answered with ThrottledOp. */
  throttledOps = 0;
  /** Requests that were stale when their turn came, handled all the same. */
  staleRequests = 0;
  staleRequestsDropped = 0;
  /** Answers for which nobody was there any more, or which came after the session's timeout. */
  staleReplies = 0;
  largeRequestsRejected = 0;
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

  /** @param size without its length field */
  responded(size: number): void {
    this.lastResponseSize = size;
    if (this.minResponseSize < 0 || size < this.minResponseSize) this.minResponseSize = size;
    if (size > this.maxResponseSize) this.maxResponseSize = size;
  }

  /** Another server serves from now on: a member of an ensemble after an election. */
  begin(): void {
    this.reset();
    this.slowSyncs = 0;
    this.nonMtlsRemoteConnections = 0;
    this.nonMtlsLocalConnections = 0;
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
