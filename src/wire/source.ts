import type { Field, Fields } from './schema.ts';

/*
 * JavaScript text from a schema. All names and values in it come from schemas of this program, none from a peer.
 */

/** Values that have no text of their own; the text refers to them by their place. */
export type Constants = unknown[];

/**
 * The function that a text makes, or undefined where the host forbids it (`--disallow-code-generation-from-strings`).
 * @param given names that the text may use, and their values
 */
export function evaluate<F>(text: string, given: { readonly [name: string]: unknown }): F | undefined {
  try {
    return new Function(...Object.keys(given), `'use strict';\n${text}`)(...Object.values(given)) as F;
  } catch (error) {
    if (error instanceof EvalError) return undefined;
    throw error;
  }
}

/** `value.name`, whatever the name. */
export const property = (value: string, name: string): string => `${value}[${JSON.stringify(name)}]`;

/** An expression for a field that nobody set: fresh each time, as its type's `zero` is. */
export function defaultText(field: Field, constants: Constants): string {
  if (field.default !== undefined) return literal(field.default, constants);
  const { type } = field;
  switch (type.kind) {
    case 'struct':
      return blankText(type.fields, constants);
    case 'array':
      return '[]';
    case 'bytes':
      return 'new Uint8Array(0)';
    case 'records':
      return '{ chunks: [], size: 0 }';
    default:
      return literal(type.zero(), constants);
  }
}

export function blankText(fields: Fields, constants: Constants): string {
  return objectText(fields, (_, field) => defaultText(field, constants));
}

/** All fields in the order of the schema: in every version, and whoever makes it, a struct has one shape for the engine. */
export function objectText(fields: Fields, textOf: (name: string, field: Field) => string): string {
  const entries = Object.entries(fields).map(([name, field]) => `${JSON.stringify(name)}: ${textOf(name, field)}`);
  return `{ ${entries.join(', ')} }`;
}

export function literal(value: unknown, constants: Constants): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'bigint':
      return `${value}n`;
    case 'boolean':
      return String(value);
    default:
      return value === null ? 'null' : `constants[${constants.push(value) - 1}]`;
  }
}
