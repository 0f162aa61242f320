/** Runs the load generator, a process of its own, on a specification in a file. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { PeerError } from '../../test/interop/peers/process.ts';
import type { LoadResult, LoadSpec } from './generator.ts';

export type Load = Omit<LoadSpec, 'ports' | 'seconds' | 'warmupSeconds'>;

export interface Duration {
  readonly seconds: number;
  readonly warmupSeconds: number;
}

export async function generate(load: Load, ports: readonly number[], duration: Duration): Promise<LoadResult> {
  const dir = mkdtempSync(join(tmpdir(), 'odradek-load-'));
  try {
    const file = join(dir, 'spec.json');
    writeFileSync(file, JSON.stringify({ ...load, ports, ...duration }));
    return await withFirstLine('generator.ts', [file], async (line) => JSON.parse(line) as LoadResult);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/**
 * The same load against a server that does nothing, or only syncs what it received to a file: what the generator and the
 * machine allow at all.
 */
export function ceiling(load: Load, answerBytes: number, duration: Duration, syncedFile?: string): Promise<LoadResult> {
  const requestBytes = (load.frames[0] ?? '').length / 2;
  const { hello: _hello, errorAt: _errorAt, ...rest } = load;
  // It tells requests apart by their size.
  const plain = { ...rest, frames: load.frames.slice(0, 1) };
  const args = [String(requestBytes), String(answerBytes), ...(syncedFile === undefined ? [] : [syncedFile])];
  return withFirstLine('echo-server.ts', args, (port) => generate(plain, [Number(port)], duration));
}

const TIMEOUT_MS = 300_000;

/** Starts a program of this folder, goes on with the first line it prints, and ends it. */
async function withFirstLine<T>(
  program: string,
  args: readonly string[],
  use: (line: string) => Promise<T>,
): Promise<T> {
  const path = join(import.meta.dirname, program);
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS);
  const stop = (): void => void child.kill('SIGKILL');
  process.once('exit', stop);
  try {
    return await use(await firstLine(child));
  } finally {
    process.off('exit', stop);
    clearTimeout(timer);
    stop();
  }
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout as Readable })
      .once('line', resolve)
      .once('close', () => reject(new PeerError(`${child.spawnargs.join(' ')} ended without a word`)));
  });
}
