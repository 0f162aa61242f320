import { crc32c } from '../../src/base/crc32c.ts';
import { parseDirectoryName, parseSegmentFileName } from '../../src/kafka/log/file-names.ts';
import type { SimMachine } from '../../src/runtime/sim/sim-machine.ts';
import { batchesIn, checkBatches, checkIndexes } from './log-files.ts';
import { must } from './violation.ts';

export const LOG_DIRS = ['/data/one', '/data/two'];

/** What may stand in a partition's directory beside its segments. */
const others = new Set(['leader-epoch-checkpoint', 'partition.metadata']);
const entrySizes = { '.index': 8, '.timeindex': 12, '.txnindex': 34 } as const;

export function hasCleanMarker({ disk }: SimMachine): boolean {
  return LOG_DIRS.some((path) => disk.tree.find(`${path}/.kafka_cleanshutdown`) !== undefined);
}

/** No file is left in the log dirs that Apache would refuse or a recovery should have ended. The answer names all, and what is in them. */
export function checkFiles(machine: SimMachine): string[] {
  const { disk } = machine;
  const texts: string[] = [];
  const partitions = new Set<string>();
  for (const path of LOG_DIRS) {
    const node = disk.tree.find(path);
    if (node?.kind !== 'directory') continue;
    for (const [name, entry] of node.entries) {
      if (entry.kind === 'file') texts.push(`${path}/${name} ${crc32c(disk.peek(`${path}/${name}`))}`);
      else texts.push(...checkPartition(machine, path, name, partitions));
    }
  }
  return texts.filter((text) => !text.includes('.tmp ')).sort();
}

function checkPartition(machine: SimMachine, path: string, name: string, partitions: Set<string>): string[] {
  const { disk } = machine;
  const directory = `${path}/${name}`;
  const parsed = parseDirectoryName(name);
  must(parsed !== undefined, () => `${directory} is the directory of no partition`);
  if (parsed.fate === 'delete') return [];
  must(!partitions.has(`${name}`), () => `${name} is in two log dirs`);
  partitions.add(name);
  const node = disk.tree.find(directory);
  const names = node?.kind === 'directory' ? [...node.entries.keys()] : [];
  for (const file of names) checkFile(directory, file, disk.peek(`${directory}/${file}`).length, names);
  checkIndexes(machine, directory, 'after it was opened');
  checkBatches(machine, directory, 'after it was opened');
  return names.map((file) => `${directory}/${file} ${crc32c(contentOf(file, disk.peek(`${directory}/${file}`)))}`);
}

/** A log file may be longer than what was written to it. */
function contentOf(name: string, bytes: Uint8Array): Uint8Array {
  if (!name.endsWith('.log')) return bytes;
  let size = 0;
  for (const { header } of batchesIn(bytes)) size += header.sizeInBytes;
  return bytes.subarray(0, size);
}

function checkFile(directory: string, name: string, size: number, names: readonly string[]): void {
  if (others.has(name) || name.endsWith('.tmp')) return;
  const parsed = parseSegmentFileName(name);
  must(parsed !== undefined, () => `${directory}/${name} has no place in a partition`);
  must(parsed.fate === '', () => `${directory}/${name} is left`);
  if (parsed.kind === '.log' || parsed.kind === '.snapshot') return;
  must(names.includes(name.replace(parsed.kind, '.log')), () => `${directory}/${name} is an index without a log`);
  const entrySize = entrySizes[parsed.kind];
  must(size % entrySize === 0, () => `${directory}/${name} has ${size} bytes, no multiple of ${entrySize}`);
}
