export interface TransactionConfig {
  /** The longest that a transaction may ask to stay open. */
  readonly timeoutMaxMs: number;
  /** How often transactions are looked for that have been open for too long. */
  readonly abortIntervalMs: number;
  /** How long a transactional id is remembered that nobody uses. */
  readonly idExpirationMs: number;
  /** How often such ids are looked for. */
  readonly expiryIntervalMs: number;
  /** About how much of the log is read at a time while loading. */
  readonly loadBufferBytes: number;
  /**
   * The cluster's `transaction.version`: 0 as in every cluster with ZooKeeper of Apache's; 1 writes flexible records, 2 lets
   * clients speak KIP-890's protocol.
   */
  readonly version: number;
}

/** From a broker's configuration, by its keys. */
export function transactionConfig(number: (key: string) => number): TransactionConfig {
  return {
    timeoutMaxMs: number('transaction.max.timeout.ms'),
    abortIntervalMs: number('transaction.abort.timed.out.transaction.cleanup.interval.ms'),
    idExpirationMs: number('transactional.id.expiration.ms'),
    expiryIntervalMs: number('transaction.remove.expired.transaction.cleanup.interval.ms'),
    loadBufferBytes: number('transaction.state.log.load.buffer.size'),
    version: number('transaction.version'),
  };
}
