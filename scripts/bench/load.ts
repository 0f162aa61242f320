/** Runs the load generator, a process of its own, on a specification in a file. */

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runOrThrow } from '../../test/interop/peers/process.ts';
import type { LoadResult, LoadSpec } from './generator.ts';

export type Load = Omit<LoadSpec, 'port' | 'seconds' | 'warmupSeconds'>;

export interface Duration {
  readonly seconds: number;
  readonly warmupSeconds: number;
}

export async function generate(load: Load, port: number, duration: Duration): Promise<LoadResult> {
  const dir = mkdtempSync(join(tmpdir(), 'odradek-load-'));
  try {
    const file = join(dir, 'spec.json');
    writeFileSync(file, JSON.stringify({ ...load, port, ...duration }));
    const generator = join(import.meta.dirname, 'generator.ts');
    const { stdout } = await runOrThrow(process.execPath, [generator, file], { timeoutMs: 120_000 });
    return JSON.parse(stdout) as LoadResult;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** The same load against a server that does nothing: what the generator can measure at all. */
export async function ceiling(load: Load, answerBytes: number, duration: Duration): Promise<LoadResult> {
  const requestBytes = (load.frames[0] ?? '').length / 2;
  const echo = spawn(
    process.execPath,
    [join(import.meta.dirname, 'echo-server.ts'), String(requestBytes), String(answerBytes)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  try {
    const port = await new Promise<number>((resolve) => echo.stdout.once('data', (text) => resolve(Number(text))));
    const { hello: _hello, errorAt: _errorAt, ...plain } = load;
    return await generate(plain, port, duration);
  } finally {
    echo.kill('SIGKILL');
  }
}
