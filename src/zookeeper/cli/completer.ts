import { childOf } from '../client/paths.ts';
import { sorted } from './output.ts';
import type { Shell } from './shell.ts';

type Answer = (error: null, completions: [string[], string]) => void;

/** For the terminal: command names for the first word, paths for the others. */
export function completer(shell: Shell): (line: string, answer: Answer) => void {
  return (line, answer) => {
    const word = /\S*$/.exec(line)?.[0] ?? '';
    if (word === line) {
      answer(null, [shell.commandNames.filter((name) => name.startsWith(word)), word]);
      return;
    }
    completePath(shell, word).then(
      (paths) => answer(null, [paths, word]),
      () => answer(null, [[], word]),
    );
  };
}

async function completePath(shell: Shell, word: string): Promise<string[]> {
  if (!word.startsWith('/')) return [];
  const parent = word.slice(0, Math.max(1, word.lastIndexOf('/')));
  const names = await shell.client.getChildren(parent);
  return sorted(names.map((name) => childOf(parent, name))).filter((path) => path.startsWith(word));
}
