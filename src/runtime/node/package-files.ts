import { existsSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the checkout or of the installed package. */
export const packageRoot = rootAbove(dirname(fileURLToPath(import.meta.url)));

/** A build puts what is shared into files of its own, so how deep this one lies says nothing. */
function rootAbove(directory: string): string {
  if (existsSync(join(directory, 'package.json')) || dirname(directory) === directory) return directory;
  return rootAbove(dirname(directory));
}

/** A program of ours, such as `kafka/cli/kafka-server`: its source in a checkout, what was built of it in a package. */
export function programPath(name: string): string {
  return import.meta.url.endsWith('.ts')
    ? join(packageRoot, 'src', `${name}.ts`)
    : join(packageRoot, 'dist', `${name}.js`);
}

/** Keeps what is compiled so far for the next start, whatever ends this process. Without NODE_COMPILE_CACHE it does nothing. */
export function keepCompiledCode(): void {
  flushCompileCache();
}
