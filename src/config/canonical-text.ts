import { type ConfigRule, splitList } from './values.ts';

/** A value as Apache tells it once it has parsed it (`ConfigDef.convertToString` of `parseType`). */
export function canonicalText(type: ConfigRule['type'], text: string): string {
  switch (type) {
    case 'boolean':
      return text.trim().toLowerCase();
    case 'short':
    case 'int':
    case 'long':
      return /^[+-]?\d+$/.test(text.trim()) ? String(BigInt(text.trim())) : text;
    case 'double':
      return javaDouble(text.trim());
    case 'list':
      return splitList(text).join(',');
    case 'class':
      return text.trim();
    case 'string':
    case 'password':
      return text;
    default:
      return type satisfies never;
  }
}

/** `Double.toString`: a fraction always, and an exponent from 10^7 on and below 10^-3. */
function javaDouble(text: string): string {
  const value = Number(text);
  if (text === '' || Number.isNaN(value)) return text;
  const size = Math.abs(value);
  if (size === Infinity) return value > 0 ? 'Infinity' : '-Infinity';
  if (size !== 0 && (size >= 1e7 || size < 1e-3)) {
    const [digits = '', exponent = ''] = value.toExponential().split('e');
    return `${withFraction(digits)}E${exponent.replace('+', '')}`;
  }
  return withFraction(String(value));
}

function withFraction(digits: string): string {
  return digits.includes('.') ? digits : `${digits}.0`;
}
