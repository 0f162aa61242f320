/** A configuration that cannot be honoured: names the key, what it holds, and what would do. */
export class ConfigError extends Error {
  readonly key: string;
  readonly value: string | undefined;

  constructor(key: string, value: string | undefined, fix: string) {
    super(value === undefined ? `${key} is missing: ${fix}` : `${key}=${value} is refused: ${fix}`);
    this.name = 'ConfigError';
    this.key = key;
    this.value = value;
  }
}
