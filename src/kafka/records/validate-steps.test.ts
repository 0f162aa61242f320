/** Validation that is interrupted ends as validation that is not. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { copyOf, type Slices, slicesOf } from '../../base/slices.ts';
import type { Steps } from '../../base/steps.ts';
import { type CodecName, codecNames, type Magic } from './batch.ts';
import { buildBatch } from './builder.ts';
import { beginValidation, isUnfinished, type Validation, validateAndAssign } from './validate.ts';
import type { RecordRules, ValidateOptions } from './validation.ts';

const nowMs = 1_700_000_000_000;
const rules: RecordRules = {
  maxMessageBytes: 100_000_000,
  compressionType: 'producer',
  isCompacted: false,
  timestampType: 'CreateTime',
  timestampBeforeMaxMs: 1_000_000,
  timestampAfterMaxMs: 1_000_000,
};
const base: ValidateOptions = { rules, topicPartition: 't-0', baseOffset: 7, leaderEpoch: 3, nowMs, origin: 'client' };

interface Given {
  readonly name: string;
  readonly records: Slices;
  readonly options: ValidateOptions;
}

/** Half a megabyte each, of every codec and format, for every kind of topic. */
function* givens(): Generator<Given> {
  for (const magic of [2, 1] as const) {
    for (const codec of codecNames) {
      if (magic === 1 && (codec === 'none' || codec === 'zstd')) continue;
      const kinds = { right: {}, 'without keys': { key: null }, late: { timestamp: 5 }, sparse: { step: 2 } };
      for (const [kind, change] of Object.entries(kinds)) {
        if (magic === 1 && kind === 'sparse') continue;
        for (const compressionType of ['producer', 'lz4'] as const) {
          yield {
            name: `${kind} records of magic ${magic} in ${codec} for ${compressionType}`,
            records: recordsOf(magic, codec, change),
            options: { ...base, rules: { ...rules, compressionType, isCompacted: true } },
          };
        }
      }
    }
  }
}

function recordsOf(
  magic: Magic,
  codec: CodecName,
  { key = Buffer.from('k'), timestamp = nowMs, step = 1 }: { key?: Buffer | null; timestamp?: number; step?: number },
): Slices {
  const records = Array.from({ length: 400 }, (_, index) => ({
    ...{ key: index === 399 ? key : Buffer.from('k'), timestamp: index === 398 ? timestamp : nowMs + index },
    ...{ offset: index * step, value: Buffer.alloc(1_200, `${codec} ${index}`) },
  }));
  return slicesOf(Buffer.from(copyOf(buildBatch({ magic, codec, records }))));
}

const copied = ({ records, options }: Given): [Slices, ValidateOptions] => [slicesOf(copyOf(records)), options];

function comparable(validation: Validation) {
  return validation.kind === 'valid' ? { ...validation, slices: copyOf(validation.slices) } : validation;
}

test('a validation that is begun again after any of its steps ends as if it never had been', () => {
  for (const given of givens()) {
    const want = comparable(validateAndAssign(...copied(given)));
    const total = countSteps(given);
    for (const after of new Set([0, Math.min(1, total), Math.floor(total / 2), total])) {
      const [records, options] = copied(given);
      const first = beginValidation(records, options);
      if (!isUnfinished(first)) continue;
      for (let step = 0; step < after; step += 1) assert.ok(first.next().done !== true);
      first.return({ kind: 'rejected', code: 0, message: '', recordErrors: [] });
      assert.deepEqual(comparable(validateAndAssign(records, options)), want, `${given.name}, after ${after} steps`);
    }
  }
});

test('validations that take turns do not mix', () => {
  const all = [...givens()];
  const wants = all.map((given) => comparable(validateAndAssign(...copied(given))));
  const results = new Map<number, Validation>();
  const turns: [number, Steps<Validation>][] = [];
  for (const [index, given] of all.entries()) {
    const begun = beginValidation(...copied(given));
    if (isUnfinished(begun)) turns.push([index, begun]);
    else results.set(index, begun);
  }
  assert.ok(turns.length > 50);
  for (let turn = turns.shift(); turn !== undefined; turn = turns.shift()) {
    const { done, value } = turn[1].next();
    if (done === true) results.set(turn[0], value);
    else turns.push(turn);
  }
  for (const [index, { name }] of all.entries()) assert.deepEqual(comparable(results.get(index)!), wants[index], name);
});

function countSteps(given: Given): number {
  const begun = beginValidation(...copied(given));
  if (!isUnfinished(begun)) return 0;
  let count = 0;
  while (begun.next().done !== true) count += 1;
  return count;
}
