/** A compressed stream that does not decompress, or that grows beyond the bound it was given. */
export class CompressionError extends Error {
  constructor(what: string, options?: ErrorOptions) {
    super(what, options);
    this.name = 'CompressionError';
  }
}
