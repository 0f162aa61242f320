import assert from 'node:assert/strict';
import test from 'node:test';
import { copyOf, slicesOf } from '../../../src/base/slices.ts';
import { downConvert } from '../../../src/kafka/records/testkit/down-convert.ts';
import { validateAndAssign } from '../../../src/kafka/records/validate.ts';
import type { RecordRules, ValidateOptions } from '../../../src/kafka/records/validation.ts';
import { captured, describe, describeContent } from './describe.ts';

/**
 * What LogValidator 3.9.1 made of produced batches, behind the batch checks of UnifiedLog.analyzeAndValidateRecords; a
 * null limit is 2^63-1.
 */
interface Validation {
  readonly hex: string;
  readonly options: Omit<ValidateOptions, 'topicPartition' | 'rules'> & {
    readonly rules: { readonly [K in keyof RecordRules]: RecordRules[K] | null };
  };
  readonly want:
    | {
        readonly code: number;
        readonly exception: string;
        readonly recordErrors?: readonly { batchIndex: number; message?: string }[];
      }
    | { readonly empty: true }
    | {
        readonly hex: string;
        readonly isConverted: boolean;
        readonly maxTimestamp: number;
        readonly lastOffset: number;
      };
}

for (const [index, { hex, options, want }] of captured<Validation>('validation.json').entries()) {
  const { rules } = options;
  const verdict = 'code' in want ? `refused with ${want.code}` : 'empty' in want ? 'empty' : 'accepted';
  test(`batch ${index} is ${verdict} as by Apache (${rules.compressionType}, ${rules.timestampType})`, () => {
    const result = validateAndAssign(slicesOf(Buffer.from(hex, 'hex')), {
      ...options,
      topicPartition: 't-0',
      rules: {
        ...(rules as RecordRules),
        timestampBeforeMaxMs: rules.timestampBeforeMaxMs ?? Number.POSITIVE_INFINITY,
        timestampAfterMaxMs: rules.timestampAfterMaxMs ?? Number.POSITIVE_INFINITY,
      },
    });
    if ('code' in want) {
      assert.equal(result.kind, 'rejected');
      assert.equal(result.kind === 'rejected' && result.code, want.code);
      if (want.recordErrors !== undefined && result.kind === 'rejected') {
        const withMessages = want.recordErrors.some((error) => error.message !== undefined);
        const got = result.recordErrors.map(({ batchIndex, message }) =>
          withMessages ? { batchIndex, message } : { batchIndex },
        );
        assert.deepEqual(got, want.recordErrors);
      }
      return;
    }
    assert.equal(result.kind, 'valid', result.kind === 'rejected' ? result.message : '');
    if (result.kind !== 'valid') return;
    if ('empty' in want) {
      assert.equal(result.count, 0);
      return;
    }
    assert.equal(result.maxTimestamp, want.maxTimestamp);
    assert.equal(result.lastOffset, want.lastOffset);
    assert.equal(result.convertedCount > 0, want.isConverted);
    if (want.isConverted)
      assert.deepEqual(describeContent(result.slices), describeContent(Buffer.from(want.hex, 'hex')));
    else assert.equal(Buffer.from(copyOf(result.slices)).toString('hex'), want.hex);
    assert.ok(describe(result.slices).every((batch) => batch.crcValid));
  });
}

/** What MemoryRecords.downConvert 3.9.1 made of batches. */
interface Conversion {
  readonly hex: string;
  readonly magic: 0 | 1;
  readonly firstOffset: number;
  readonly want: { readonly hex: string } | { readonly code: number };
}

for (const [index, { hex, magic, firstOffset, want }] of captured<Conversion>('conversion.json').entries()) {
  test(`batches ${index} become magic ${magic} as by Apache`, () => {
    const convert = () => downConvert(slicesOf(Buffer.from(hex, 'hex')), { magic, firstOffset }).slices;
    if ('code' in want) assert.throws(convert, { code: want.code });
    else assert.deepEqual(describeContent(convert()), describeContent(Buffer.from(want.hex, 'hex')));
  });
}
