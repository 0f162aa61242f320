import { ConfigError, shownSetting } from './config-error.ts';
import { isBoolean, numberFault, splitList } from './values.ts';

/**
 * `honoured`: a test shows what it changes. `accepted`: Apache's key that means nothing here (thread counts, buffer sizes);
 * read, and warned about once where it is set.
 */
export type Effect = 'honoured' | 'accepted';
export type OptionType = 'string' | 'path' | 'int' | 'long' | 'double' | 'boolean' | 'yes-no' | 'list';

/** One key of a configuration file. */
export interface Option {
  readonly name: string;
  readonly type: OptionType;
  /** As text; null where there is none. */
  readonly default: string | null;
  readonly effect: Effect;
  readonly description: string;
  /** Of numbers: `ms`, `KiB`, `ticks`, … */
  readonly unit?: string;
  readonly min?: number;
  readonly max?: number;
}

/** Values by key over a table of options: every read is typed, every value was checked. */
export class Options {
  readonly #table: ReadonlyMap<string, Option>;
  readonly #given: ReadonlyMap<string, string>;
  readonly warnings: readonly string[];

  /**
   * @param isKnown keys beyond the table that are someone else's (`server.1`)
   * @throws ConfigError for a value that its option cannot take
   */
  constructor(
    table: ReadonlyMap<string, Option>,
    given: ReadonlyMap<string, string>,
    isKnown: (key: string) => boolean = () => false,
  ) {
    this.#table = table;
    this.#given = given;
    this.warnings = check(table, given, isKnown);
  }

  isGiven(name: string): boolean {
    return this.#given.has(name);
  }

  /** Given, else the default. */
  optional(name: string): string | undefined {
    return this.#given.get(name) ?? this.#option(name).default ?? undefined;
  }

  string(name: string): string {
    const value = this.optional(name);
    if (value === undefined) throw new ConfigError(name, undefined, this.#option(name).description);
    return value;
  }

  number(name: string): number {
    return Number(this.string(name));
  }

  boolean(name: string): boolean {
    const value = this.string(name).toLowerCase();
    return value === 'true' || value === 'yes';
  }

  list(name: string): readonly string[] {
    return splitList(this.string(name));
  }

  #option(name: string): Option {
    const option = this.#table.get(name);
    if (option === undefined) throw new ConfigError(name, undefined, 'no option of this name is known');
    return option;
  }
}

/** Of a value, beside its type. */
export type Limits = Pick<Option, 'unit' | 'min' | 'max'>;

/** A key that does here what it does at Apache. @param value the default, null for none */
export function option(
  name: string,
  type: OptionType,
  value: string | number | boolean | null,
  description: string,
  limits: Limits = {},
): Option {
  return { name, type, default: value === null ? null : String(value), effect: 'honoured', description, ...limits };
}

/**
 * Apache's, without effect here: there are no threads, no JVM and no native buffers to tune; or a part of Apache's server that
 * this one lacks, and that a client or operator can do without.
 */
export function accepted(
  name: string,
  type: OptionType,
  value: string | number | boolean | null,
  description: string,
): Option {
  return { ...option(name, type, value, description), effect: 'accepted' };
}

export function tableOf(options: readonly Option[]): ReadonlyMap<string, Option> {
  return new Map(options.map((option) => [option.name, option]));
}

function check(
  table: ReadonlyMap<string, Option>,
  given: ReadonlyMap<string, string>,
  isKnown: (key: string) => boolean,
): string[] {
  const warnings: string[] = [];
  for (const [key, value] of given) {
    const option = table.get(key);
    if (option === undefined) {
      if (!isKnown(key)) warnings.push(`${shownSetting(key, value)} is unknown and ignored`);
      continue;
    }
    checkValue(option, value);
    if (option.effect === 'accepted') warnings.push(`${shownSetting(key, value)} is accepted without effect`);
  }
  return warnings;
}

/** @throws ConfigError */
export function checkValue(option: Option, value: string): void {
  const fix = faultOf(option, value);
  if (fix !== undefined) throw new ConfigError(option.name, value, fix);
}

function faultOf(option: Option, value: string): string | undefined {
  switch (option.type) {
    case 'int':
    case 'long':
      return numberFault(option.type, value, option) === undefined ? undefined : `expected ${describe(option)}`;
    case 'double':
      return Number.isFinite(Number(value)) && numberFault('double', value, option) === undefined
        ? undefined
        : `expected ${describe(option)}`;
    case 'boolean':
      // The words of Apache's QuorumPeerConfig.
      return isBoolean(value) ? undefined : `Invalid option ${value} for ${option.name}. Choose 'true' or 'false.'`;
    case 'yes-no':
      return /^(yes|no|true|false)$/i.test(value) ? undefined : 'choose yes or no';
    case 'path':
      return value === '' ? 'expected a path' : undefined;
    case 'string':
    case 'list':
      return undefined;
    default:
      return option.type satisfies never;
  }
}

function describe(option: Option): string {
  const kind = option.type === 'double' ? 'a number' : 'an integer';
  const unit = option.unit === undefined ? '' : ` of ${option.unit}`;
  const from = option.min === undefined ? '' : ` from ${option.min}`;
  const to = option.max === undefined ? '' : ` to ${option.max}`;
  return `${kind}${unit}${from}${to}`;
}
