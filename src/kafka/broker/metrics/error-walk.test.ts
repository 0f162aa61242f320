import assert from 'node:assert/strict';
import test from 'node:test';
import type { Fields, Message } from '../../../wire/schema.ts';
import { FindCoordinatorResponse } from '../../protocol/messages/10-find-coordinator.ts';
import { AddPartitionsToTxnResponse } from '../../protocol/messages/24-add-partitions-to-txn.ts';
import { DeleteAclsResponse } from '../../protocol/messages/31-delete-acls.ts';
import { countErrors, countsFirstError, ErrorCounts, errorWalkOf } from './error-walk.ts';

function codes(message: Message<Fields>, apiVersion: number, response: object): number[] {
  const counts = new ErrorCounts();
  countErrors(response, errorWalkOf(message), counts, countsFirstError(message.apiKey)?.(apiVersion) ?? true);
  return [...counts].flatMap(([code, count]) => new Array<number>(count).fill(code));
}

const found = { errorCode: 0, coordinators: [{ errorCode: 15 }, { errorCode: 16 }] };
const added = { errorCode: 3, resultsByTransaction: [], resultsByTopicV3AndBelow: [{ resultsByPartition: [] }] };
const matching = [{ errorCode: 5 }];

const cases: readonly (readonly [
  name: string,
  message: Message<Fields>,
  version: number,
  response: object,
  want: number[],
])[] = [
  ['one coordinator', FindCoordinatorResponse, 3, { errorCode: 15, coordinators: [] }, [15]],
  ['several coordinators, each with its own', FindCoordinatorResponse, 4, found, [15, 16]],
  ['a field that the version has not', AddPartitionsToTxnResponse, 3, added, []],
  ['the same field where the version has it', AddPartitionsToTxnResponse, 4, added, [3]],
  [
    'filters, but not what they match',
    DeleteAclsResponse,
    2,
    { filterResults: [{ errorCode: 0, matchingAcls: matching }] },
    [0],
  ],
];

for (const [name, message, version, response, want] of cases) {
  test(`errors of an answer that count: ${name}`, () => assert.deepEqual(codes(message, version, response), want));
}
