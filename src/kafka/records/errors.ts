/** Bytes that are not the record batch they claim to be. Recovery truncates there; a client's batch gets CORRUPT_MESSAGE. */
export class CorruptBatchError extends Error {
  /** A checksum is not that of its bytes. */
  readonly isCrc: boolean;

  constructor(what: string, options?: ErrorOptions & { readonly isCrc?: boolean }) {
    super(what, options);
    this.name = 'CorruptBatchError';
    this.isCrc = options?.isCrc === true;
  }
}

/** Records that contradict themselves or their batch's header: lengths, counts, varints. A client gets INVALID_RECORD. */
export class InvalidRecordError extends Error {
  constructor(what: string, options?: ErrorOptions) {
    super(what, options);
    this.name = 'InvalidRecordError';
  }
}

export function invalidStructure(): InvalidRecordError {
  return new InvalidRecordError('Found invalid record structure');
}

export function invalidHeaderCount(count: number): InvalidRecordError {
  return new InvalidRecordError(`Found invalid number of record headers ${count}`);
}

export function negativeHeaderKey(length: number): InvalidRecordError {
  return new InvalidRecordError(`Invalid negative header key size ${length}`);
}
