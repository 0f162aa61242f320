/** The blocks of docs/zookeeper-recipes.md run as they stand. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { format } from 'node:util';
import { nodeRuntime, silent, startZookeeper } from 'odradek/zookeeper';
import * as recipes from 'odradek/zookeeper/client';
import { root } from './source-files.ts';

const document = readFileSync(join(root, 'docs/zookeeper-recipes.md'), 'utf8');
const blocks = [...document.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => match[1] as string);
const imported = /^import \{([^}]*)\} from 'odradek\/zookeeper\/client';$/m;

type Run = (recipes: object, connect: string, console: { log(...words: unknown[]): void }) => Promise<void>;
const AsyncFunction = (async () => undefined).constructor as new (...parameters: string[]) => Run;

test('every block of the recipes’ document runs, and prints what it says', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'odradek-recipes-'));
  t.after(() => rmSync(dataDir, { recursive: true }));
  const server = await startZookeeper({
    runtime: nodeRuntime({ log: silent }),
    config: { dataDir, clientPort: 0, clientPortAddress: '127.0.0.1' },
  });
  t.after(() => server.close());
  assert.ok(blocks.length >= 10, 'the blocks were found');
  for (const block of blocks) {
    const names = imported.exec(block)?.[1];
    assert.ok(names, block);
    for (const name of names.split(',')) assert.ok(name.trim() in recipes, name);
    const printed: string[] = [];
    const log = (...words: unknown[]): void => void printed.push(format(...words));
    const run = new AsyncFunction('recipes', 'connect', 'console', block.replace(imported, 'const {$1} = recipes;'));
    await run(recipes, `127.0.0.1:${server.clientAddress.port}`, { log });
    const promised = [...block.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map((match) => match[1] as string);
    for (const line of promised) assert.ok(printed.includes(line), `${line} is not in:\n${printed.join('\n')}`);
  }
});
