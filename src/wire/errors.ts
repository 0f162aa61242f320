/** The peer's fault: bytes that cannot be what they claim to be. The connection that sent them is closed. */
export class MalformedError extends Error {
  constructor(what: string) {
    super(what);
    this.name = 'MalformedError';
  }
}

/** A message that is not known in this version: the peer's doing, answered or closed at the edge. */
export class UnsupportedVersionError extends Error {
  readonly messageName: string;
  readonly version: number;

  constructor(messageName: string, version: number) {
    super(`${messageName} has no version ${version}`);
    this.name = 'UnsupportedVersionError';
    this.messageName = messageName;
    this.version = version;
  }
}

/** A value that this version of a message cannot carry; sending it without the field would change its meaning. */
export class LossyEncodingError extends Error {
  constructor(path: string, version: number) {
    super(`${path} cannot be written in version ${version}`);
    this.name = 'LossyEncodingError';
  }
}
