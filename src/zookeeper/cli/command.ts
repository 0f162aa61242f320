import type { ZookeeperClient } from '../client/client.ts';
import type { Watcher } from '../client/watch-registry.ts';
import { CliError, type OptionSpec, type ParsedWords, parserError, parseWords } from './command-line.ts';

/** Where a command's lines go: results to standard output; errors, and what only confirms, to standard error. */
export interface Console {
  print(line: string): void;
  complain(line: string): void;
}

export interface CommandContext extends Console {
  readonly client: ZookeeperClient;
  /** Prints the events of watches that `-w` sets. */
  readonly watcher: Watcher;
}

export interface Command {
  readonly name: string;
  /** What follows the name in the usage block; empty for none. */
  readonly usage: string;
  /** Lines on the options, for the commands that have them in Apache's. */
  readonly optionsHelp?: readonly string[];
  readonly options?: OptionSpec;
  /** Of these options only one may be given. */
  readonly exclusive?: readonly string[];
  /** What the user hears where none of `exclusive` is given, though one must be. */
  readonly missingOption?: string;
  /** How many words must follow the options. */
  readonly wordsMin?: number;
  /** 3.4's `get path watch`: how it is told to write the same today. */
  readonly newWatchForm?: string;
  /** It looks at no word, so that none is wrong. */
  readonly takesAnyWords?: boolean;
  /** An old spelling, left out of the usage block. */
  readonly hidden?: boolean;
  run(context: CommandContext, words: ParsedWords): Promise<void> | void;
}

export function usageLine({ name, usage }: Command): string {
  return `${name} ${usage}`;
}

/** The options and words of a command. @throws CliError */
export function wordsOf(command: Command, rest: readonly string[], complain: (line: string) => void): ParsedWords {
  if (command.takesAnyWords === true) return { positional: [], options: new Map() };
  const { options = {}, exclusive = [], wordsMin = 0, newWatchForm } = command;
  const words = parseWords(rest, options, exclusive);
  if (command.missingOption !== undefined && !exclusive.some((name) => words.options.has(name))) {
    throw parserError('MissingOptionException', `Missing required option: [${command.missingOption}]`);
  }
  if (words.positional.length < wordsMin) throw usageError(command);
  if (newWatchForm === undefined || words.positional.length < 2) return words;
  complain(`'${command.name} path [watch]' has been deprecated. Please use '${newWatchForm}' instead.`);
  // Whatever the second word is, an option or a path: as Apache's.
  return parseWords(rest.with(1, '-w'), options);
}

/** Wrong words: the answer is how to use the command. */
export function usageError(command: Command): CliError {
  const lines = [usageLine(command), ...(command.optionsHelp ?? [])];
  return new CliError(lines.length === 1 ? (lines[0] as string) : `${lines.join('\n')}\n`);
}

/** Whether a text is a Java int, or long. */
export function isInteger(text: string, bits: 32 | 64): boolean {
  return /^[+-]?\d+$/.test(text) && BigInt.asIntN(bits, toBigInt(text)) === toBigInt(text);
}

/** Of digits, with a sign or without. */
export function toBigInt(text: string): bigint {
  return BigInt(text.replace(/^\+/, ''));
}

/** As Integer.parseInt. */
export function parseInteger(text: string): number {
  if (!isInteger(text, 32)) throw new CliError(`java.lang.NumberFormatException: For input string: "${text}"`);
  return Number(text);
}

export function versionOf(words: ParsedWords): number {
  return parseInteger(words.options.get('v') ?? '-1');
}
