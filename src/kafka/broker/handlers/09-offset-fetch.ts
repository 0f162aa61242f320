import { build, ZERO_UUID } from '../../../wire/schema.ts';
import {
  type FetchedOffsets,
  type FetchedPartition,
  failedOffset,
  type WantedTopics,
} from '../../coordinator/group/fetch-offsets.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { OffsetFetchRequest, OffsetFetchResponse } from '../../protocol/messages/09-offset-fetch.ts';
import { AclOperation } from '../../security/acl.ts';
import { LegacyOffsets } from '../../zk/legacy-offsets.ts';
import { type ApiHandler, apiHandler, type RequestContext } from '../api-handler.ts';
import { allowedTopics, mayOnGroup, type Names } from '../authorization.ts';
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
    handle(request, context, responder) {
      const version = context.apiVersion;
      const answer = (given: Partial<OffsetFetchResponse>): void => responder.answer(build(OffsetFetchResponse, given));
      if (version >= MANY_GROUPS_FROM) {
        gather<AskedGroup, ResultGroup>(
          request.groups,
          (group, done) => fetchGroup(broker, group, { requireStable: request.requireStable, context, done }),
          (groups) => answer({ groups }),
        );
      } else if (version === 0) {
        const topics = request.topics ?? [];
        if (!mayOnGroup(broker, context, AclOperation.describe, request.groupId)) {
          return answer({ topics: refused(topics, ErrorCode.GROUP_AUTHORIZATION_FAILED) });
        }
        void fetchFromZookeeper(broker, request.groupId, topics, describable(broker, context, topics))
          .then((fetched) => answer({ topics: fetched }))
          .catch((error: unknown) => responder.close(String(error)));
      } else {
        fetchOne(broker, request, context, answer);
      }
    },
  });
}

function describable(broker: BrokerContext, context: RequestContext, topics: readonly { name: string }[]): Names {
  const names = topics.map(({ name }) => name);
  return allowedTopics(broker, context, AclOperation.describe, names);
}

function fetchOne(
  broker: BrokerContext,
  request: OffsetFetchRequest,
  context: RequestContext,
  answer: (given: Partial<OffsetFetchResponse>) => void,
): void {
  if (!mayOnGroup(broker, context, AclOperation.describe, request.groupId)) {
    // Before there was an error for the whole, Apache's answer is just empty.
    return answer({ errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED, topics: [] });
  }
  const asked = request.topics?.map(distinctPartitions) ?? null;
  const allowed = describable(broker, context, asked ?? []);
  const wanted = asked?.filter(({ name }) => allowed.has(name)) ?? null;
  broker.groups.offsets.fetch(request.groupId, wanted, request.requireStable, (fetched) => {
    const told = oneGroup(fetched, request, context.apiVersion);
    if (told.errorCode !== ErrorCode.NONE) return answer(told);
    const denied = asked?.filter(({ name }) => !allowed.has(name)) ?? [];
    const seen = asked === null ? describable(broker, context, fetched.topics) : allowed;
    const topics = fetched.topics.filter(({ name }) => seen.has(name));
    answer({ ...told, topics: [...topics, ...refused(denied, ErrorCode.TOPIC_AUTHORIZATION_FAILED)] });
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
  readonly context: RequestContext;
  readonly done: (group: ResultGroup) => void;
}

function fetchGroup(broker: BrokerContext, asked: AskedGroup, fetch: GroupFetch): void {
  const { groupId, topics } = asked;
  const { requireStable, context, done } = fetch;
  if (!mayOnGroup(broker, context, AclOperation.describe, groupId)) {
    return done({ groupId, topics: [], errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED });
  }
  const member = { id: asked.memberId, epoch: asked.memberEpoch };
  const byId = context.apiVersion >= TOPIC_IDS_FROM;
  const named = topics?.map(distinctPartitions).map((topic) => ({
    topic,
    name: byId ? broker.metadata.topicName(topic.topicId) : topic.name,
  }));
  const known = named?.flatMap(({ topic: { partitionIndexes }, name }) =>
    name === undefined ? [] : [{ name, partitionIndexes }],
  );
  const allowed = describable(broker, context, known ?? []);
  const wanted = known?.filter(({ name }) => allowed.has(name));
  const answer = ({ errorCode, topics: fetched }: FetchedOffsets): void => {
    const seen = named === undefined ? describable(broker, context, fetched) : allowed;
    const results =
      named === undefined
        ? allTopics(
            broker,
            fetched.filter(({ name }) => seen.has(name)),
            byId,
          )
        : askedTopics(named, allowed, fetched);
    done({ groupId, topics: errorCode === ErrorCode.NONE ? results : [], errorCode });
  };
  broker.groups.offsets.fetch(groupId, wanted ?? null, requireStable, answer, member);
}

/** A topic without an id cannot be named in an answer by ids. */
function allTopics(broker: BrokerContext, fetched: FetchedOffsets['topics'], byId: boolean): ResultTopic[] {
  return fetched
    .map((topic) => ({ ...topic, topicId: broker.metadata.topicId(topic.name) }))
    .filter(({ topicId }) => !byId || topicId !== ZERO_UUID);
}

/** `fetched` has, in order, the topics whose name is known and that the client may see. */
function askedTopics(
  asked: readonly { readonly topic: AskedTopic; readonly name: string | undefined }[],
  allowed: Names,
  fetched: FetchedOffsets['topics'],
): ResultTopic[] {
  const found = fetched.values();
  return asked.map(({ topic, name }) => {
    const isFetched = name !== undefined && allowed.has(name);
    const errorCode = name === undefined ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.TOPIC_AUTHORIZATION_FAILED;
    return {
      name: topic.name,
      topicId: topic.topicId,
      partitions:
        (isFetched ? found.next().value?.partitions : undefined) ??
        topic.partitionIndexes.map((partition) => failedOffset(partition, errorCode)),
    };
  });
}

async function fetchFromZookeeper(
  broker: BrokerContext,
  group: string,
  topics: WantedTopics,
  allowed: Names,
): Promise<LegacyTopic[]> {
  const offsets = new LegacyOffsets(broker.zk.client);
  const fetch = async (topic: string, partition: number): Promise<FetchedPartition> => {
    if (!allowed.has(topic)) return failedOffset(partition, ErrorCode.TOPIC_AUTHORIZATION_FAILED);
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
