/** A file of keys or certificates that cannot be used. The message names the file, and never a password. */
export class KeyStoreError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'KeyStoreError';
  }
}
