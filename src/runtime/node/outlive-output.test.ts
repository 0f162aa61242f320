import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';

const WROTE_AND_LIVED = 7;
const program = (isReady: boolean): string => `
  import { outliveOutput } from '${new URL('outlive-output.ts', import.meta.url).href}';
  if (${isReady}) outliveOutput();
  process.stdin.once('data', () => {
    process.stdout.write('a line', () => setImmediate(() => process.exit(${WROTE_AND_LIVED})));
  });`;

for (const { name, isReady, lives } of [
  { name: 'a server outlives whoever reads its output', isReady: true, lives: true },
  { name: 'any other process ends with it', isReady: false, lives: false },
]) {
  test(name, async (t) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program(isReady)], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    t.after(() => child.kill());
    child.stdout.destroy();
    await once(child.stdout, 'close');
    child.stdin.write('go');
    const [code] = await once(child, 'exit');
    assert.equal(code === WROTE_AND_LIVED, lives, `exit code ${code}`);
  });
}
