import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const made: string[] = [];

/** A new folder that goes when this process ends, after the services it started (process.ts) are dead. */
export function tempDir(): string {
  if (made.length === 0) process.on('exit', removeAll);
  const dir = mkdtempSync(join(tmpdir(), 'odradek-'));
  made.push(dir);
  return dir;
}

function removeAll(): void {
  for (const dir of made) rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
}
