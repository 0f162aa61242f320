/** The process that a server runs in, and its machine: what operators look at. Nothing here changes what a server does. */
export interface ProcessFacts {
  /** `Linux`, `Mac OS X`, `Windows_NT`: as Java names systems. */
  readonly osName: string;
  /** `amd64`, `aarch64`: as Java names processors. */
  readonly osArch: string;
  readonly osVersion: string;
  readonly userName: string;
  readonly userHome: string;
  readonly workingDirectory: string;
  readonly temporaryDirectory: string;
  /** Of the engine that runs us: `24.21.0`. */
  readonly nodeVersion: string;
  /** Seconds since 1970, with fractions. */
  readonly startedSeconds: number;
  /** User and system time so far. */
  cpuSeconds(): number;
  memory(): MemoryFacts;
  /** File descriptors in use; -1 where the system does not tell. */
  openFileCount(): number;
  /** The most that are allowed; -1 where the system does not tell. */
  maxFileCount(): number;
}

/** Bytes. */
export interface MemoryFacts {
  readonly resident: number;
  /** -1 where the system does not tell. */
  readonly virtual: number;
  readonly heapUsed: number;
  /** Taken from the system for the heap. */
  readonly heapTotal: number;
  readonly heapMax: number;
}
