/** A disk of a few megabytes, for servers to fill: a tmpfs, mounted where only the caller and its children see it. */
import { mkdirSync } from 'node:fs';
import { type Outcome, run, runOrThrow } from '../peers/process.ts';

/** Runs a program of ours in a mount namespace of its own, to its end; what it mounts goes with it. */
export function inOwnMounts(program: string, args: readonly string[]): Promise<Outcome> {
  const asRoot = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  const line = [...asRoot, '--mount', '--', process.execPath, program, ...args];
  return run('unshare', line, { timeoutMs: 120_000 });
}

/** @throws PeerError where nothing may be mounted: that needs root, or user namespaces */
export async function mountSmallDisk(path: string, kibibytes: number): Promise<void> {
  mkdirSync(path, { recursive: true });
  await runOrThrow('mount', ['-t', 'tmpfs', '-o', `size=${kibibytes}k`, 'small-disk', path]);
}

/** Room is made, under the files that are there. */
export async function enlargeDisk(path: string, kibibytes: number): Promise<void> {
  await runOrThrow('mount', ['-o', `remount,size=${kibibytes}k`, path]);
}
