/** Files of Apache's servers for tests of tools: the recorded ones of test/golden, on a disk. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from './peers/temp-dir.ts';

interface Recorded {
  readonly logs: Record<string, readonly string[]>;
  readonly snapshots: Record<string, string>;
}

/** Fewer than the 64 MiB that Apache allocates. */
const ZEROS = Buffer.alloc(65_536);

/** A data directory as the server left it. */
export function recordedDataDir(name: '3.4.8' | '3.9.4' | '3.9.4-short-close'): string {
  const file = new URL(`../golden/zookeeper/apache-${name}.json`, import.meta.url);
  const recorded = JSON.parse(readFileSync(file, 'utf8')) as Recorded;
  const dataDir = tempDir();
  const directory = join(dataDir, 'version-2');
  mkdirSync(directory);
  for (const [log, parts] of Object.entries(recorded.logs)) {
    writeFileSync(join(directory, log), Buffer.concat([Buffer.from(parts.join(''), 'hex'), ZEROS]));
  }
  for (const [snapshot, bytes] of Object.entries(recorded.snapshots)) {
    writeFileSync(join(directory, snapshot), Buffer.from(bytes, 'hex'));
  }
  return dataDir;
}

/** Where each entry of a log begins, and last where the zeros do. */
export function entryPositions(log: Buffer): number[] {
  const positions = [16];
  for (let at = 16; at + 12 <= log.length && log.readInt32BE(at + 8) > 0; ) {
    at += 12 + log.readInt32BE(at + 8) + 1;
    positions.push(at);
  }
  return positions;
}
