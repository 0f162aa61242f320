import { ConfigError } from '../../config/config-error.ts';

/** Name of a user by the distinguished name of a certificate; undefined where no rule applies. */
export type PrincipalMapper = (distinguishedName: string) => string | undefined;

const KEY = 'ssl.principal.mapping.rules';
const RULE = String.raw`(DEFAULT)|RULE:((?:\\.|[^\\/])*)\/((?:\\.|[^\\/])*)\/([LU]?).*?|.*?`;
const splitter = new RegExp(String.raw`\s*(${RULE})\s*(?:,\s*|$)`, 'g');
const parser = new RegExp(RULE, 'y');

/**
 * `ssl.principal.mapping.rules`, the first that applies counting (`SslPrincipalMapper`): `DEFAULT` for the name itself, or
 * `RULE:pattern/replacement/[LU]` where the pattern must match the whole name, L and U being for lower and upper case.
 * @throws ConfigError for what is no rule, in Apache's words
 */
export function principalMapper(text: string): PrincipalMapper {
  const rules = [...text.trim().matchAll(splitter)].flatMap(([, rule = '']) => mapperOf(text, rule));
  return (name) => {
    for (const rule of rules) {
      const found = rule(name);
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

/** An empty rule is none. */
function mapperOf(text: string, rule: string): PrincipalMapper[] {
  parser.lastIndex = 0;
  const [matched = '', isDefault, pattern, replacement = '', letters] = parser.exec(rule) ?? [];
  if (matched.length < rule.length) {
    const rest = rule.slice(matched.length);
    throw new ConfigError(KEY, text, `Invalid rule: \`${rule}\`, unmatched substring: \`${rest}\``);
  }
  if (isDefault !== undefined) return [(name) => name];
  if (pattern === undefined) return [];
  const [whole, parts] = patternsOf(text, pattern);
  return [
    (name) => {
      if (!whole.test(name)) return undefined;
      const found = name.replace(parts, (...groups: unknown[]) => expanded(replacement, groups.filter(isGroup)));
      if (letters === 'L') return found.toLowerCase();
      return letters === 'U' ? found.toUpperCase() : found;
    },
  ];
}

/** Java's patterns and these agree in what such rules use. */
function patternsOf(text: string, pattern: string): [RegExp, RegExp] {
  try {
    return [new RegExp(`^(?:${pattern})$`, 's'), new RegExp(pattern, 'gs')];
  } catch (error) {
    throw new ConfigError(KEY, text, `${pattern}: ${(error as Error).message}`);
  }
}

/** What `replace` hands over behind the groups are the place and the whole text. */
function isGroup(_: unknown, index: number, all: readonly unknown[]): boolean {
  return index < all.findIndex((one) => typeof one === 'number');
}

/** `$12` is the twelfth group, the first with a 2 behind it, or itself, as there are groups; a backslash takes the next sign as it is. */
function expanded(replacement: string, groups: readonly unknown[]): string {
  return replacement.replaceAll(/\\(.)|\$(\d+)/g, (whole, sign: string | undefined, digits = '') => {
    if (sign !== undefined) return sign;
    for (let count = digits.length; count > 0; count -= 1) {
      const index = Number(digits.slice(0, count));
      if (index < groups.length) return `${groups[index] ?? ''}${digits.slice(count)}`;
    }
    return whole;
  });
}
