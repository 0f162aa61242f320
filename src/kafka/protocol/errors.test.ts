import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode, errorInfo, errorInfos, errorOf, KafkaError } from './errors.ts';

test('a code gives Apache’s name, text and whether to retry', () => {
  const error = errorOf(ErrorCode.NOT_LEADER_OR_FOLLOWER);
  assert.ok(error instanceof KafkaError);
  assert.deepEqual([error.code, error.name, error.retriable], [6, 'NOT_LEADER_OR_FOLLOWER', true]);
  assert.match(error.message, /^For requests intended only for the leader/);
  assert.equal(errorOf(36, "Topic 'a' already exists.").message, "Topic 'a' already exists.");
  assert.equal(errorOf(36, null).message, 'Topic with this name already exists.');
});

test('a code that is not known counts as an unknown server error, and is kept', () => {
  assert.equal(errorInfo(999).name, 'UNKNOWN_SERVER_ERROR');
  assert.deepEqual([errorOf(999).code, errorOf(999).name], [999, 'UNKNOWN_SERVER_ERROR']);
});

test('the codes run from -1 to 136 without a gap', () => {
  assert.deepEqual(
    [...errorInfos.keys()],
    Array.from({ length: 138 }, (_, index) => index - 1),
  );
});
