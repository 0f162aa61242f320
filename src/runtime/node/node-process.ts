import { readdirSync, readFileSync } from 'node:fs';
import { arch, homedir, platform, release, type as systemType, tmpdir, userInfo } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import type { MemoryFacts, ProcessFacts } from '../process-facts.ts';

const javaArchs: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'aarch64', ia32: 'x86' };
const PAGE_BYTES = 4096;

/** This process, by the system's own words: `/proc` where there is one. */
export class NodeProcess implements ProcessFacts {
  readonly osName = platform() === 'darwin' ? 'Mac OS X' : systemType();
  readonly osArch = javaArchs[arch()] ?? arch();
  readonly osVersion = release();
  readonly userName = nameOfUser();
  readonly userHome = homedir();
  readonly workingDirectory = process.cwd();
  readonly temporaryDirectory = tmpdir();
  readonly nodeVersion = process.versions.node;
  readonly startedSeconds = Date.now() / 1000 - process.uptime();

  cpuSeconds(): number {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  }

  memory(): MemoryFacts {
    const { rss, heapUsed, heapTotal } = process.memoryUsage();
    const pages = Number(fileText('/proc/self/statm')?.split(' ')[0] ?? Number.NaN);
    return {
      resident: rss,
      virtual: Number.isNaN(pages) ? -1 : pages * PAGE_BYTES,
      heapUsed,
      heapTotal,
      heapMax: getHeapStatistics().heap_size_limit,
    };
  }

  openFileCount(): number {
    for (const directory of ['/proc/self/fd', '/dev/fd']) {
      try {
        // Without the one that reads the directory.
        return readdirSync(directory).length - 1;
      } catch {
        // Not on this system.
      }
    }
    return -1;
  }

  maxFileCount(): number {
    const [, soft] = /^Max open files\s+(\S+)/m.exec(fileText('/proc/self/limits') ?? '') ?? [];
    return soft === undefined || soft === 'unlimited' ? -1 : Number(soft);
  }
}

/** An account without an entry in the system's list has none. */
function nameOfUser(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env.USER ?? '?';
  }
}

function fileText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
