import type { ProcessFacts } from '../process-facts.ts';

/** A process of a world whose figures must not depend on the machine that runs it. */
export function simProcessFacts(startedMs: number): ProcessFacts {
  return {
    osName: 'Linux',
    osArch: 'amd64',
    osVersion: '6.0',
    userName: 'user',
    userHome: '/home/user',
    workingDirectory: '/',
    temporaryDirectory: '/tmp',
    nodeVersion: '24.0.0',
    startedSeconds: startedMs / 1000,
    cpuSeconds: () => 0,
    memory: () => ({ resident: 1 << 26, virtual: 1 << 30, heapUsed: 1 << 24, heapTotal: 1 << 25, heapMax: 2 ** 31 }),
    openFileCount: () => 20,
    maxFileCount: () => 1024,
  };
}
