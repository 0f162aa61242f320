import assert from 'node:assert/strict';
import test from 'node:test';
import { ConfigError } from '../../config/config-error.ts';
import { testKafkaConfig } from '../../testing/index.ts';
import { ApiVersionsRequest, ApiVersionsResponse } from '../protocol/messages/18-api-versions.ts';
import { finalizedFeatures } from './features.ts';
import { ClusterWorld } from './testkit/cluster-world.ts';

const configured = (level: number) =>
  testKafkaConfig('/kafka', 'zk:2181', 'PLAINTEXT://h:1', { 'transaction.version': level });

test('transaction.version is told from level 1 on, and has no level above 2', () => {
  assert.deepEqual(finalizedFeatures(configured(0)), []);
  assert.deepEqual(finalizedFeatures(configured(2)), [{ name: 'transaction.version', level: 2, levelMax: 2 }]);
  for (const level of [-1, 3]) assert.throws(() => configured(level), ConfigError);
});

test('clients see the finalized level in ApiVersions', async () => {
  const world = await new ClusterWorld({ kafka: { 'transaction.version': 2 } }).start();
  const software = { clientSoftwareName: 'test', clientSoftwareVersion: '1' };
  const answer = await world.ask(0, (client) => client.ask(ApiVersionsRequest, ApiVersionsResponse, 4, software));
  assert.deepEqual(answer.finalizedFeatures, [{ name: 'transaction.version', maxVersionLevel: 2, minVersionLevel: 2 }]);
  assert.equal(answer.finalizedFeaturesEpoch, 0);
});
