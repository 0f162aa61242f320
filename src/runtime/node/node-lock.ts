import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DiskError, type DiskLock } from '../disk.ts';

/** Beside Apache's `.lock`, which Kafka's JVM locks with fcntl; ours only tells who holds the directory. */
const holderFile = '.odradek.lock';

/** Directories that this process holds, where there is no kernel object to tell. */
const held = new Set<string>();

/**
 * Node has no file locks. On Linux an abstract socket named after the directory's device and inode excludes our other processes:
 * the kernel gives it to one and takes it back when that one dies, however it dies. Elsewhere the process id in a file decides.
 * A JVM shows in /proc/locks; one that starts after us cannot be stopped. Containers that share a volume but neither network nor
 * process ids do not see each other.
 */
export function lockDirectory(directory: string): DiskLock {
  const apache = apacheHolder(directory);
  if (apache !== undefined) throw busy(directory, apache);
  const release = process.platform === 'linux' ? bindName(directory) : claimByProcessId(directory);
  const file = join(directory, holderFile);
  try {
    writeFileSync(file, `${process.pid}\n`);
  } catch (error) {
    release();
    throw error;
  }
  return {
    release: () => {
      rmSync(file, { force: true });
      release();
    },
  };
}

function bindName(directory: string): () => void {
  const { dev, ino } = statSync(directory, { bigint: true });
  const server = createServer((socket) => socket.destroy());
  // Binding is synchronous; only the event that tells of a failure is not.
  server.on('error', () => undefined);
  server.listen({ path: `\0odradek:${dev}:${ino}`, exclusive: true });
  if (!server.listening) throw busy(directory, holderOf(directory));
  server.unref();
  return () => server.close();
}

/** Where there are no abstract sockets. Two processes that take over from a dead one at the same instant both succeed. */
function claimByProcessId(directory: string): () => void {
  const holder = holderOf(directory);
  if (held.has(directory) || (holder !== undefined && holder !== process.pid && isAlive(holder)))
    throw busy(directory, holder);
  held.add(directory);
  return () => held.delete(directory);
}

function holderOf(directory: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(join(directory, holderFile), 'latin1'), 10);
    return pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The process id of a JVM that has locked `<directory>/.lock` (kafka.utils.FileLock), as far as the kernel tells. */
function apacheHolder(directory: string): number | undefined {
  const lockFile = statSync(join(directory, '.lock'), { bigint: true, throwIfNoEntry: false });
  if (lockFile === undefined) return undefined;
  try {
    return holderInLockTable(readFileSync('/proc/locks', 'latin1'), lockFile.dev, lockFile.ino);
  } catch {
    return undefined;
  }
}

/** A row of /proc/locks is `1: POSIX  ADVISORY  WRITE 4711 08:02:1311 0 EOF`: process, device (major:minor, hex), inode. */
export function holderInLockTable(table: string, device: bigint, inode: bigint): number | undefined {
  const place = `${hex2(majorOf(device))}:${hex2(minorOf(device))}:${inode}`;
  for (const row of table.split('\n')) {
    const [, type, , , pid, where] = row.trim().split(/\s+/);
    if (type === 'POSIX' && where === place) return Number(pid);
  }
  return undefined;
}

/** glibc's gnu_dev_major: bits 8-19 and 32-63. */
function majorOf(device: bigint): bigint {
  return ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn);
}

/** glibc's gnu_dev_minor: bits 0-7 and 20-43. */
function minorOf(device: bigint): bigint {
  return (device & 0xffn) | ((device >> 12n) & ~0xffn & 0xffffffn);
}

function hex2(value: bigint): string {
  return value.toString(16).padStart(2, '0');
}

function busy(directory: string, holder: number | undefined): DiskError {
  const who = holder === undefined ? 'another process' : `process ${holder}`;
  return new DiskError('EBUSY', directory, `lock (held by ${who})`);
}
