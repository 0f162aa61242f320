import assert from 'node:assert/strict';
import test from 'node:test';
import { copyOf, noSlices, type Slices, slicesOf } from '../../base/slices.ts';
import { type Compute, type ComputeDone, ComputeError } from '../../runtime/compute.ts';
import { silent } from '../../runtime/log.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { allRecordsOf } from '../records/iterate.ts';
import { FetchConversions } from './fetch-conversions.ts';
import { type Fetched, type PartitionData, partitionData } from './fetched-partition.ts';
import { batchOf } from './testkit/requests.ts';

/** Helpers that answer when the test says so. */
class Helpers implements Compute {
  readonly asked: { readonly bytes: Slices; readonly done: ComputeDone<never> }[] = [];

  run(_task: unknown, _input: unknown, bytes: Slices, done: ComputeDone<never>): void {
    this.asked.push({ bytes, done });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function fetched(bytes: Uint8Array): Fetched {
  const records = slicesOf(bytes);
  const facts = { errorCode: 0, highWatermark: 1, lastStableOffset: 1, logStartOffset: 0, abortedTransactions: null };
  const config = { messageDownconversionEnable: true, compressionType: 'producer' } as Fetched['config'];
  return {
    data: partitionData(0, { ...facts, records }),
    config,
    fetchOffset: 0,
    isFromFollower: false,
    takenBytes: records.size,
  };
}

function world() {
  const helpers = new Helpers();
  const answers: PartitionData[] = [];
  const conversions = new FetchConversions(helpers, silent);
  const convert = (bytes: Uint8Array): void => conversions.convert(3, fetched(bytes), (data) => answers.push(data));
  return { helpers, answers, convert };
}

test('few plain records are converted at once, compressed ones by a helper, however few they are', () => {
  const { helpers, answers, convert } = world();
  convert(batchOf(['a']));
  assert.equal(answers.length, 1);
  assert.equal([...allRecordsOf(answers[0]?.records ?? noSlices)].length, 1);
  convert(batchOf(['a'], { codec: 'gzip' }));
  convert(batchOf(['a'.repeat(20_000)]));
  assert.deepEqual([answers.length, helpers.asked.length], [1, 2]);
});

test('bytes that are no batch are an error of their partition', () => {
  const { answers, convert } = world();
  const bytes = copyOf(slicesOf(batchOf(['a'])));
  bytes[16] = 9;
  convert(bytes);
  assert.deepEqual([answers[0]?.errorCode, answers[0]?.records], [ErrorCode.UNKNOWN_SERVER_ERROR, null]);
});

test('helpers have so many bytes at most; what is more has its turn when some are done or lost', () => {
  const { helpers, answers, convert } = world();
  const large = new Uint8Array(30 << 20); // no batch, which is all the same to who only waits
  for (let count = 0; count < 5; count += 1) convert(large);
  assert.equal(helpers.asked.length, 3, 'the one that crosses the limit still goes');
  helpers.asked[0]?.done(new ComputeError('lost'), undefined);
  assert.deepEqual([helpers.asked.length, answers.length], [4, 1], 'one for one');
  helpers.asked[1]?.done(new ComputeError('lost'), undefined);
  assert.deepEqual([helpers.asked.length, answers.length], [5, 2]);
});
