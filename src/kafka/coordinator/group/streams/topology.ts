import type { StreamsGroupHeartbeatRequest } from '../../../protocol/messages/88-streams-group-heartbeat.ts';
import type { StreamsGroupTopologyValue } from '../../../protocol/records/streams-group.ts';

/** What an application consists of, as its members tell it: subtopologies with the topics that they read, write and keep state in. */
export type Topology = StreamsGroupTopologyValue;
export type Subtopology = Topology['subtopologies'][number];
export type TopicInfo = Subtopology['stateChangelogTopics'][number];

/** As a record: the same fields in an order of their own. */
export function topologyOf(told: NonNullable<StreamsGroupHeartbeatRequest['topology']>): Topology {
  return { epoch: told.epoch, subtopologies: told.subtopologies };
}

/** Topics that its tasks come from. */
export function sourceTopics({ sourceTopics: names, repartitionSourceTopics }: Subtopology): string[] {
  return [...names, ...repartitionSourceTopics.map(({ name }) => name)];
}

/** All topics without which there are no tasks. */
export function requiredTopics({ subtopologies }: Topology): Set<string> {
  return new Set(
    subtopologies.flatMap((one) => [...sourceTopics(one), ...one.stateChangelogTopics.map(({ name }) => name)]),
  );
}

/** The subtopology that reads a topic. */
export function readerOf({ subtopologies }: Topology, topic: string): Subtopology | undefined {
  return subtopologies.findLast((one) => sourceTopics(one).includes(topic));
}

/** The order of subtopologies means nothing. */
export function sameTopology(a: Topology, b: Topology): boolean {
  const plain = ({ epoch, subtopologies }: Topology): string =>
    JSON.stringify([epoch, byId(subtopologies).map(canonical)]);
  return plain(a) === plain(b);
}

export function byId(subtopologies: readonly Subtopology[]): Subtopology[] {
  return [...subtopologies].sort((a, b) => (a.subtopologyId < b.subtopologyId ? -1 : 1));
}

/** Fields in one order, whichever message they came from. */
function canonical(one: Subtopology): unknown[] {
  const topic = ({ name, partitions, replicationFactor, topicConfigs }: TopicInfo): unknown[] => [
    name,
    partitions,
    replicationFactor,
    topicConfigs.map(({ key, value }) => [key, value]),
  ];
  return [
    one.subtopologyId,
    one.sourceTopics,
    one.sourceTopicRegex,
    one.stateChangelogTopics.map(topic),
    one.repartitionSinkTopics,
    one.repartitionSourceTopics.map(topic),
    one.copartitionGroups.map((group) => [group.sourceTopics, group.sourceTopicRegex, group.repartitionSourceTopics]),
  ];
}
