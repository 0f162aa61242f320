import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../protocol/errors.ts';
import { MetadataRequest, MetadataResponse } from '../protocol/messages/03-metadata.ts';
import { ClusterWorld } from './testkit/cluster-world.ts';

/** As clients do: with the wish that the topic be created. */
const askFor = (world: ClusterWorld, name: string): Promise<number | undefined> =>
  world
    .ask(0, (client) => client.ask(MetadataRequest, MetadataResponse, 7, { topics: [{ name, topicId: '' }] as never }))
    .then(({ topics }) => topics[0]?.errorCode);

test('a broker that comes back calls a topic unknown until it has heard of the cluster', async () => {
  const world = await new ClusterWorld().start();
  await world.createTopic('kept', [[0]]);
  const broker = world.broker(0);
  broker.crash('process');
  const launched = broker.launch();
  const told = new Set<number | undefined>();
  await world.until('the topic is there', async () => {
    for (let step = 0; step < 100; step += 1) {
      told.add(await askFor(world, 'kept').catch(() => undefined));
      if (told.has(ErrorCode.NONE)) return true;
      await world.sim.runFor(2);
    }
    return false;
  });
  await world.run(launched);
  assert.ok(told.has(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION));
  assert.ok(!told.has(ErrorCode.INVALID_REPLICATION_FACTOR));
});
