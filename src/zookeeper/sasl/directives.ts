/** What the peer sent breaks the rules of DIGEST-MD5, or is the wrong answer. The text never holds a secret. */
export class SaslError extends Error {
  constructor(message: string) {
    super(`DIGEST-MD5: ${message}`);
    this.name = 'SaslError';
  }
}

/** Values as bytes held in Latin-1 text; keys in lower case. */
export type Directives = ReadonlyMap<string, string>;

const KEY = /[^,=\s]+/y;
const QUOTED = /"((?:[^"\\]|\\[\s\S])*)"/y;
const BARE = /[^,\t\n\r ]*/y;
const BLANK = /[\t\n\r ]*/y;
const SEPARATORS = /[,\t\n\r ]*/y;

/**
 * Reads `key=value,key="value"` (RFC 2831, 7.1). As tolerant as Java's: white space separates as a comma does, and stands around
 * the equals sign; `known` keys must not come twice, others are passed over.
 *
 * @throws SaslError
 */
export function parseDirectives(token: Uint8Array, known: ReadonlySet<string>): Directives {
  const text = Buffer.prototype.latin1Slice.call(token, 0, token.length);
  const found = new Map<string, string>();
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    at += match?.[0].length ?? 0;
    return match;
  };
  for (take(SEPARATORS); at < text.length; take(SEPARATORS)) {
    const key = take(KEY)?.[0].toLowerCase();
    // The last key may stand alone.
    const isBare = key !== undefined && at === text.length;
    if (!isBare) {
      take(BLANK);
      if (key === undefined || text[at] !== '=') throw new SaslError("'=' expected after a directive's key");
      at += 1;
      take(BLANK);
      if (at >= text.length) throw new SaslError(`the directive ${key} has no value`);
    }
    const value = text[at] === '"' ? quotedValue(take(QUOTED), key) : (take(BARE)?.[0] ?? '');
    if (at < text.length && !/[,\t\n\r ]/.test(text[at] as string)) {
      throw new SaslError(`a comma expected after the quoted value of ${key}`);
    }
    if (!known.has(key)) continue;
    if (found.has(key)) throw new SaslError(`the peer sent more than one ${key} directive`);
    found.set(key, value);
  }
  return found;
}

function quotedValue(match: RegExpExecArray | null, key: string): string {
  if (match === null) throw new SaslError(`the quoted value of ${key} does not end`);
  return (match[1] as string).replaceAll(/\\([\s\S])/g, '$1');
}

/** The value as it stands between quotes (RFC 2831, 7.2). */
export function quoted(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what has to be escaped
  return `"${value.replaceAll(/["\\\u007f\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '\\$&')}"`;
}
