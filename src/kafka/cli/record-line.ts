import type { RecordHeader } from '../records/iterate.ts';

/** A line that does not hold what it must; the producer ends. */
export class RecordLineError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'RecordLineError';
  }
}

export interface RecordLine {
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly RecordHeader[];
}

export interface RecordLineOptions {
  readonly parseKey: boolean;
  readonly parseHeaders: boolean;
  readonly keySeparator: string;
  readonly headersDelimiter: string;
  readonly headersSeparator: string;
  readonly headersKeySeparator: string;
  readonly ignoreError: boolean;
  /** Text that stands for null. */
  readonly nullMarker: string | undefined;
  /** What 2.1 said of a line without a key. */
  readonly isOldTool: boolean;
}

/** From the tool's `--property` arguments (LineMessageReader). */
export function recordLineOptions(properties: ReadonlyMap<string, string>, isOldTool: boolean): RecordLineOptions {
  const isTrue = (name: string): boolean => properties.get(name)?.trim().toLowerCase() === 'true';
  const options = {
    parseKey: isTrue('parse.key'),
    parseHeaders: isTrue('parse.headers'),
    keySeparator: properties.get('key.separator') ?? '\t',
    headersDelimiter: properties.get('headers.delimiter') ?? '\t',
    headersSeparator: properties.get('headers.separator') ?? ',',
    headersKeySeparator: properties.get('headers.key.separator') ?? ':',
    ignoreError: isTrue('ignore.error'),
    nullMarker: properties.get('null.marker'),
    isOldTool,
  };
  refuseClashes(options);
  return options;
}

function refuseClashes(options: RecordLineOptions): void {
  const { headersDelimiter, headersSeparator, headersKeySeparator, nullMarker } = options;
  if (!options.parseHeaders) return;
  const clash = (a: string, b: string): RecordLineError => new RecordLineError(`${a} and ${b} may not be equal`);
  if (headersDelimiter === headersSeparator) throw clash('headers.delimiter', 'headers.separator');
  if (headersDelimiter === headersKeySeparator) throw clash('headers.delimiter', 'headers.key.separator');
  if (headersSeparator === headersKeySeparator) throw clash('headers.separator', 'headers.key.separator');
  if (nullMarker === headersDelimiter) throw clash('null.marker', 'headers.delimiter');
}

/** `[headers⇥][key⇥]value`. @throws RecordLineError in Apache's words */
export function parseRecordLine(line: string, number: number, options: RecordLineOptions): RecordLine {
  let rest = line;
  let headers: readonly RecordHeader[] = [];
  const cut = (separator: string, what: string): string | undefined => {
    const end = rest.indexOf(separator);
    if (end < 0) {
      if (options.ignoreError) return undefined;
      throw new RecordLineError(`${what} on line number ${number}: '${line}'`);
    }
    const head = rest.slice(0, end);
    rest = rest.slice(end + separator.length);
    return head;
  };
  if (options.parseHeaders) {
    const text = cut(options.headersDelimiter, 'No headers delimiter found');
    if (text !== undefined && text !== options.nullMarker) headers = parseHeaders(text, number, options);
  }
  if (!options.parseKey) return { key: null, value: withNull(rest, options), headers };
  if (options.isOldTool && !options.ignoreError && !rest.includes(options.keySeparator)) {
    throw new RecordLineError(`No key found on line ${number}: ${line}`);
  }
  const key = cut(options.keySeparator, 'No key separator found');
  return { key: key === undefined ? null : withNull(key, options), value: withNull(rest, options), headers };
}

function withNull(text: string, { nullMarker }: RecordLineOptions): string | null {
  return text === nullMarker ? null : text;
}

function parseHeaders(text: string, number: number, options: RecordLineOptions): RecordHeader[] {
  return text.split(options.headersSeparator).map((pair) => {
    const end = pair.indexOf(options.headersKeySeparator);
    if (end < 0) {
      if (options.ignoreError) return { key: pair, value: null };
      throw new RecordLineError(`No header key separator found in pair '${pair}' on line number ${number}`);
    }
    const key = pair.slice(0, end);
    const value = withNull(pair.slice(end + options.headersKeySeparator.length), options);
    if (key === options.nullMarker) {
      throw new RecordLineError(`Header keys should not be equal to the null marker '${key}' as they can't be null`);
    }
    return { key, value: value === null ? null : Buffer.from(value) };
  });
}
