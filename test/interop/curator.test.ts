/** Curator's recipes do the same on our server and on Apache's. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { startOurs } from './our-server.ts';
import { startApacheZookeeper } from './peers/apache-zookeeper.ts';
import type { Service } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';
import { javaProgram } from './peers/tools.ts';

const walk = join(import.meta.dirname, 'clients', 'CuratorRecipes.java');

type Server = Service & { readonly connect: string };

/** TTL nodes have to be allowed. */
const config = { extendedTypesEnabled: 'true' };
const servers: readonly { readonly name: string; start(): Promise<Server> }[] = [
  { name: 'our server', start: () => startOurs(tempDir(), config) },
  { name: 'Apache 3.9.4', start: () => startApacheZookeeper({ version: '3.9.4', dataDir: tempDir(), config }) },
];

test("Curator's recipes do the same on our server and on Apache's", async (t) => {
  const outputs: string[] = [];
  for (const { start } of servers) {
    const server = await start();
    t.after(() => server.stop());
    const { stdout, stderr, code } = await javaProgram('curator-5.9.0', walk, [server.connect], { timeoutMs: 180_000 });
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /^walked$/m);
    outputs.push(stdout);
  }
  assert.equal(outputs[0], outputs[1]);
});
