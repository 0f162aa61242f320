import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..');

export interface SourceFile {
  /** Relative to the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** Files that git tracks or would track, so that what nobody committed yet is checked too. */
export function trackedFiles(...patterns: readonly string[]): SourceFile[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...patterns], {
    cwd: root,
    encoding: 'utf8',
  });
  const paths = [...new Set(listed.split('\n').filter((path) => path !== ''))];
  return paths.flatMap((path) => {
    try {
      return [{ path, text: readFileSync(join(root, path), 'utf8') }];
    } catch {
      return []; // removed from the work tree, not yet from the index
    }
  });
}

/** Module specifiers of static and dynamic imports. */
export function importsOf(file: SourceFile): string[] {
  const found: string[] = [];
  const pattern = /(?:\bfrom\s+|\bimport\s*\(\s*|^import\s+)'([^']+)'/gm;
  for (const match of file.text.matchAll(pattern)) found.push(match[1] as string);
  return found;
}
