/** A compressed stream that does not decompress. */
export class CompressionError extends Error {
  constructor(what: string, options?: ErrorOptions) {
    super(what, options);
    this.name = 'CompressionError';
  }
}

/** A stream that grows beyond the bound it was given; it may be right otherwise. */
export class OversizeError extends CompressionError {
  constructor(sizeMax: number) {
    super(`compressed bytes that become more than ${sizeMax}`);
    this.name = 'OversizeError';
  }
}
