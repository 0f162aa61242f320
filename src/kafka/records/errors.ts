/** Bytes that are not the record batch they claim to be. Recovery truncates there; a client's batch gets CORRUPT_MESSAGE. */
export class CorruptBatchError extends Error {
  constructor(what: string, options?: ErrorOptions) {
    super(what, options);
    this.name = 'CorruptBatchError';
  }
}

/** Records that contradict themselves or their batch's header: lengths, counts, varints. A client gets INVALID_RECORD. */
export class InvalidRecordError extends Error {
  constructor(what: string, options?: ErrorOptions) {
    super(what, options);
    this.name = 'InvalidRecordError';
  }
}
