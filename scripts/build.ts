/**
 * `npm run build [-- --to DIR]`: the package as it is published, in `build/package` by default. A program is one file and what it
 * shares with others, so that it loads in a fifth of the time that hundreds of sources take, and no class is there twice.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const root = resolve(import.meta.dirname, '..');
/** Beside what is built; the documents say what the package does. */
const COPIED = ['bin', 'conf', 'docs', 'CHANGELOG.md', 'LICENSE', 'NOTICE', 'README.md'];

interface Manifest {
  readonly exports: Readonly<Record<string, string>>;
  readonly engines: { readonly node: string };
  readonly [field: string]: unknown;
}

/** In `bin`, no launcher: those of ZooKeeper read it. */
export const LAUNCHER_ENVIRONMENT = 'zkEnv.sh';

/** What the launchers run, and what those start in turn. */
function programs(): string[] {
  const launchers = readdirSync(join(root, 'bin')).filter((name) => name !== LAUNCHER_ENVIRONMENT);
  const launched = launchers.map((name) => {
    const program = /^tool=\$root\/dist\/(.*)\.js$/m.exec(readFileSync(join(root, 'bin', name), 'utf8'))?.[1];
    if (program === undefined) throw new Error(`bin/${name} names no program below dist`);
    return `src/${program}.ts`;
  });
  const started = ['src/zookeeper/cli/quorum-peer-main.ts', 'src/kafka/cli/kafka-server.ts'];
  return ['src/cli/odradek.js', ...started, 'src/runtime/node/compute-thread.ts', ...launched];
}

/** What helper threads load by name. */
const TASKS = ['src/kafka/records/fetch-conversion-task.ts'];

export async function buildPackage(to: string): Promise<void> {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  for (const name of COPIED) cpSync(join(root, name), join(to, name), { recursive: true });
  const entries = programs();
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [...entries, ...TASKS, ...Object.values(manifest.exports)],
    outdir: join(to, 'dist'),
    outbase: 'src',
    chunkNames: 'shared/[name]-[hash]',
    bundle: true,
    splitting: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: `node${manifest.engines.node.replace(/^>=/, '')}`,
    legalComments: 'none',
    metafile: true,
  });
  for (const { entryPoint = '', inputs } of Object.values(metafile.outputs)) {
    // Then `import.meta.main` would be false in it.
    if (entries.includes(entryPoint) && !(entryPoint in inputs))
      throw new Error(`another program imports ${entryPoint}`);
  }
  writeFileSync(join(to, 'package.json'), `${JSON.stringify(published(manifest), null, 2)}\n`);
}

/** Without what is for those who change it. */
function published(manifest: Manifest): object {
  const { private: _private, scripts: _scripts, devDependencies: _tools, allowScripts: _allowed, ...rest } = manifest;
  const exports = Object.fromEntries(
    Object.entries(manifest.exports).map(([name, source]) => [
      name,
      source.replace(/^\.\/src\/(.*)\.ts$/, './dist/$1.js'),
    ]),
  );
  return { ...rest, bin: { odradek: 'dist/cli/odradek.js' }, exports };
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { to: { type: 'string', default: join(root, 'build/package') } } });
  await buildPackage(resolve(values.to));
  process.stdout.write(`built ${resolve(values.to)}\n`);
}
