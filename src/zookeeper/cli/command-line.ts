/** A command that ends with a message on standard error and an exit code; the shell goes on. */
export class CliError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.name = 'CliError';
    this.exitCode = exitCode;
  }
}

/** Words of a line: separated by blanks, or in quotes of either kind; no escapes (ZooKeeperMain.MyCommandOptions). */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  for (const [, word = ''] of line.trim().matchAll(/\s*([^"'\s]\S*|"[^"]*"|'[^']*')\s*/g)) {
    const quoted = /^(["'])(.*)\1$/s.exec(word);
    words.push(quoted?.[2] ?? word);
  }
  return words;
}

/** One-letter or longer option names, by whether a value follows. */
export type OptionSpec = { readonly [name: string]: 'flag' | 'value' };

export interface ParsedWords {
  /** Without the command itself. */
  readonly positional: readonly string[];
  readonly options: ReadonlyMap<string, string>;
}

/**
 * Options as the parser of Apache's commands takes them: anywhere among the words, flags bundled (`-sw`), a value beside its
 * option or as the next word.
 * @throws CliError in the words of commons-cli
 */
export function parseWords(words: readonly string[], spec: OptionSpec): ParsedWords {
  const positional: string[] = [];
  const options = new Map<string, string>();
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] as string;
    if (word === '--') {
      positional.push(...words.slice(index + 1));
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      positional.push(word);
      continue;
    }
    for (const { name, value } of optionsOf(word, spec)) {
      if (spec[name] === 'flag') options.set(name, '');
      else if (value !== undefined) options.set(name, value);
      else {
        index += 1;
        const next = words[index];
        if (next === undefined) throw parserError('MissingArgumentException', `Missing argument for option: ${name}`);
        options.set(name, next);
      }
    }
  }
  return { positional, options };
}

/** `-s`, `-sw`, `-v5`, `-members`. */
function optionsOf(word: string, spec: OptionSpec): { name: string; value?: string }[] {
  const whole = word.replace(/^--?/, '');
  if (spec[whole] !== undefined) return [{ name: whole }];
  const found: { name: string; value?: string }[] = [];
  for (let at = 1; at < word.length; at += 1) {
    const name = word[at] as string;
    if (spec[name] === undefined) throw parserError('UnrecognizedOptionException', `Unrecognized option: ${word}`);
    if (spec[name] === 'value' && at + 1 < word.length) return [...found, { name, value: word.slice(at + 1) }];
    found.push({ name });
  }
  return found;
}

export function parserError(exception: string, message: string): CliError {
  return new CliError(`org.apache.commons.cli.${exception}: ${message}`);
}
