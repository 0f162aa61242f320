/** A difference in words: how to see it again, what led to it, and where the answers part. */
import type { Step } from './kind.ts';
import type { Shrunk } from './shrink.ts';

const LINE_MAX = 400;

export function report(seed: number, count: number, { steps, difference }: Shrunk): string {
  const last = steps.at(-1);
  return [
    `after ${steps.length - 1} steps ${last?.kind} is answered differently (of seed ${seed})`,
    ...steps.map((step, index) => `  ${index}. ${line(step)}`),
    ...partings(difference.apache, difference.ours, '').map(
      ({ path, apache, ours }) => `  at ${path || '/'}:\n    Apache  ${cut(apache)}\n    odradek ${cut(ours)}`,
    ),
    `again: npm run test:differential -- --seed ${seed} --steps ${count}`,
  ].join('\n');
}

function line({ kind, args }: Step): string {
  return cut(`${kind} ${JSON.stringify(args)}`);
}

function cut(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
  return text.length <= LINE_MAX ? text : `${text.slice(0, LINE_MAX)}…`;
}

interface Parting {
  readonly path: string;
  readonly apache: unknown;
  readonly ours: unknown;
}

/** The deepest places that are not equal. */
export function partings(apache: unknown, ours: unknown, path: string): Parting[] {
  if (JSON.stringify(apache) === JSON.stringify(ours)) return [];
  if (!isContainer(apache) || !isContainer(ours) || Array.isArray(apache) !== Array.isArray(ours)) {
    return [{ path, apache, ours }];
  }
  const keys = new Set([...Object.keys(apache), ...Object.keys(ours)]);
  const [a, b] = [apache as Readonly<Record<string, unknown>>, ours as Readonly<Record<string, unknown>>];
  return [...keys].flatMap((key) => partings(a[key], b[key], `${path}/${key}`));
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
