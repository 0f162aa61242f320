/** An argument that the command line does not have, or that it may not have. The message is joptsimple's. */
export class OptionError extends Error {
  /** Of joptsimple's own exceptions: `UnrecognizedOptionException`, … */
  readonly exception: string;

  constructor(exception: string, message: string) {
    super(message);
    this.name = 'OptionError';
    this.exception = exception;
  }
}

export type ArgumentType = 'String' | 'Integer' | 'Long' | 'Double';

/** One option of a tool. */
export interface OptionSpec {
  /** Without dashes. */
  readonly name: string;
  readonly description: string;
  /** What the value is, for the table; absent: a flag. */
  readonly argument?: string;
  /** `--state` and `--state Stable`. */
  readonly isArgumentOptional?: boolean;
  /** Default String. */
  readonly type?: ArgumentType;
  /** Shown in the table, and what `value` answers when the option is not given. */
  readonly default?: string;
}

const integer = /^[+-]?\d+$/;

/** The command line as joptsimple reads it: `--name value` and `--name=value`, anything else is a word. */
export class ParsedOptions {
  readonly words: readonly string[];
  readonly #specs: ReadonlyMap<string, OptionSpec>;
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(
    specs: ReadonlyMap<string, OptionSpec>,
    values: ReadonlyMap<string, readonly string[]>,
    words: readonly string[],
  ) {
    this.#specs = specs;
    this.#values = values;
    this.words = words;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** Every value of an option that may be repeated. */
  values(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /** The one value, else the default. @throws OptionError when there are several */
  value(name: string): string | undefined {
    const values = this.values(name);
    if (values.length > 1) {
      throw new OptionError(
        'MultipleArgumentsForOptionException',
        `Found multiple arguments for option ${name}, but you asked for only one`,
      );
    }
    return values[0] ?? this.#specs.get(name)?.default;
  }

  /** Converted only when it is asked for. @throws OptionError */
  number(name: string): number | undefined {
    const value = this.value(name);
    const { type = 'Integer' } = this.#specs.get(name)!;
    if (value === undefined) return undefined;
    if (isNumber(type, value)) return Number(value);
    throw new OptionError('OptionArgumentConversionException', `Cannot parse argument '${value}' of option ${name}`);
  }
}

/** @throws OptionError */
export function parseOptions(specs: readonly OptionSpec[], args: readonly string[]): ParsedOptions {
  const byName = new Map(specs.map((spec) => [spec.name, spec]));
  const values = new Map<string, string[]>();
  const words: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const token = args[index]!;
    if (token === '--') {
      words.push(...args.slice(index + 1));
      break;
    }
    if (!token.startsWith('-') || token === '-') {
      words.push(token);
      continue;
    }
    const { name, value } = split(token);
    const spec = specOf(byName, name);
    const given = values.get(spec.name) ?? [];
    values.set(spec.name, given);
    if (spec.argument === undefined) {
      if (value !== undefined)
        throw new OptionError('OptionArgumentNotAllowed', `Option ${name} does not take an argument`);
      continue;
    }
    const next = args[index + 1];
    if (value !== undefined) {
      given.push(value);
    } else if (next !== undefined && isValue(spec, next)) {
      given.push(next);
      index += 1;
    } else if (spec.isArgumentOptional !== true) {
      throw new OptionError('OptionMissingRequiredArgumentException', `Option ${spec.name} requires an argument`);
    }
  }
  return new ParsedOptions(byName, values, words);
}

function split(token: string): { name: string; value: string | undefined } {
  const text = token.replace(/^--?/, '');
  const equals = text.indexOf('=');
  return equals < 0 ? { name: text, value: undefined } : { name: text.slice(0, equals), value: text.slice(equals + 1) };
}

/** The whole name: Apache's tools switch abbreviations off. */
function specOf(specs: ReadonlyMap<string, OptionSpec>, name: string): OptionSpec {
  const spec = specs.get(name);
  if (spec !== undefined) return spec;
  throw new OptionError('UnrecognizedOptionException', `${name} is not a recognized option`);
}

/** A value that must follow may look like an option, and even be one; one that may follow may not, but for numbers. */
function isValue({ isArgumentOptional, type = 'String' }: OptionSpec, token: string): boolean {
  if (isArgumentOptional !== true) return true;
  return type === 'String' ? !token.startsWith('-') || token === '-' : isNumber(type, token);
}

function isNumber(type: ArgumentType, text: string): boolean {
  return type === 'Double' ? text.trim() !== '' && Number.isFinite(Number(text)) : integer.test(text);
}
