import { inspect } from 'node:util';
import type { LogFields } from './log.ts';

/** The fields of a log line as text: ` key=value other="two words"`. */
export function fieldsText(fields: LogFields | undefined): string {
  let text = '';
  for (const name in fields) text += ` ${name}=${valueText(fields[name])}`;
  return text;
}

function valueText(value: unknown): string {
  const text =
    value instanceof Error ? value.message : typeof value === 'object' ? inspect(value, compact) : String(value);
  return /[\s"=]/.test(text) ? JSON.stringify(text) : text;
}

const compact = { breakLength: Number.POSITIVE_INFINITY, depth: 4 } as const;
