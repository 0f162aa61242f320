import type { Interface } from 'node:readline';
import { sorted } from './output.ts';
import type { Shell } from './shell.ts';

type Answer = (error: null, completions: [string[], string]) => void;

/** Between the columns of what Tab offers. */
const COLUMN_GAP = 3;
const WIDTH = 80;

/**
 * Tab as JLine's: the only candidate is filled in with a blank behind it; of several the part they share, and they are shown.
 * @param terminal known once the completer is
 */
export function completer(shell: Shell, terminal: () => Interface): (line: string, answer: Answer) => void {
  return (line, answer) => {
    findCandidates(shell, line).then(({ typed, candidates }) => {
      if (candidates.length > 1) show(terminal(), candidates);
      const filled = candidates.length === 1 ? `${candidates[0]} ` : sharedStart(candidates);
      answer(null, [filled === typed ? [] : [filled], typed]);
    });
  };
}

interface Candidates {
  /** The end of the line, which they replace. */
  readonly typed: string;
  readonly candidates: readonly string[];
}

/** Names of children where the last word is a path, else names of commands, wherever it stands (JLineZNodeCompleter). */
export async function findCandidates(shell: Shell, line: string): Promise<Candidates> {
  const word = /[^ ]*$/.exec(line)?.[0] ?? '';
  if (!word.startsWith('/')) {
    return { typed: word, candidates: shell.commandNames.filter((name) => name.startsWith(word)) };
  }
  const slash = word.lastIndexOf('/');
  const typed = word.slice(slash + 1);
  const names = await shell.client.getChildren(slash === 0 ? '/' : word.slice(0, slash)).catch(() => []);
  return { typed, candidates: sorted(names.filter((name) => name.startsWith(typed))) };
}

export function sharedStart(texts: readonly string[]): string {
  const [first = '', ...rest] = texts;
  let end = first.length;
  for (const text of rest) while (!text.startsWith(first.slice(0, end))) end -= 1;
  return first.slice(0, end);
}

/** As wide as the terminal, below the line, which is then shown again. */
function show(terminal: Interface, candidates: readonly string[]): void {
  process.stdout.write(`\n${columns(candidates, process.stdout.columns ?? WIDTH).join('\n')}\n`);
  terminal.prompt(true);
}

export function columns(candidates: readonly string[], width: number): string[] {
  const columnWidth = Math.max(...candidates.map(({ length }) => length)) + COLUMN_GAP;
  const perLine = Math.max(1, Math.floor(width / columnWidth));
  const lines: string[] = [];
  for (let index = 0; index < candidates.length; index += perLine) {
    const line = candidates.slice(index, index + perLine);
    lines.push(line.map((name) => name.padEnd(columnWidth)).join(''));
  }
  return lines;
}
