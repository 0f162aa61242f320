/** A fresh copy of what the repository holds, for walks that write beside the sources as a user's would. */
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runOrThrow } from '../peers/process.ts';
import { tempDir } from '../peers/temp-dir.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** The folder of the copy; its `node_modules` are ours. */
export async function copyOfCheckout(): Promise<string> {
  const copy = join(tempDir(), 'odradek');
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', 'bin', 'conf', 'src', 'package.json'];
  const { stdout } = await runOrThrow('git', list, { cwd: root });
  for (const path of stdout.split('\0').filter((name) => name !== '')) {
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    cpSync(join(root, path), join(copy, path));
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}
