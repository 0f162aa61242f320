const SECRET = /(password|passwd|secret|superdigest)$/i;

/** What of a key may stand in a message: a misspelt `ssl.keyStore.Password` is not to be read in a log. */
export function shownSetting(key: string, value: string): string {
  return `${key}=${SECRET.test(key) ? '[hidden]' : value}`;
}

/** A configuration that cannot be honoured: names the key, what it holds, and what would do. */
export class ConfigError extends Error {
  readonly key: string;
  readonly value: string | undefined;

  constructor(key: string, value: string | undefined, fix: string) {
    super(value === undefined ? `${key} is missing: ${fix}` : `${shownSetting(key, value)} is refused: ${fix}`);
    this.name = 'ConfigError';
    this.key = key;
    this.value = value;
  }
}

/**
 * Where Java throws an IllegalArgumentException that Apache's server does not foresee: a configuration is refused all the same, a
 * reconfiguration is answered with MarshallingError instead of BadArguments.
 */
export class IllegalValueError extends ConfigError {}
