/** The texts of configuration values: what a type and its limits refuse, and how what they take is read. */

export type NumberType = 'short' | 'int' | 'long' | 'double';

export interface Limits {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** A key of `ConfigDef`, as far as it judges values. */
export interface ConfigRule extends Limits {
  readonly type: NumberType | 'boolean' | 'string' | 'list' | 'class' | 'password';
  /** The only values, or for a list the only members. */
  readonly allowed?: readonly string[];
}

export type NumberFault = 'not such a number' | 'too small' | 'too large';

const BITS = { short: 15n, int: 31n, long: 63n } as const;

/** Which rule a text breaks, undefined where it breaks none. */
export function numberFault(type: NumberType, text: string, { min, max }: Limits): NumberFault | undefined {
  const isSuch = type === 'double' ? isDouble(text) : isInteger(text, BITS[type]);
  if (!isSuch) return 'not such a number';
  const value = Number(text);
  if (min !== undefined && value < min) return 'too small';
  return max !== undefined && value > max ? 'too large' : undefined;
}

function isDouble(text: string): boolean {
  return text.trim() !== '' && !Number.isNaN(Number(text));
}

function isInteger(text: string, bits: bigint): boolean {
  if (!/^[+-]?0*\d{1,19}$/.test(text)) return false;
  const value = BigInt(text);
  return value >= -(1n << bits) && value < 1n << bits;
}

export function isBoolean(text: string): boolean {
  return /^(true|false)$/i.test(text);
}

/** In the words of Apache's `ConfigDef`; undefined where the value will do. */
export function configDefFault(rule: ConfigRule, value: string): string | undefined {
  switch (rule.type) {
    case 'boolean':
      return isBoolean(value.trim()) ? undefined : 'Expected value to be either true or false';
    case 'short':
    case 'int':
    case 'long':
    case 'double':
      return configDefNumberFault(rule.type, value, rule);
    case 'list':
      return splitList(value)
        .map((member) => memberFault(rule, member))
        .find((fault) => fault !== undefined);
    case 'string':
      return memberFault(rule, value);
    case 'class':
    case 'password':
      return undefined;
    default:
      return rule.type satisfies never;
  }
}

function configDefNumberFault(type: NumberType, value: string, limits: Limits): string | undefined {
  const fault = numberFault(type, value.trim(), limits);
  switch (fault) {
    case undefined:
      return undefined;
    case 'not such a number':
      return `Not a number of type ${type.toUpperCase()}`;
    case 'too small':
      return `Value must be at least ${limits.min}`;
    case 'too large':
      return `Value must be no more than ${limits.max}`;
    default:
      return fault satisfies never;
  }
}

function memberFault({ allowed }: ConfigRule, value: string): string | undefined {
  return allowed === undefined || allowed.includes(value) ? undefined : `String must be one of: ${allowed.join(', ')}`;
}

export function parseBoolean(text: string): boolean {
  return text.trim().toLowerCase() === 'true';
}

/** Beyond 2^53 a number is Infinity: "no limit". */
export function parseNumber(text: string): number {
  const value = Number(text.trim());
  return Math.abs(value) > Number.MAX_SAFE_INTEGER ? Math.sign(value) * Infinity : value;
}

export function splitList(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
