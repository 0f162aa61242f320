/** The folder outside the checkout that holds what interop tests fetch, one complete folder a peer. */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { PeerError, until } from './process.ts';

export function cacheDir(): string {
  const { ODRADEK_CACHE, XDG_CACHE_HOME } = process.env;
  return resolve(ODRADEK_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'odradek'));
}

/**
 * The folder of `name`, made by `build` on first use. A folder appears by one rename when it is complete, so seeing it
 * is enough. Its name carries a digest of the recipe: a changed recipe makes a new folder.
 */
export async function cached(name: string, recipe: unknown, build: (dir: string) => Promise<void>): Promise<string> {
  const digest = createHash('sha256').update(JSON.stringify(recipe)).digest('hex');
  const dir = join(cacheDir(), `${name}-${digest.slice(0, 12)}`);
  if (existsSync(dir)) return dir;
  return withLock(join(cacheDir(), 'install.lock'), async () => {
    if (existsSync(dir)) return dir; // another process made it while we waited
    const staging = `${dir}.${randomUUID()}`;
    mkdirSync(staging, { recursive: true });
    try {
      await build(staging);
      moveInto(staging, dir);
    } finally {
      rmSync(staging, { recursive: true, force: true });
    }
    return dir;
  });
}

function moveInto(staging: string, dir: string): void {
  try {
    renameSync(staging, dir);
  } catch (cause) {
    if (!existsSync(dir)) throw new PeerError(`cannot rename to ${dir}`, { cause });
  }
}

/** The lock saves double work only; what keeps the cache whole is the rename. A lock of a dead process is void. */
export async function withLock<T>(lockFile: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(join(lockFile, '..'), { recursive: true });
  await until(`lock ${lockFile}`, () => tryLock(lockFile), {
    timeoutMs: 900_000,
    everyMs: 200,
  });
  try {
    return await work();
  } finally {
    rmSync(lockFile, { force: true });
  }
}

/** A hard link appears with its content: no reader ever sees a lock without its holder. */
function tryLock(lockFile: string): true | undefined {
  const mine = `${lockFile}.${randomUUID()}`;
  writeFileSync(mine, `${process.pid}\n`);
  try {
    linkSync(mine, lockFile);
    return true;
  } catch {
    if (!isHeld(lockFile)) rmSync(lockFile, { force: true });
    return undefined;
  } finally {
    rmSync(mine);
  }
}

function isHeld(lockFile: string): boolean {
  try {
    process.kill(Number(readFileSync(lockFile, 'utf8')), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
