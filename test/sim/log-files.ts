import { flatten } from '../../src/base/slices.ts';
import { type Batch, batchesOf, hasValidCrc, LOG_OVERHEAD } from '../../src/kafka/records/batch.ts';
import type { SimMachine } from '../../src/runtime/sim/sim-machine.ts';
import { must } from './violation.ts';

/** Behind the base offset of a batch. */
const SIZE_AT = 8;

/** Every index entry of a partition's segments leads to a whole batch that is in the log file. */
export function checkIndexes(machine: SimMachine, directory: string, when: string): void {
  const { disk } = machine;
  const node = disk.tree.find(directory);
  if (node?.kind !== 'directory') return;
  for (const name of node.entries.keys()) {
    if (!name.endsWith('.log')) continue;
    const stem = `${directory}/${name.slice(0, -'.log'.length)}`;
    const baseOffset = Number(name.slice(0, -'.log'.length));
    const ends = new Map<number, number>();
    let position = 0;
    for (const { header } of batchesIn(disk.peek(`${stem}.log`))) {
      ends.set(header.lastOffset - baseOffset, position);
      position += header.sizeInBytes;
    }
    for (const { first, second } of entriesOf(machine, `${stem}.index`, 8)) {
      const at = ends.get(first);
      must(
        at !== undefined && at >= second,
        () => `${stem}.index ${when}: the entry ${first} -> ${second} leads beyond the log, which ends at ${position}`,
      );
    }
    for (const { second } of entriesOf(machine, `${stem}.timeindex`, 12)) {
      must(ends.size > 0, () => `${stem}.timeindex ${when}: an entry for offset ${second} of an empty log`);
    }
  }
}

/** Batches in the files after recovery are whole, with the checksum that their writer gave them. */
export function checkBatches(machine: SimMachine, directory: string, when: string): void {
  const { disk } = machine;
  const node = disk.tree.find(directory);
  if (node?.kind !== 'directory') return;
  for (const name of node.entries.keys()) {
    if (!name.endsWith('.log')) continue;
    for (const { header, bytes } of batchesIn(disk.peek(`${directory}/${name}`))) {
      const batch = { header, bytes };
      must(
        hasValidCrc(batch),
        () =>
          `${directory}/${name} ${when}: the batch at ${header.baseOffset} is damaged (${flatten(bytes).length} bytes)`,
      );
    }
  }
}

/** Behind the last batch a preallocated file has zeros. */
export function* batchesIn(file: Uint8Array): IterableIterator<Batch> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  for (let at = 0; at + LOG_OVERHEAD <= file.length && view.getInt32(at + SIZE_AT) !== 0; ) {
    const batch = batchesOf(file.subarray(at)).next().value;
    if (batch === undefined) return;
    yield batch;
    at += batch.header.sizeInBytes;
  }
}

function* entriesOf(
  machine: SimMachine,
  path: string,
  size: 8 | 12,
): IterableIterator<{ first: number; second: number }> {
  if (machine.disk.tree.find(path) === undefined) return;
  const bytes = machine.disk.peek(path);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + size <= bytes.length; at += size) {
    const first = size === 8 ? view.getInt32(at) : Number(view.getBigInt64(at));
    const second = view.getInt32(at + size - 4);
    if (first !== 0 || second !== 0) yield { first, second };
  }
}
