import assert from 'node:assert/strict';
import test from 'node:test';
import { CreateMode } from '../../zookeeper/jute/create-mode.ts';
import { DescribeConfigsRequest, DescribeConfigsResponse } from '../protocol/messages/32-describe-configs.ts';
import { encodeConfig, encodeConfigChange, paths } from '../zk/znodes.ts';
import { ClusterWorld } from './testkit/cluster-world.ts';

const TOPIC = 2;

async function retentionOf(world: ClusterWorld, topic: string): Promise<string | null | undefined> {
  const answer = await world.ask(0, (client) =>
    client.ask(DescribeConfigsRequest, DescribeConfigsResponse, 1, {
      resources: [{ resourceType: TOPIC, resourceName: topic, configurationKeys: ['retention.ms'] }],
    }),
  );
  return answer.results[0]?.configs[0]?.value;
}

test('a notification that cannot be processed does not hide those that come with it', async () => {
  const world = await new ClusterWorld().start();
  await world.createTopic('t', [[0]]);
  const notes = ['topics//t', 'topics/t'].map((entity) => ({
    kind: 'create' as const,
    path: `${paths.configChanges}/config_change_`,
    data: encodeConfigChange(entity),
    mode: CreateMode.PERSISTENT_SEQUENTIAL,
  }));
  await world.run(
    world.zk.setData(paths.entityConfig('topics', 't'), encodeConfig(new Map([['retention.ms', '5000']]))),
  );
  await world.run(world.zk.multi(notes));
  await world.sim.runFor(1000);
  assert.ok(world.logLines.some((line) => line.includes('a configuration change could not be processed')));
  assert.equal(await retentionOf(world, 't'), '5000');
});
