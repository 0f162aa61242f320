import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../protocol/errors.ts';
import { defaultLogConfig, logConfigOf, topicDefaultsOf, validateTopicConfig } from './log-config.ts';
import { checkedOrder, topicKeys } from './topic-keys.ts';

const texts = (given: Record<string, string>) => new Map(Object.entries(given));

test('every default is a legal value of its own key', () => {
  for (const { name, default: value } of topicKeys.values()) validateTopicConfig(new Map([[name, value]]));
  assert.equal(defaultLogConfig.segmentBytes, 1_073_741_824);
  assert.equal(defaultLogConfig.flushMessages, Infinity);
  assert.equal(defaultLogConfig.maxMessageBytes, 1_048_588);
});

test('a topic’s own value counts before the broker’s, and the finer unit of that before the coarser', () => {
  const defaults = topicDefaultsOf(
    texts({ 'log.retention.hours': '2', 'log.retention.minutes': '5', 'log.roll.hours': '1' }),
  );
  assert.equal(logConfigOf(new Map(), defaults).retentionMs, 300_000);
  assert.equal(logConfigOf(new Map(), defaults).segmentMs, 3_600_000);
  assert.equal(logConfigOf(texts({ 'retention.ms': '7' }), defaults).retentionMs, 7);
  assert.equal(logConfigOf(new Map(), topicDefaultsOf(texts({ 'log.retention.hours': '-1' }))).retentionMs, -1);
});

test('cleanup.policy is a list', () => {
  const config = logConfigOf(texts({ 'cleanup.policy': 'compact,delete' }));
  assert.deepEqual([config.compact, config.delete], [true, true]);
});

test('the superseded timestamp limit counts where its successors say nothing', () => {
  const config = logConfigOf(
    texts({ 'message.timestamp.difference.max.ms': '50', 'message.timestamp.after.max.ms': '70' }),
  );
  assert.deepEqual([config.messageTimestampBeforeMaxMs, config.messageTimestampAfterMaxMs], [50, 70]);
});

test('the order in which values are checked knows every key', () => {
  assert.deepEqual([...checkedOrder].sort(), [...topicKeys.keys()].sort());
});

const refusals: readonly { given: Record<string, string>; want: RegExp }[] = [
  {
    given: { 'segment.bytes': '13' },
    want: /^Invalid value 13 for configuration segment.bytes: Value must be at least 14$/,
  },
  {
    given: { 'retention.ms': 'soon' },
    want: /^Invalid value soon for configuration retention.ms: Not a number of type LONG$/,
  },
  { given: { 'segment.bytes': '2147483648' }, want: /Not a number of type INT$/ },
  { given: { 'min.cleanable.dirty.ratio': '1.1' }, want: /Value must be no more than 1$/ },
  { given: { 'cleanup.policy': 'compact,shred' }, want: /String must be one of: compact, delete$/ },
  { given: { preallocate: 'yes' }, want: /Expected value to be either true or false$/ },
  { given: { 'no.such.key': '1' }, want: /^Unknown topic config name: no.such.key$/ },
  { given: { 'leader.replication.throttled.replicas': '1-2' }, want: /must be the literal '\*' or a list of replicas/ },
  {
    given: { 'compression.type': 'lzma', 'segment.bytes': '2' },
    want: /^Invalid value 2 for configuration segment.bytes/,
  },
  { given: { 'min.compaction.lag.ms': '5', 'max.compaction.lag.ms': '4' }, want: /^conflict topic config setting/ },
];
for (const { given, want } of refusals) {
  test(`${JSON.stringify(given)} is refused in Apache’s words`, () => {
    assert.throws(() => logConfigOf(texts(given)), { code: ErrorCode.INVALID_CONFIG, message: want });
  });
}
