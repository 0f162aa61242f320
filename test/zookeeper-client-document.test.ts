/** Every block of code in docs/zookeeper-client.md, and what the README says of `odradek/testing`, compiles and runs. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { startTestZookeeper } from 'odradek/testing';
import * as entryPoint from 'odradek/zookeeper/client';
import { root, trackedFiles } from './source-files.ts';

const run = promisify(execFile);
const ofTesting = /from 'odradek\/testing'/;
const blocks = [
  ...blocksOf('docs/zookeeper-client.md'),
  ...blocksOf('README.md').filter((block) => ofTesting.test(block)),
];

function blocksOf(document: string): string[] {
  const text = readFileSync(join(root, document), 'utf8');
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => match[1] as string);
}

/** A block as a program: with the client that the page speaks of, unless it makes one. */
function programOf(block: string, connect: string): string {
  const code = block.replaceAll('localhost:2181', connect);
  if (/\bclient = connectZookeeper/.test(code) || ofTesting.test(code)) return `${code}\nexport {};\n`;
  return [
    "import { connectZookeeper as connectForPage } from 'odradek/zookeeper/client';",
    `const client = connectForPage({ connect: '${connect}' });`,
    code,
    'await client.close();',
  ].join('\n');
}

test('every block compiles', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'odradek-page-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const names = blocks.map((block, index) => {
    writeFileSync(join(directory, `block-${index}.ts`), programOf(block, 'localhost:2181'));
    return `block-${index}.ts`;
  });
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    exports: Record<string, string>;
  };
  const paths = Object.entries(exports).map(([name, file]) => [name.replace('.', 'odradek'), [join(root, file)]]);
  const compilerOptions = { paths: Object.fromEntries(paths), typeRoots: [join(root, 'node_modules/@types')] };
  writeFileSync(
    join(directory, 'tsconfig.json'),
    JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, files: names, include: [] }),
  );
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const outcome = await run(process.execPath, [tsc, '--noEmit', '-p', directory]).catch((error: unknown) => error);
  assert.equal((outcome as { stdout?: string }).stdout, '', String(outcome));
});

test('every block runs, and prints what its comments say', async (t) => {
  assert.ok(blocks.length >= 10, 'the blocks were found');
  const server = await startTestZookeeper();
  t.after(() => server.close());
  for (const block of blocks) {
    const program = programOf(block, server.connect);
    const args = ['--input-type=module-typescript', '--eval', program];
    const { stdout } = await run(process.execPath, args, { cwd: root, timeout: 60_000 });
    for (const [, said = ''] of block.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)) {
      for (const line of said.split(', '))
        assert.ok(stdout.includes(line), `${line} is not in\n${stdout}\nof\n${block}`);
    }
  }
});

test('the pages name every value that the entry point exports', () => {
  const pages = trackedFiles('docs/zookeeper-*.md').map(({ text }) => text);
  const obvious = ['nodeRuntime', 'OPEN_ACL_UNSAFE', 'READ_ACL_UNSAFE'];
  const unnamed = Object.keys(entryPoint).filter((name) => !pages.some((text) => text.includes(name)));
  assert.deepEqual(
    unnamed.filter((name) => !obvious.includes(name)),
    [],
  );
});
