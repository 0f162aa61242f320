import { RE2JS, RE2JSSyntaxException } from 're2js';

/**
 * Compiles a pattern that a client sent. Its language and its engine are RE2's, as in Apache's brokers: the time is linear in the
 * text, so that no pattern can hold up the loop. What comes back says whether a whole text matches; undefined for a pattern that
 * is none.
 */
export function compilePattern(pattern: string): ((text: string) => boolean) | undefined {
  try {
    const compiled = RE2JS.compile(pattern);
    return (text) => compiled.matches(text);
  } catch (error) {
    if (error instanceof RE2JSSyntaxException) return undefined;
    throw error;
  }
}
