import type { StreamsGroupHeartbeatResponse } from '../../../protocol/messages/88-streams-group-heartbeat.ts';
import type { TopicImage } from '../consumer/topic-image.ts';
import type { ConfiguredTopology } from './configured-topology.ts';
import type { StreamsMember } from './streams-member.ts';
import { type HeldTasks, inOrder, type Tasks } from './tasks.ts';

type Endpoints = NonNullable<StreamsGroupHeartbeatResponse['partitionsByUserEndpoint']>;
type TopicPartitions = Endpoints[number]['activePartitions'];

/**
 * Where interactive queries find the state of which partitions (`EndpointToPartitionsManager`). Warm-up tasks run as standbys.
 */
export function endpointsOf(
  members: Iterable<StreamsMember>,
  topology: ConfiguredTopology,
  image: TopicImage,
): Endpoints {
  const endpoints: Endpoints = [];
  for (const { userEndpoint, assigned } of members) {
    if (userEndpoint === null) continue;
    endpoints.push({
      userEndpoint: { ...userEndpoint },
      activePartitions: partitionsOf([assigned.active], topology, image),
      standbyPartitions: partitionsOf([assigned.standby, assigned.warmup], topology, image),
    });
  }
  return endpoints;
}

function partitionsOf(
  held: readonly (Tasks | HeldTasks)[],
  { subtopologies = [] }: ConfiguredTopology,
  image: TopicImage,
): TopicPartitions {
  const found: TopicPartitions = [];
  for (const { id, sourceTopics, repartitionSourceTopics } of subtopologies) {
    const tasks = new Set(held.flatMap((tasks) => [...(tasks.get(id)?.keys() ?? [])]));
    for (const topic of [...sourceTopics, ...repartitionSourceTopics.map(({ name }) => name)]) {
      // A topic with fewer partitions than another has none for the higher tasks.
      const count = image.topic(topic)?.partitionCount ?? 0;
      const partitions = inOrder(tasks).filter((partition) => partition < count);
      if (partitions.length > 0) found.push({ topic, partitions });
    }
  }
  return found;
}
