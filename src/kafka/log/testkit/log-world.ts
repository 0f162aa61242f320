import { flatten, type Slices } from '../../../base/slices.ts';
import type { Runtime } from '../../../runtime/runtime.ts';
import type { SimMachine } from '../../../runtime/sim/sim-machine.ts';
import { Simulation } from '../../../runtime/sim/simulation.ts';
import { TurnEnd } from '../../../runtime/turn-end.ts';
import { type BatchHeader, batchesOf } from '../../records/batch.ts';
import { type BatchOptions, buildBatch, type NewRecord } from '../../records/builder.ts';
import { allRecordsOf } from '../../records/iterate.ts';
import { type AppendDone, type AppendInfo, numberBatches, type TransactionRules } from '../append.ts';
import type { PartitionLog } from '../log.ts';
import { defaultLogConfig, type LogConfig } from '../log-config.ts';
import { LogManager, type LogManagerOptions } from '../log-manager.ts';
import type { AppendOrigin } from '../producer-state.ts';

export const LOG_DIR = '/data/kafka';
export const PARTITION = { topic: 'demo', partition: 0 };

/** Small appends are in the file when they return, as in a broker that gets one request at a time. */
export function everyAppendIsATurn(): TurnEnd {
  return new TurnEnd({ soon: (callback) => callback() }, (error) => {
    throw error;
  });
}

/** One simulated machine with a log directory and a partition in it. */
export class LogWorld {
  readonly sim: Simulation;
  readonly machine: SimMachine;
  config: LogConfig;
  manager!: LogManager;
  log!: PartitionLog;

  constructor(seed: number | string, config: Partial<LogConfig> = {}) {
    this.sim = new Simulation({ seed });
    this.machine = this.sim.machine('broker');
    this.config = { ...defaultLogConfig, ...config };
  }

  get runtime(): Runtime {
    return this.machine.runtime;
  }

  async open(options: Partial<LogManagerOptions> = {}): Promise<void> {
    this.manager = await this.sim.complete(
      LogManager.open({
        runtime: this.runtime,
        logDirs: [LOG_DIR],
        configOf: () => this.config,
        turnEnd: everyAppendIsATurn(),
        ...options,
      }),
    );
    this.log = await this.sim.complete(this.manager.getOrCreate(PARTITION, true));
  }

  async crash(kind: 'process' | 'power'): Promise<void> {
    this.machine.crash(kind);
    this.machine.restart();
    await this.open();
  }

  async restartCleanly(): Promise<void> {
    await this.sim.complete(this.manager.close());
    this.machine.crash('process');
    this.machine.restart();
    await this.open();
  }

  /** Lets writes that are under way finish. */
  drain(): Promise<void> {
    return this.sim.runUntil(() => this.log.isIdle, 10_000);
  }

  truncateTo(offset: number): Promise<void> {
    return this.sim.complete(
      new Promise((resolve, reject) => {
        this.log.truncateTo(offset, (error) => (error === undefined ? resolve() : reject(error)));
      }),
    );
  }
}

export interface AppendOptions extends Partial<BatchOptions> {
  readonly records: readonly NewRecord[];
  readonly origin?: AppendOrigin;
  readonly epoch?: number;
  readonly rules?: TransactionRules;
  readonly done?: AppendDone;
}

export function append(log: PartitionLog, options: AppendOptions): AppendInfo | undefined {
  const { origin = 'client', epoch = 0, rules, done = () => undefined, ...batch } = options;
  return log.appendAsLeader(numberBatches(buildBatch(batch), log.nextOffset, epoch), origin, done, rules);
}

export function values(...texts: string[]): NewRecord[] {
  return texts.map((text) => ({ value: Buffer.from(text) }));
}

/** Everything a reader sees from an offset on, in as many reads as it takes. */
export async function readAll(world: LogWorld, from = world.log.logStartOffset, maxBytes = 4096): Promise<Slices[]> {
  const { log } = world;
  const found: Slices[] = [];
  for (let offset = from; offset < log.logEndOffset; ) {
    const read = log.read(offset, { maxBytes, minOneMessage: true, upTo: log.logEndOffset });
    let records: Slices;
    if (read.kind === 'memory') records = read.records;
    else {
      records = await world.sim.complete(
        new Promise((resolve, reject) => {
          read.load(new Uint8Array(read.sizeInBytes), (error, loaded) =>
            error === undefined ? resolve(loaded) : reject(error),
          );
        }),
      );
    }
    const headers = [...batchesOf(records)].map(({ header }) => header);
    const last = headers.at(-1);
    if (last === undefined) throw new RangeError(`nothing to read at ${offset} below ${log.logEndOffset}`);
    found.push(records);
    offset = last.lastOffset + 1;
  }
  return found;
}

export async function recordsIn(world: LogWorld, from?: number): Promise<{ offset: number; value: string }[]> {
  const found: { offset: number; value: string }[] = [];
  for (const records of await readAll(world, from)) {
    for (const { offset, value } of allRecordsOf(records)) {
      found.push({ offset, value: Buffer.from(value ?? []).toString() });
    }
  }
  return found.filter(({ offset }) => offset >= (from ?? world.log.logStartOffset));
}

/** The batches of a segment file as they stand on the disk. */
export function batchesInFile(bytes: Uint8Array): { header: BatchHeader; position: number; bytes: Uint8Array }[] {
  const found: { header: BatchHeader; position: number; bytes: Uint8Array }[] = [];
  let position = 0;
  for (const { header, bytes: batch } of batchesOf(bytes)) {
    found.push({ header, position, bytes: flatten(batch) });
    position += header.sizeInBytes;
  }
  return found;
}
