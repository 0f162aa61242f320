import type { OptionSpec } from './option-parser.ts';

const WIDTH = 80;
const GAP = 2;

/** The options and what they mean, in joptsimple's two columns, sorted by name. */
export function optionTable(specs: readonly OptionSpec[]): string {
  const rows = [...specs]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((spec) => [headOf(spec), describe(spec)] as const);
  const widest = Math.max('Option'.length, ...rows.map(([head]) => head.length));
  const left = Math.min(widest, Math.floor((WIDTH - GAP) / 2));
  const right = WIDTH - GAP - left - 1;
  const lines = [
    columns('Option', 'Description', left, right),
    columns('------', '-----------', left, right),
    ...rows.flatMap(([head, text]) => {
      const heads = wrapped(head, left);
      const texts = wrapped(text, right);
      const height = Math.max(heads.length, texts.length);
      return Array.from({ length: height }, (_, index) => columns(heads[index] ?? '', texts[index] ?? '', left, right));
    }),
  ];
  return `${lines.join('\n')}\n`;
}

function columns(head: string, text: string, left: number, right: number): string {
  return `${head.padEnd(left + GAP)}${text.padEnd(right)}`;
}

function headOf({ name, argument, type = 'String', isArgumentOptional }: OptionSpec): string {
  if (argument === undefined) return `--${name}`;
  const placeholder = argument === '' ? type : `${type}: ${argument}`;
  return isArgumentOptional === true ? `--${name} [${placeholder}]` : `--${name} <${placeholder}>`;
}

function describe({ description, default: preset }: OptionSpec): string {
  return preset === undefined ? description : `${description} (default: ${preset})`;
}

/** Broken between words; every line after the first is indented. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const indent = lines.length === 0 ? '' : '  ';
    const candidate = line === '' ? indent + word : `${line} ${word}`;
    if (candidate.length <= width || line === '') line = candidate;
    else {
      lines.push(line);
      line = `  ${word}`;
    }
  }
  if (line !== '') lines.push(line);
  return lines;
}
