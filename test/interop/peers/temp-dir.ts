import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new folder that goes when this process ends, after the services it started (process.ts) are dead. */
export function tempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'odradek-'));
  process.on('exit', () => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }));
  return dir;
}
