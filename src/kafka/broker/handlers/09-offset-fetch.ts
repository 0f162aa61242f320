import { build, ZERO_UUID } from '../../../wire/schema.ts';
import {
  type FetchedOffsets,
  type FetchedPartition,
  failedOffset,
  type WantedTopics,
} from '../../coordinator/group/fetch-offsets.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { OffsetFetchRequest, OffsetFetchResponse } from '../../protocol/messages/09-offset-fetch.ts';
import { LegacyOffsets } from '../../zk/legacy-offsets.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';
import { gather } from '../gather.ts';
import { asKafkaError } from '../request-errors.ts';

type AskedGroup = OffsetFetchRequest['groups'][number];
type AskedTopic = NonNullable<AskedGroup['topics']>[number];
type ResultGroup = OffsetFetchResponse['groups'][number];
type ResultTopic = ResultGroup['topics'][number];
type LegacyTopic = OffsetFetchResponse['topics'][number];

/** From this version on the answer as a whole has an error; before, each partition repeats it. */
const GROUP_ERROR_FROM = 2;
/** From this version on a request is about many groups (KIP-709). */
const MANY_GROUPS_FROM = 8;
/** From this version on topics go by id. */
const TOPIC_IDS_FROM = 10;

/** v0 reads from ZooKeeper, where consumers of 0.8 commit. */
export function offsetFetchHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: OffsetFetchRequest,
    response: OffsetFetchResponse,
    versions: '0-10',
    handle(request, { apiVersion: version }, responder) {
      const answer = (given: Partial<OffsetFetchResponse>): void => responder.answer(build(OffsetFetchResponse, given));
      if (version >= MANY_GROUPS_FROM) {
        gather<AskedGroup, ResultGroup>(
          request.groups,
          (group, done) => fetchGroup(broker, group, { requireStable: request.requireStable, version, done }),
          (groups) => answer({ groups }),
        );
      } else if (version === 0) {
        void fetchFromZookeeper(broker, request.groupId, request.topics ?? [])
          .then((topics) => answer({ topics }))
          .catch((error: unknown) => responder.close(String(error)));
      } else {
        const wanted = request.topics?.map(distinctPartitions) ?? null;
        broker.groups.fetchOffsets(request.groupId, wanted, request.requireStable, (fetched) =>
          answer(oneGroup(fetched, request, version)),
        );
      }
    },
  });
}

/** A partition that is named twice is answered once. */
function distinctPartitions<T extends { readonly partitionIndexes: readonly number[] }>(topic: T): T {
  return { ...topic, partitionIndexes: [...new Set(topic.partitionIndexes)] };
}

function oneGroup(
  { errorCode, topics }: FetchedOffsets,
  request: OffsetFetchRequest,
  version: number,
): Partial<OffsetFetchResponse> {
  if (errorCode === ErrorCode.NONE || version >= GROUP_ERROR_FROM) return { errorCode, topics };
  return { topics: refused(request.topics ?? [], errorCode) };
}

function refused(topics: WantedTopics, errorCode: number): LegacyTopic[] {
  return topics.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((partition) => failedOffset(partition, errorCode)),
  }));
}

interface GroupFetch {
  readonly requireStable: boolean;
  readonly version: number;
  readonly done: (group: ResultGroup) => void;
}

function fetchGroup(broker: BrokerContext, asked: AskedGroup, fetch: GroupFetch): void {
  const { groupId, topics } = asked;
  const { requireStable, version, done } = fetch;
  const member = { id: asked.memberId, epoch: asked.memberEpoch };
  const byId = version >= TOPIC_IDS_FROM;
  const named = topics?.map(distinctPartitions).map((topic) => ({
    topic,
    name: byId ? broker.metadata.topicName(topic.topicId) : topic.name,
  }));
  const wanted = named?.flatMap(({ topic: { partitionIndexes }, name }) =>
    name === undefined ? [] : [{ name, partitionIndexes }],
  );
  const answer = ({ errorCode, topics: fetched }: FetchedOffsets): void => {
    const results = named === undefined ? allTopics(broker, fetched, byId) : askedTopics(named, fetched);
    done({ groupId, topics: errorCode === ErrorCode.NONE ? results : [], errorCode });
  };
  broker.groups.fetchOffsets(groupId, wanted ?? null, requireStable, answer, member);
}

/** A topic without an id cannot be named in an answer by ids. */
function allTopics(broker: BrokerContext, fetched: FetchedOffsets['topics'], byId: boolean): ResultTopic[] {
  return fetched
    .map((topic) => ({ ...topic, topicId: broker.metadata.topicId(topic.name) }))
    .filter(({ topicId }) => !byId || topicId !== ZERO_UUID);
}

/** `fetched` has, in order, the topics whose name is known. */
function askedTopics(
  asked: readonly { readonly topic: AskedTopic; readonly name: string | undefined }[],
  fetched: FetchedOffsets['topics'],
): ResultTopic[] {
  const found = fetched.values();
  const unknown = (partition: number): FetchedPartition => failedOffset(partition, ErrorCode.UNKNOWN_TOPIC_ID);
  return asked.map(({ topic, name }) => ({
    name: topic.name,
    topicId: topic.topicId,
    partitions:
      (name === undefined ? undefined : found.next().value?.partitions) ?? topic.partitionIndexes.map(unknown),
  }));
}

async function fetchFromZookeeper(broker: BrokerContext, group: string, topics: WantedTopics): Promise<LegacyTopic[]> {
  const offsets = new LegacyOffsets(broker.zk.client);
  const fetch = async (topic: string, partition: number): Promise<FetchedPartition> => {
    if (broker.metadata.partition(topic, partition) === undefined) return unknownPartition(partition);
    try {
      const offset = await offsets.get(group, topic, partition);
      if (offset === undefined) return unknownPartition(partition);
      return { ...failedOffset(partition, ErrorCode.NONE), committedOffset: offset };
    } catch (error) {
      return failedOffset(partition, asKafkaError(error).code);
    }
  };
  return Promise.all(
    topics.map(async ({ name, partitionIndexes }) => ({
      name,
      partitions: await Promise.all(partitionIndexes.map((partition) => fetch(name, partition))),
    })),
  );
}

/** In version 0 nothing committed is an error, too. */
function unknownPartition(partition: number): FetchedPartition {
  return failedOffset(partition, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
}
