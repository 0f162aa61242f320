import { CompressionError } from '../../base/compression-error.ts';
import { slicesOf } from '../../base/slices.ts';
import type { Computed, Task } from '../../runtime/compute.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import { CorruptBatchError, InvalidRecordError } from './errors.ts';
import { convertForFetch, type FetchConversionOptions } from './fetch-conversion.ts';

export interface ConversionOutcome {
  /** NONE, or why there are no records. */
  readonly errorCode: number;
}

/** Down-conversion of what a fetch answers of one partition. */
export const task: Task<FetchConversionOptions, ConversionOutcome> = {
  name: 'kafka/records/fetch-conversion-task',
  run(options, bytes, memory): Computed<ConversionOutcome> {
    try {
      return { output: { errorCode: ErrorCode.NONE }, bytes: convertForFetch(slicesOf(bytes), options, memory) };
    } catch (error) {
      return { output: { errorCode: codeOf(error) }, bytes: new Uint8Array(0) };
    }
  },
};

function codeOf(error: unknown): number {
  if (error instanceof KafkaError) return error.code;
  const isCorrupt =
    error instanceof CorruptBatchError || error instanceof InvalidRecordError || error instanceof CompressionError;
  if (isCorrupt) return ErrorCode.UNKNOWN_SERVER_ERROR;
  throw error;
}
