import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { ErrorCode } from '../../protocol/errors.ts';
import { CreateTopicsRequest, CreateTopicsResponse } from '../../protocol/messages/19-create-topics.ts';
import {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../protocol/messages/44-incremental-alter-configs.ts';
import { ClusterWorld } from '../testkit/cluster-world.ts';
import { AlterOperation, ResourceType } from './config-change.ts';

const CREATE = 'create.topic.policy.class.name';
const ALTER = 'alter.config.policy.class.name';
const fixture = (name: string): string => join(import.meta.dirname, 'policies.fixture.ts') + name;

async function create(cluster: ClusterWorld, name: string, numPartitions: number, retention?: string) {
  const configs = retention === undefined ? [] : [{ name: 'retention.ms', value: retention }];
  const assignments = numPartitions < 0 ? [{ partitionIndex: 0, brokerIds: [0] }] : [];
  const topic = { name, numPartitions, replicationFactor: numPartitions < 0 ? -1 : 1, assignments, configs };
  const answer = await cluster.ask(0, (client) =>
    client.ask(CreateTopicsRequest, CreateTopicsResponse, 5, { topics: [topic], timeoutMs: 5000 }),
  );
  return [answer.topics[0]?.errorCode, answer.topics[0]?.errorMessage];
}

test('a policy refuses topics with its own words, and what it throws by mistake stays in our log', async () => {
  const cluster = await new ClusterWorld({ kafka: { [CREATE]: fixture('') } }).start();
  assert.deepEqual(await create(cluster, 'small', 2), [ErrorCode.NONE, null]);
  assert.deepEqual(await create(cluster, 'large', 4), [
    ErrorCode.POLICY_VIOLATION,
    '4 partitions of large are too many',
  ]);
  assert.deepEqual(await create(cluster, 'byhand', -1), [ErrorCode.POLICY_VIOLATION, 'no replicas by hand: {"0":[0]}']);
  assert.deepEqual(await create(cluster, 'kept', 1, '-1'), [ErrorCode.POLICY_VIOLATION, 'nothing is kept for ever']);
  const [code] = await create(cluster, 'mistake', 1);
  assert.equal(code, ErrorCode.UNKNOWN_SERVER_ERROR);
  assert.equal(await cluster.exists('/brokers/topics/large'), false);
});

test('a policy refuses changes of configuration: it sees what was named', async () => {
  const cluster = await new ClusterWorld({ kafka: { [ALTER]: fixture('#frozen') } }).start();
  await cluster.createTopic('t', [[0]]);
  const change = async (resourceType: number, resourceName: string, name: string, value: string) => {
    const configs = [{ name, configOperation: AlterOperation.set, value }];
    const answer = await cluster.ask(0, (client) =>
      client.ask(IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse, 1, {
        resources: [{ resourceType, resourceName, configs }],
        validateOnly: true,
      }),
    );
    return [answer.responses[0]?.errorCode, answer.responses[0]?.errorMessage];
  };
  assert.deepEqual(await change(ResourceType.topic, 't', 'segment.bytes', '2000'), [ErrorCode.NONE, null]);
  const refused = [ErrorCode.POLICY_VIOLATION, 'retention.ms=5 of TOPIC t'];
  assert.deepEqual(await change(ResourceType.topic, 't', 'retention.ms', '5'), refused);
  const brokers = [ErrorCode.POLICY_VIOLATION, 'log.retention.ms=5 of BROKER '];
  assert.deepEqual(await change(ResourceType.broker, '', 'log.retention.ms', '5'), brokers);
});

test('what is no policy keeps a broker from starting, with the key, the value and what would do', async () => {
  for (const value of ['org.example.Policy', fixture('#nothing'), '/no/such/module.mjs', fixture('#notAPolicy')]) {
    const cluster = new ClusterWorld({ kafka: { [CREATE]: value } });
    await assert.rejects(cluster.start(), (error: Error) => {
      assert.ok(
        error.message.startsWith(`${CREATE}=${value} is refused: Java classes cannot be loaded`),
        error.message,
      );
      return true;
    });
  }
});
