import { ExitCode, ToolError } from './tool.ts';

export interface ToolOption {
  readonly short: string;
  readonly long: string;
  readonly kind: 'flag' | 'value';
}

export interface ToolWords {
  /** By short name. */
  readonly options: ReadonlyMap<string, string>;
  readonly words: readonly string[];
}

/**
 * Options as commons-cli's DefaultParser takes them: short ones bundled or with their value beside them, long ones after one or
 * two dashes and cut where that is clear; all after the first plain word too.
 * @throws ToolError in commons-cli's words
 */
export function parseToolOptions(args: readonly string[], table: readonly ToolOption[]): ToolWords {
  const options = new Map<string, string>();
  const words: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] as string;
    if (arg === '--') {
      words.push(...args.slice(index + 1));
      break;
    }
    if (!arg.startsWith('-') || arg === '-') {
      words.push(arg);
      continue;
    }
    for (const { option, value } of optionsIn(arg, table)) {
      if (option.kind === 'flag') options.set(option.short, '');
      else if (value !== undefined) options.set(option.short, value);
      else {
        index += 1;
        const next = args[index];
        if (next === undefined || isOption(next, table)) throw refused(`Missing argument for option: ${option.short}`);
        options.set(option.short, next);
      }
    }
  }
  return { options, words };
}

interface Found {
  readonly option: ToolOption;
  readonly value?: string;
}

function optionsIn(arg: string, table: readonly ToolOption[]): Found[] {
  const [, dashes = '', name = '', , value] = /^(--?)([^=]*)(=(.*))?$/s.exec(arg) ?? [];
  const short = dashes === '-' ? table.find((option) => option.short === name) : undefined;
  const option = short ?? longOption(name, table);
  if (option !== undefined) {
    if (value !== undefined && option.kind === 'flag') throw unrecognized(arg);
    return [{ option, ...(value === undefined ? {} : { value }) }];
  }
  if (dashes === '--') throw unrecognized(arg);
  return bundle(arg, table);
}

/** `-rv`, `-z5`. */
function bundle(arg: string, table: readonly ToolOption[]): Found[] {
  const found: Found[] = [];
  for (let at = 1; at < arg.length; at += 1) {
    const option = table.find(({ short }) => short === arg[at]);
    if (option === undefined) throw unrecognized(arg);
    if (option.kind === 'value' && at + 1 < arg.length) return [...found, { option, value: arg.slice(at + 1) }];
    found.push({ option });
  }
  return found;
}

function longOption(name: string, table: readonly ToolOption[]): ToolOption | undefined {
  const exact = table.find(({ long }) => long === name);
  if (exact !== undefined || name.length < 2) return exact;
  const matching = table.filter(({ long }) => long.startsWith(name));
  return matching.length === 1 ? matching[0] : undefined;
}

function isOption(word: string, table: readonly ToolOption[]): boolean {
  if (!word.startsWith('-') || word === '-') return false;
  return (
    table.some(({ short }) => word.startsWith(`-${short}`)) || longOption(word.replace(/^--?/, ''), table) !== undefined
  );
}

function unrecognized(arg: string): ToolError {
  return refused(`Unrecognized option: ${arg}`);
}

function refused(message: string): ToolError {
  return new ToolError(message, ExitCode.invalidInvocation);
}
