/** Bytes that are not the record batch they claim to be. Recovery truncates there; a client's batch gets CORRUPT_MESSAGE. */
export class CorruptBatchError extends Error {
  constructor(what: string, options?: ErrorOptions) {
    super(what, options);
    this.name = 'CorruptBatchError';
  }
}

/** A compressed stream that does not decompress, or that grows beyond the bound it was given. */
export class CompressionError extends Error {
  constructor(what: string, options?: ErrorOptions) {
    super(what, options);
    this.name = 'CompressionError';
  }
}

/** Records that contradict themselves or their batch's header: lengths, counts, varints. A client gets INVALID_RECORD. */
export class InvalidRecordError extends Error {
  constructor(what: string, options?: ErrorOptions) {
    super(what, options);
    this.name = 'InvalidRecordError';
  }
}
