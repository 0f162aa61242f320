/** Lines of the result, and the arithmetic of repeated measurements. */

export interface Line {
  readonly row: string;
  readonly ours: string;
  readonly apache: string;
  /** Better than Apache is above 1, whatever is measured. */
  readonly ratio: number | undefined;
  readonly goal: string;
  readonly met: boolean;
  readonly p50p99: string;
  readonly apacheP50p99: string;
  /** CPU time of all threads a request, of ours and of Apache's. */
  readonly cpu: string;
  /** The longest delay of our loop, and in parentheses what it held itself, in CPU time. */
  readonly loopMs: string;
  /**
   * What the generator reaches against a bare echo at the same rate, with p50/p99: what no server can better here. In
   * rows of a load whose answers wait for the disk the echo does too. In parentheses the share of a core that it used against us.
   */
  readonly ceiling: string;
  readonly verified: string;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

const columns: readonly (readonly [string, (line: Line) => string])[] = [
  ['row', (line) => line.row],
  ['ours', (line) => line.ours],
  ['Apache', (line) => line.apache],
  ['ratio', (line) => (line.ratio === undefined ? '' : `${line.ratio.toFixed(2)}x`)],
  ['goal', (line) => line.goal],
  ['', (line) => (line.met ? 'ok' : 'MISSED')],
  ['p50/p99 ms', (line) => line.p50p99],
  ['Apache', (line) => line.apacheP50p99],
  ['CPU µs/request', (line) => line.cpu],
  ['loop ms', (line) => line.loopMs],
  ['echo (generator)', (line) => line.ceiling],
  ['after kill -9', (line) => line.verified],
];

export function render(lines: readonly Line[]): string {
  const rows = [columns.map(([title]) => title), ...lines.map((line) => columns.map(([, cell]) => cell(line)))];
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const draw = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  return rows.map(draw).join('\n');
}

export function amount(value: number, unit: string): string {
  const digits = value < 10 ? 2 : value < 100 ? 1 : 0;
  return `${value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits })} ${unit}`;
}
