import assert from 'node:assert/strict';
import test from 'node:test';
import { ConfigError } from '../../../config/config-error.ts';
import { cleanerConfigOf } from './cleaner-config.ts';
import { KafkaConfig } from './kafka-config.ts';

const cleaner = (given: Record<string, string>) =>
  cleanerConfigOf(new KafkaConfig(new Map(Object.entries({ 'zookeeper.connect': 'localhost:2181', ...given }))));

test('the cleaner has Apache’s defaults', () => {
  const { ioBytesPerSecondMax, ...rest } = cleaner({});
  assert.deepEqual(rest, {
    enabled: true,
    threads: 1,
    dedupeBufferBytes: 134_217_728,
    loadFactor: 0.9,
    ioBufferBytes: 524_288,
    backoffMs: 15_000,
    decompressedBytesMax: 268_435_456,
  });
  assert.ok(ioBytesPerSecondMax > 1e300);
});

test('the cleaner opens what producers may send, and what they could send before', () => {
  const boundOf = (bytes: string) => cleaner({ 'odradek.message.max.decompressed.bytes': bytes }).decompressedBytesMax;
  assert.deepEqual([boundOf('1000'), boundOf('1000000000')], [268_435_456, 1_000_000_000]);
});

const refusals: readonly (readonly [key: string, given: Record<string, string>])[] = [
  ['log.cleaner.threads', { 'log.cleaner.threads': '0' }],
  ['log.cleaner.dedupe.buffer.size', { 'log.cleaner.dedupe.buffer.size': '1048576' }],
  ['log.cleaner.dedupe.buffer.size', { 'log.cleaner.threads': '200' }],
  ['log.cleaner.io.buffer.load.factor', { 'log.cleaner.io.buffer.load.factor': '0' }],
  ['log.cleaner.io.buffer.load.factor', { 'log.cleaner.io.buffer.load.factor': '1.5' }],
  ['log.cleaner.io.max.bytes.per.second', { 'log.cleaner.io.max.bytes.per.second': '0' }],
];
for (const [key, given] of refusals) {
  test(`${Object.entries(given).join()} leaves the cleaner no room and is refused`, () => {
    assert.throws(
      () => cleaner(given),
      (error: unknown) => error instanceof ConfigError && error.key === key,
    );
  });
}
