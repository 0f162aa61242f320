/** Our own fault: a state that the code believes impossible. The server that meets one stops; its host process lives. */
export class InvariantError extends Error {
  readonly values: readonly unknown[];

  constructor(what: string, values: readonly unknown[]) {
    super(values.length === 0 ? what : `${what}: ${values.map(String).join(', ')}`);
    this.name = 'InvariantError';
    this.values = values;
  }
}

/** Assertions stay on in production: a wrong state must stop the server before it reaches the disk or a client. */
export function assert(condition: boolean, what: string, ...values: readonly unknown[]): asserts condition {
  if (!condition) throw new InvariantError(what, values);
}

/** The value of an entry that must be there. */
export function present<T>(value: T | undefined | null, what: string, ...values: readonly unknown[]): T {
  if (value === undefined || value === null) throw new InvariantError(what, values);
  return value;
}
