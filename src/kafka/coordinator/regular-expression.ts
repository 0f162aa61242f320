import { RE2JS, RE2JSSyntaxException } from 're2js';

/** A text that is no pattern; the message is RE2/J's, without the place. */
export class PatternError extends Error {
  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.name = 'PatternError';
  }
}

/** Whether a whole text matches. */
export type Pattern = (text: string) => boolean;

/**
 * Compiles a pattern that a client sent. Its language and its engine are RE2's, as in Apache's brokers: the time is linear in the
 * text, so that no pattern can hold up the loop.
 * @throws PatternError
 */
export function compilePattern(pattern: string): Pattern {
  try {
    const compiled = RE2JS.compile(pattern);
    return (text) => compiled.matches(text);
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error;
    const description = error.getDescription();
    // The Java engine tells of a stray parenthesis in words that were meant for its authors.
    const message = description === 'unexpected )' ? 'regexp/syntax: internal error' : description;
    throw new PatternError(message, error);
  }
}
