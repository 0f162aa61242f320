import assert from 'node:assert/strict';
import test from 'node:test';
import { testKafkaConfig } from '../../../testing/index.ts';
import { ConfigStore } from './config-store.ts';
import { describeBrokerConfig } from './describe-config.ts';
import { DECOMPRESSED_BYTES_KEY } from './own-keys.ts';

test('keys that only we know are not described, other people’s are', () => {
  const set = { 'transaction.version': 2, [DECOMPRESSED_BYTES_KEY]: 1000, 'somebody.else': 'x' };
  const config = testKafkaConfig('/kafka', 'zk:2181', 'PLAINTEXT://h:1', set);
  const store = new ConfigStore({ config } as ConstructorParameters<typeof ConfigStore>[0]);
  const options = { keys: null, includeSynonyms: false, includeDocumentation: false };
  const names = describeBrokerConfig(store, options).map(({ name }) => name);
  assert.deepEqual(
    [...Object.keys(set), 'broker.id'].filter((name) => names.includes(name)),
    ['somebody.else', 'broker.id'],
  );
});
