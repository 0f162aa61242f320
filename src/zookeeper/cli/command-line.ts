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
 * option (`-v5`, `-v=5`) or as the next word, which may be a negative number but no option. Of an option given twice, the first
 * value counts.
 * @throws CliError in the words of commons-cli
 */
export function parseWords(words: readonly string[], spec: OptionSpec, exclusive: readonly string[] = []): ParsedWords {
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
      refuseSecond(name, options, exclusive);
      let given = value;
      if (given === undefined) {
        index += 1;
        given = words[index];
        if (given === undefined || isOption(given, spec)) {
          throw parserError('MissingArgumentException', `Missing argument for option: ${name}`);
        }
      }
      if (!options.has(name)) options.set(name, given);
    }
  }
  return { positional, options };
}

/** @throws CliError for two of those of which only one may be given */
function refuseSecond(name: string, options: ReadonlyMap<string, string>, exclusive: readonly string[]): void {
  const first = exclusive.find((other) => options.has(other));
  if (first === undefined || first === name || !exclusive.includes(name)) return;
  throw parserError(
    'AlreadySelectedException',
    `The option '${name}' was specified but an option from this group has already been selected: '${first}'`,
  );
}

function isOption(word: string, spec: OptionSpec): boolean {
  if (word === '--') return true;
  if (!/^-[^-]/.test(word) || /^-(\d+\.?\d*|\.\d+)$/.test(word)) return false;
  const [name = ''] = word.slice(1).split('=', 1);
  return spec[name] !== undefined || spec[name[0] as string] !== undefined;
}

/** `-s`, `-sw`, `-v5`, `-v=5`, `-members`. A flag's value is empty; a value that is the next word is undefined. */
function optionsOf(word: string, spec: OptionSpec): { name: string; value: string | undefined }[] {
  const valueBeside = (name: string): string | undefined => (spec[name] === 'flag' ? '' : undefined);
  const whole = word.slice(1);
  if (spec[whole] !== undefined) return [{ name: whole, value: valueBeside(whole) }];
  const unrecognized = parserError('UnrecognizedOptionException', `Unrecognized option: ${word}`);
  const equals = whole.indexOf('=');
  if (equals >= 0) {
    const name = whole.slice(0, equals);
    if (name.length !== 1 || spec[name] !== 'value') throw unrecognized;
    return [{ name, value: whole.slice(equals + 1) }];
  }
  const found: { name: string; value: string | undefined }[] = [];
  for (const [at, name] of [...whole].entries()) {
    if (spec[name] === undefined) throw unrecognized;
    if (spec[name] === 'value' && at + 1 < whole.length) return [...found, { name, value: whole.slice(at + 1) }];
    found.push({ name, value: valueBeside(name) });
  }
  return found;
}

export function parserError(exception: string, message: string): CliError {
  return new CliError(`org.apache.commons.cli.${exception}: ${message}`);
}
