/** A fresh copy of what the repository holds, for walks that write beside the sources as a user's would. */
import { cpSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runOrThrow } from '../peers/process.ts';
import { tempDir } from '../peers/temp-dir.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Each copy of a process takes the place of the one before: Node's compile cache knows sources by their path. */
let place: string | undefined;

/** The folder of the copy; its `node_modules` are ours. */
export async function copyOfCheckout(): Promise<string> {
  place ??= tempDir();
  const copy = join(place, 'odradek');
  rmSync(copy, { recursive: true, force: true });
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', 'bin', 'conf', 'src', 'package.json'];
  const { stdout } = await runOrThrow('git', list, { cwd: root });
  for (const path of stdout.split('\0').filter((name) => name !== '')) {
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    cpSync(join(root, path), join(copy, path));
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}
