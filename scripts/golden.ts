/**
 * Records the golden bytes under test/golden anew from the real Apache programs: `npm run golden`, or `npm run golden -- NAME…`
 * for some of the recorders in scripts/golden. Review the difference before committing it: these bytes are what our tests
 * believe.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, 'golden');
const recorders = readdirSync(folder)
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -'.ts'.length))
  .sort();

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !recorders.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`no recorder ${unknown.join(', ')}; there are ${recorders.join(', ')}\n`);
  process.exit(1);
}

/** One after the other: each starts Apache's servers, and a failed one must not hide behind the next. */
for (const name of asked.length > 0 ? asked : recorders) {
  process.stdout.write(`recording ${name}\n`);
  const { status, signal } = spawnSync(process.execPath, [join(folder, `${name}.ts`)], { stdio: 'inherit' });
  if (status !== 0) {
    process.stderr.write(`${name} ended with ${signal ?? `exit code ${status}`}\n`);
    process.exit(1);
  }
}
