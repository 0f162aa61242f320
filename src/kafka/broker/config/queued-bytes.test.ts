import assert from 'node:assert/strict';
import test from 'node:test';
import { ConfigError } from '../../../config/config-error.ts';
import { KafkaConfig } from './kafka-config.ts';
import { queuedBytesMaxOf } from './queued-bytes.ts';

const bytesMaxOf = (given: Readonly<Record<string, string>>): number =>
  queuedBytesMaxOf(new KafkaConfig(new Map(Object.entries({ 'zookeeper.connect': 'localhost:2181', ...given }))));

test('requests may hold any memory by default, and with a limit of 0', () => {
  assert.equal(bytesMaxOf({}), Infinity);
  assert.equal(bytesMaxOf({ 'queued.max.request.bytes': '0' }), Infinity);
});

test('a limit has room for the largest request', () => {
  const given = { 'queued.max.request.bytes': '1000', 'socket.request.max.bytes': '1000' };
  assert.equal(bytesMaxOf(given), 1000);
  assert.throws(() => bytesMaxOf({ ...given, 'socket.request.max.bytes': '1001' }), ConfigError);
});
