import { JavaDouble } from '../java-double.ts';

/** Whatever Apache's commands answer with; session ids have 64 bits, and doubles are printed as doubles. */
export type Json =
  | null
  | boolean
  | number
  | bigint
  | string
  | JavaDouble
  | readonly Json[]
  | { readonly [key: string]: Json };

/** As Jackson's default printer indents: objects over lines, arrays on one. */
export function prettyJson(value: Json, indent = ''): string {
  if (value === null || typeof value !== 'object') {
    return typeof value === 'string' ? JSON.stringify(value) : String(value);
  }
  if (value instanceof JavaDouble) return value.toString();
  if (Array.isArray(value)) {
    const items = (value as readonly Json[]).map((item) => prettyJson(item, indent));
    return items.length === 0 ? '[ ]' : `[ ${items.join(', ')} ]`;
  }
  const inner = `${indent}  `;
  const members = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)} : ${prettyJson(member, inner)}`);
  return members.length === 0 ? '{ }' : `{\n${members.map((member) => inner + member).join(',\n')}\n${indent}}`;
}
