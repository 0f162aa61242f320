import { IllegalValueError } from './config-error.ts';

/**
 * The format of java.util.Properties, which both systems' configuration files have: `key=value`, `key: value` or `key value`,
 * `#` and `!` comments, a backslash that joins lines, and the escapes \t \n \r \f \uXXXX. A later key replaces an earlier one.
 *
 * @throws ConfigError for a broken \u escape
 */
export function parseProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>();
  for (const line of logicalLines(text)) {
    const keyEnd = endOfKey(line);
    const key = unescaped(line.slice(0, keyEnd), line);
    properties.set(key, unescaped(line.slice(startOfValue(line, keyEnd)), line));
  }
  return properties;
}

/** What a file holds: Java reads it as Latin-1, other characters are written as \uXXXX. */
export function readProperties(bytes: Uint8Array): Map<string, string> {
  return parseProperties(Buffer.prototype.latin1Slice.call(bytes, 0, bytes.length));
}

/** Lines without comments and blanks, continuations joined, leading white space gone. */
function logicalLines(text: string): string[] {
  const lines: string[] = [];
  let joined: string | undefined;
  for (const natural of text.split(/\r\n|\n|\r/)) {
    const line = natural.replace(/^[ \t\f]+/, '');
    if (joined === undefined && (line === '' || line[0] === '#' || line[0] === '!')) continue;
    const whole: string = (joined ?? '') + line;
    if (endsWithOpenEscape(line)) {
      joined = whole.slice(0, -1);
    } else {
      lines.push(whole);
      joined = undefined;
    }
  }
  if (joined !== undefined && joined !== '') lines.push(joined);
  return lines;
}

/** An odd number of backslashes at the end: the last one is not escaped itself. */
function endsWithOpenEscape(line: string): boolean {
  let count = 0;
  while (count < line.length && line[line.length - 1 - count] === '\\') count += 1;
  return count % 2 === 1;
}

function endOfKey(line: string): number {
  for (let index = 0; index < line.length; index += 1) {
    const character = line[index] as string;
    if (character === '\\') index += 1;
    else if (character === '=' || character === ':' || isBlank(character)) return index;
  }
  return line.length;
}

function startOfValue(line: string, keyEnd: number): number {
  let index = skipBlanks(line, keyEnd);
  if (line[index] === '=' || line[index] === ':') index = skipBlanks(line, index + 1);
  return index;
}

function skipBlanks(line: string, from: number): number {
  let index = from;
  while (index < line.length && isBlank(line[index] as string)) index += 1;
  return index;
}

function isBlank(character: string): boolean {
  return character === ' ' || character === '\t' || character === '\f';
}

const escapes: { readonly [letter: string]: string } = { t: '\t', n: '\n', r: '\r', f: '\f' };

function unescaped(text: string, line: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\(u[\s\S]{0,4}|[\s\S]|$)/g, (_, escaped: string) => {
    if (escaped[0] !== 'u') return escapes[escaped] ?? escaped;
    if (!/^u[0-9a-fA-F]{4}$/.test(escaped)) {
      throw new IllegalValueError(line, `\\${escaped}`, 'a \\u escape takes four hexadecimal digits');
    }
    return String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
  });
}

/** A line that reads as this key and value, as Apache's servers write them: bare, except where it would not read so. */
export function propertyLine(key: string, value: string): string {
  const escapedKey = escaped(key).replace(/[=: ]/g, '\\$&');
  return `${/^[#!]/.test(escapedKey) ? '\\' : ''}${escapedKey}=${escaped(value)}`;
}

const letters: { readonly [character: string]: string } = {
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
  '\f': '\\f',
  '\\': '\\\\',
};

function escaped(text: string): string {
  return text.replace(
    /[\t\n\r\f\\]|[^\0-\xff]/g,
    (character) => letters[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
