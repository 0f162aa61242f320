/** Appends of validated batches to one log on the real disk, then reads from memory and from the file: `node scripts/bench/log.ts`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { type Slices, slicesOf } from '../../src/base/slices.ts';
import { numberBatches } from '../../src/kafka/log/append.ts';
import type { PartitionLog } from '../../src/kafka/log/log.ts';
import { defaultLogConfig } from '../../src/kafka/log/log-config.ts';
import { LogManager } from '../../src/kafka/log/log-manager.ts';
import { buildBatch } from '../../src/kafka/records/builder.ts';
import { silent } from '../../src/runtime/log.ts';
import { nodeRuntime } from '../../src/runtime/node/node-runtime.ts';

const logDir = mkdtempSync(join(tmpdir(), 'odradek-bench-'));
const runtime = nodeRuntime({ log: silent });
const open = (): Promise<LogManager> =>
  LogManager.open({ runtime, logDirs: [logDir], configOf: () => defaultLogConfig });

/** Wall time, and CPU time of this process in user and kernel: the machine may be busy with others. */
interface Instant {
  readonly ms: number;
  readonly cpu: NodeJS.CpuUsage;
}

function now(): Instant {
  return { ms: performance.now(), cpu: process.cpuUsage() };
}

function report(what: string, count: number, bytes: number, since: Instant): void {
  const ms = performance.now() - since.ms;
  const { user, system } = process.cpuUsage(since.cpu);
  const each = (us: number): string => (us / count).toFixed(2).padStart(8);
  const rate = (bytes / ms / 1000).toFixed(0).padStart(6);
  console.log(`${what.padEnd(44)} ${each(ms * 1000)} µs each ${each(user)} user ${each(system)} system ${rate} MB/s`);
}

function batchOf(size: number): Uint8Array {
  const bytes = buildBatch({ records: [{ timestamp: 1, value: Buffer.alloc(size - 80, 1) }] }).chunks;
  return Buffer.concat(bytes as Uint8Array[]);
}

async function appendMany(log: PartitionLog, size: number, count: number, inFlight: number): Promise<void> {
  const template = batchOf(size);
  const started = now();
  let begun = 0;
  let done = 0;
  await new Promise<void>((resolve) => {
    const more = (): void => {
      const until = Math.min(count, begun + inFlight);
      while (begun < until) {
        begun += 1;
        // As from a socket: every batch in memory of its own.
        const bytes = slicesOf(Buffer.from(template));
        log.appendAsLeader(numberBatches(bytes, log.nextOffset, 0), 'client', (error) => {
          if (error !== undefined) throw error;
          done += 1;
          if (done === count) resolve();
          else if (done === begun) runtime.clock.soon(more);
        });
      }
    };
    more();
  });
  report(`append ${size} bytes, ${inFlight} at once`, count, count * template.length, started);
}

const READ_BYTES = 1_048_576;

async function readAll(log: PartitionLog, what: string): Promise<void> {
  const started = now();
  const from = log.logStartOffset;
  const into = new Uint8Array(READ_BYTES);
  let reads = 0;
  let bytes = 0;
  for (let offset = from; offset < log.logEndOffset; ) {
    const read = log.read(offset, { maxBytes: READ_BYTES, minOneMessage: true, upTo: log.logEndOffset });
    const records =
      read.kind === 'memory'
        ? read.records
        : await new Promise<Slices>((resolve) => read.load(into, (_, loaded) => resolve(loaded)));
    reads += 1;
    bytes += records.size;
    offset += records.size / BATCH;
  }
  report(what, reads, bytes, started);
}

const BATCH = batchOf(10_240).length;
try {
  let manager = await open();
  const log = await manager.getOrCreate({ topic: 'bench', partition: 0 }, true);
  await appendMany(log, 10_240, 20_000, 16);
  await appendMany(log, 10_240, 60_000, 16);
  await appendMany(log, 10_240, 60_000, 1);
  await readAll(log, 'read 1 MiB in turn, mostly from the file');
  const small = await manager.getOrCreate({ topic: 'small', partition: 0 }, true);
  await appendMany(small, 200, 200_000, 64);
  const large = await manager.getOrCreate({ topic: 'large', partition: 0 }, true);
  await appendMany(large, 500_000, 2_000, 4);
  for (let partition = 0; partition < 2_000; partition += 1) {
    const quiet = await manager.getOrCreate({ topic: 'quiet', partition }, true);
    quiet.appendAsLeader(numberBatches(slicesOf(batchOf(200)), 0, 0), 'client', () => undefined);
  }
  let started = now();
  await manager.close();
  report('clean stop, a log', 2_003, 0, started);
  started = now();
  manager = await open();
  report('clean start, a log', 2_003, 0, started);
  await manager.close();
} finally {
  rmSync(logDir, { recursive: true });
}
