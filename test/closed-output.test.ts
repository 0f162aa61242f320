/** Programs whose reader stops before their end, as `head` does. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..');
const programs: readonly { readonly name: string; readonly args: readonly string[] }[] = [
  { name: 'odradek service', args: ['src/cli/odradek.js', 'service', '--print'] },
  { name: 'zkCli', args: ['src/zookeeper/cli/zk-cli.ts', '-server', '127.0.0.1:1'] },
];
for (const { name, args } of programs) {
  test(`${name} ends in order when nobody reads any more`, async (t) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    t.after(() => child.kill());
    child.stdout.destroy();
    const complaints = text(child.stderr);
    const [code] = await once(child, 'exit');
    assert.deepEqual([code, await complaints], [0, '']);
  });
}
