import { flatten, type Slices } from '../../base/slices.ts';
import type { Compute, Lent } from '../../runtime/compute.ts';
import type { Log } from '../../runtime/log.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { batchesOf } from '../records/batch.ts';
import { CorruptBatchError } from '../records/errors.ts';
import type { FetchConversionOptions } from '../records/fetch-conversion.ts';
import { type ConversionOutcome, task } from '../records/fetch-conversion-task.ts';
import { ByteBudget } from './byte-budget.ts';
import { conversionOf, type Fetched, type PartitionData, withoutRecords } from './fetched-partition.ts';

/** Plain records below it are converted sooner than another thread hears of them. */
const HELPED_BYTES_MIN = 16_384;
/** Of copies that helpers have: what is more waits for its turn. */
const HELPED_BYTES_MAX = 67_108_864;

/** `giveBack`, where there is one, is to be called once the records have been sent. */
export type Converted = (data: PartitionData, giveBack?: () => void) => void;

/** Records of old clients are written anew by helper threads: a megabyte takes milliseconds, and a few bytes may hold megabytes. */
export class FetchConversions {
  readonly #compute: Compute;
  readonly #log: Log;
  readonly #budget = new ByteBudget(HELPED_BYTES_MAX);

  constructor(compute: Compute, log: Log) {
    this.#compute = compute;
    this.#log = log;
  }

  /** What a client of before magic 2 gets of a partition. `done` may be called at once; its records do not change until then. */
  convert(apiVersion: number, fetched: Fetched, done: Converted): void {
    const { data, records, options } = conversionOf(apiVersion, fetched);
    if (records === undefined) return done(data);
    if (!isWorthHelp(records)) return done(...told(data, onTheLoop(records, options)));
    this.#help(records, options, (result) => done(...told(data, result)));
  }

  #help(records: Slices, options: FetchConversionOptions, done: (result: Result) => void): void {
    if (this.#budget.exhausted) return this.#budget.whenFree(() => this.#help(records, options, done));
    this.#budget.take(records.size);
    this.#compute.run(task, options, records, (error, result) => {
      this.#budget.release(records.size);
      if (error !== undefined) this.#log.error('a conversion for an old client was lost; it is done anew', { error });
      done(result ?? onTheLoop(records, options));
    });
  }
}

type Result = Omit<Lent<ConversionOutcome>, 'giveBack'> & Partial<Lent<ConversionOutcome>>;

function onTheLoop(records: Slices, options: FetchConversionOptions): Result {
  return task.run(options, flatten(records), new Uint8Array(0));
}

function told(data: PartitionData, { output, bytes, giveBack }: Result): Parameters<Converted> {
  if (output.errorCode !== ErrorCode.NONE) return [withoutRecords(data.partitionIndex, output.errorCode), giveBack];
  return [{ ...data, records: { chunks: [bytes], size: bytes.length } }, giveBack];
}

/** How large compressed records are is seen only when they no longer are. */
function isWorthHelp(records: Slices): boolean {
  if (records.size >= HELPED_BYTES_MIN) return true;
  try {
    for (const { header } of batchesOf(records)) if (header.codec !== 'none') return true;
  } catch (error) {
    // What is wrong with them is told by their conversion.
    if (!(error instanceof CorruptBatchError)) throw error;
  }
  return false;
}
